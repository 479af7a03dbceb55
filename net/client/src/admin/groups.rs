//! Groups, their coordinators and members.

use bytes::Bytes;
use types::{ErrorCode, NodeId};
use wire::messages::{delete_groups, describe_groups, find_coordinator, leave_group, list_groups};

use super::results::{Place, places};
use crate::error::BrokerError;

/// The state in which older brokers tell a group that nobody knows.
const STATE_DEAD: &str = "Dead";

/// A group, as its coordinator lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedGroup {
    /// Its id.
    pub id: String,
    /// The kind of group, such as `consumer`; empty if it only has offsets.
    pub protocol_type: String,
    /// Its state; empty from older brokers.
    pub state: String,
    /// Its type, such as `classic`; empty from older brokers.
    pub group_type: String,
}

/// A group, as its coordinator describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribedGroup {
    /// Its state.
    pub state: String,
    /// The kind of group, such as `consumer`.
    pub protocol_type: String,
    /// The protocol chosen; for consumers the name of the assignor. Empty unless it is stable.
    pub protocol: String,
    /// Its members.
    pub members: Vec<GroupMember>,
}

/// A member of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupMember {
    /// Its id.
    pub id: String,
    /// The static member's own name; `None` for a dynamic one.
    pub instance_id: Option<String>,
    /// What its client calls itself.
    pub client_id: String,
    /// Where its client is.
    pub client_host: String,
    /// Its part, as the leader of the group gave it.
    pub assignment: Bytes,
}

impl GroupMember {
    /// Returns the partitions of a consumer's part; none if it is not a consumer's.
    pub fn partitions(&self) -> Vec<Place> {
        places(&self.assignment)
    }
}

/// A member that is to leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeavingMember {
    /// By its id.
    Id(String),
    /// By its own name.
    Instance(String),
}

/// One result for each member that was to leave, in the order of the request.
pub type MemberResults = Vec<(LeavingMember, Result<(), BrokerError>)>;

/// Asks for the coordinator of a group; `version` is the one that the request will be written in,
/// since versions up to 3 name one group and those behind a list.
pub fn find_coordinator(group: &str, version: i16) -> find_coordinator::Request {
    const SINGLE_VERSION_MAX: i16 = 3;
    let (key, coordinator_keys) = if version <= SINGLE_VERSION_MAX {
        (group.to_owned(), Vec::new())
    } else {
        (String::new(), vec![group.to_owned()])
    };
    find_coordinator::Request {
        key,
        key_type: find_coordinator::KEY_GROUP,
        coordinator_keys,
    }
}

/// Reads the coordinator of the one group that was asked for.
///
/// *Errors*: why there is none.
pub fn coordinator_found(response: find_coordinator::Response) -> Result<NodeId, BrokerError> {
    let listed = response.coordinators.into_iter().next();
    let (code, message, node) = match listed {
        Some(it) => (it.error_code, it.error_message, it.node_id),
        None => (
            response.error_code,
            response.error_message,
            response.node_id,
        ),
    };
    BrokerError::check(code, message).map(|()| NodeId(node))
}

/// Asks a broker for the groups that it coordinates.
pub fn list_groups() -> list_groups::Request {
    list_groups::Request::default()
}

/// Reads the groups.
///
/// *Errors*: why the broker does not tell them.
pub fn groups_listed(response: list_groups::Response) -> Result<Vec<ListedGroup>, BrokerError> {
    BrokerError::check(response.error_code, None)?;
    let group = |group: list_groups::Group| ListedGroup {
        id: group.group_id,
        protocol_type: group.protocol_type,
        state: group.group_state,
        group_type: group.group_type,
    };
    Ok(response.groups.into_iter().map(group).collect())
}

/// Asks a coordinator for one of its groups.
pub fn describe_group(group: &str) -> describe_groups::Request {
    describe_groups::Request {
        groups: vec![group.to_owned()],
        ..Default::default()
    }
}

/// Reads the one group that was asked for.
///
/// *Errors*: why it is not told; a group that nobody knows is refused in all versions.
pub fn group_described(response: describe_groups::Response) -> Result<DescribedGroup, BrokerError> {
    let group = only(response.groups)?;
    BrokerError::check(group.error_code, group.error_message)?;
    if group.group_state == STATE_DEAD {
        return Err(ErrorCode::GroupIdNotFound.into());
    }
    let member = |member: describe_groups::Member| GroupMember {
        id: member.member_id,
        instance_id: member.group_instance_id,
        client_id: member.client_id,
        client_host: member.client_host,
        assignment: member.member_assignment,
    };
    Ok(DescribedGroup {
        state: group.group_state,
        protocol_type: group.protocol_type,
        protocol: group.protocol_data,
        members: group.members.into_iter().map(member).collect(),
    })
}

/// Asks a coordinator to forget a group.
pub fn delete_group(group: &str) -> delete_groups::Request {
    delete_groups::Request {
        groups_names: vec![group.to_owned()],
    }
}

/// Reads whether the one group was forgotten.
///
/// *Errors*: why not.
pub fn group_deleted(response: delete_groups::Response) -> Result<(), BrokerError> {
    BrokerError::check(only(response.results)?.error_code, None)
}

/// Asks a coordinator to take members out of a group; brokers that serve version 3 can.
pub fn remove_members(
    group: &str,
    members: &[LeavingMember],
    reason: &str,
) -> leave_group::Request {
    let member = |member: &LeavingMember| {
        let (member_id, group_instance_id) = match member {
            LeavingMember::Id(id) => (id.clone(), None),
            LeavingMember::Instance(name) => (String::new(), Some(name.clone())),
        };
        leave_group::Member {
            member_id,
            group_instance_id,
            reason: Some(reason.to_owned()),
        }
    };
    leave_group::Request {
        group_id: group.to_owned(),
        members: members.iter().map(member).collect(),
        ..Default::default()
    }
}

/// Reads which members were taken out.
///
/// *Errors*: why none was.
pub fn members_removed(response: leave_group::Response) -> Result<MemberResults, BrokerError> {
    BrokerError::check(response.error_code, None)?;
    let result = |member: leave_group::MemberResult| {
        let name = match member.group_instance_id {
            Some(name) => LeavingMember::Instance(name),
            None => LeavingMember::Id(member.member_id),
        };
        (name, BrokerError::check(member.error_code, None))
    };
    Ok(response.members.into_iter().map(result).collect())
}

/// Takes the one element of an answer to a request about one thing.
fn only<T>(answered: Vec<T>) -> Result<T, BrokerError> {
    let first = answered.into_iter().next();
    first.ok_or_else(|| ErrorCode::UnknownServerError.into())
}

#[cfg(test)]
mod tests {
    use wire::consumer_protocol::{Assignment, TopicPartitions};

    use super::*;
    use crate::admin::results::{in_all, in_versions};

    #[test]
    fn requests_can_be_said_in_every_version_that_is_served() {
        for version in 0..=6 {
            in_versions(&find_coordinator("g", version), version..=version);
        }
        in_all(&list_groups());
        in_all(&describe_group("g"));
        in_all(&delete_group("g"));
        let members = [
            LeavingMember::Id("m".into()),
            LeavingMember::Instance("i".into()),
        ];
        in_versions(&remove_members("g", &members, "why"), 3..=5);
    }

    #[test]
    fn a_coordinator_is_found_in_the_old_and_in_the_new_answer() {
        let old = |error_code| find_coordinator::Response {
            error_code,
            node_id: 3,
            ..Default::default()
        };
        assert_eq!(coordinator_found(old(0)), Ok(NodeId(3)));
        assert_eq!(coordinator_found(old(15)).unwrap_err().code, 15);
        let new = |error_code| find_coordinator::Response {
            coordinators: vec![find_coordinator::Coordinator {
                node_id: 4,
                error_code,
                ..Default::default()
            }],
            ..Default::default()
        };
        assert_eq!(coordinator_found(new(0)), Ok(NodeId(4)));
        assert_eq!(coordinator_found(new(15)).unwrap_err().code, 15);
    }

    fn described(group: describe_groups::Group) -> Result<DescribedGroup, BrokerError> {
        group_described(describe_groups::Response {
            groups: vec![group],
            ..Default::default()
        })
    }

    #[test]
    fn a_group_that_nobody_knows_is_refused_in_all_versions() {
        let dead = describe_groups::Group {
            group_state: "Dead".into(),
            ..Default::default()
        };
        assert_eq!(described(dead.clone()).unwrap_err().code, 69);
        let unknown = describe_groups::Group {
            error_code: 69,
            ..dead
        };
        assert_eq!(described(unknown).unwrap_err().code, 69);
        let nothing = group_described(describe_groups::Response::default());
        assert_eq!(nothing.unwrap_err().code, -1);
    }

    #[test]
    fn a_consumers_part_is_read_and_any_other_is_left_alone() {
        let member = |assignment| describe_groups::Group {
            members: vec![describe_groups::Member {
                member_assignment: assignment,
                ..Default::default()
            }],
            ..Default::default()
        };
        let assignment = Assignment {
            assigned_partitions: vec![TopicPartitions {
                topic: "t".into(),
                partitions: vec![2, 0],
            }],
            user_data: None,
        };
        let group = described(member(assignment.encode(1).unwrap())).unwrap();
        let want = [("t".to_owned(), 2), ("t".to_owned(), 0)];
        assert_eq!(group.members[0].partitions(), want);
        for other in [Bytes::new(), Bytes::from_static(b"connect")] {
            let group = described(member(other)).unwrap();
            assert_eq!(group.members[0].partitions(), []);
        }
    }
}
