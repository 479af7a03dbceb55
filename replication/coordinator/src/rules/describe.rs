//! DescribeGroups and ListGroups: what is to be seen of a group from outside.

use crate::group::Group;
use crate::request::List;
use crate::response::{Described, DescribedMember, GroupState, Listed};
use crate::text::{Blob, GroupId};

/// All groups here have this type.
const CLASSIC: &str = "classic";

/// Describes a group. Metadata and protocol are shown of a stable group only, as Kafka does.
pub(crate) fn describe(group: &Group) -> Described {
    let state = group.state();
    let protocol = match state {
        GroupState::Stable => group.protocol.clone(),
        _ => None,
    };
    let members = group.members().map(|(id, member)| DescribedMember {
        member: id.clone(),
        instance: member.instance.clone(),
        client_id: member.client_id.clone(),
        client_host: member.client_host.clone(),
        metadata: match &protocol {
            Some(protocol) => member.metadata(protocol),
            None => Blob::default(),
        },
        assignment: member.assignment.clone(),
    });
    Described {
        state,
        protocol_type: group.protocol_type.clone().unwrap_or_default(),
        members: members.collect(),
        protocol: protocol.unwrap_or_default(),
    }
}

/// Lists the groups that pass the filters.
pub(crate) fn list<'a>(
    groups: impl Iterator<Item = (&'a GroupId, &'a Group)>,
    list: &List,
) -> Vec<Listed> {
    let is_among = |names: &[String], name: &str| {
        let mut names = names.iter();
        names.len() == 0 || names.any(|wanted| wanted.trim().eq_ignore_ascii_case(name))
    };
    if !is_among(&list.types, CLASSIC) {
        return Vec::new();
    }
    let passing = groups.filter(|(_, group)| is_among(&list.states, group.state().name()));
    let listed = passing.map(|(id, group)| Listed {
        group: id.clone(),
        protocol_type: group.protocol_type.clone().unwrap_or_default(),
        state: group.state(),
    });
    listed.collect()
}
