//! How a group stands: whether it is there, and who is in it.

use std::fmt;

use client::admin::{DescribedGroup, GroupMember};
use client::blocking::{Admin, Cluster};
use types::ErrorCode;

use crate::cli::failure::Failure;

/// How many members a refusal names.
const NAMED_MAX: usize = 10;

/// How a group stands.
#[derive(Debug)]
pub(super) enum Standing {
    /// Nobody knows it.
    Absent,
    /// It speaks the classic protocol.
    Classic(DescribedGroup),
    /// It is of another type, and its members are not told.
    Other {
        /// Its state.
        state: String,
        /// Its type.
        kind: String,
    },
}

/// A group that has members, which some things are not done to.
#[derive(Debug, thiserror::Error)]
#[error("{name} is active ({state}){members}; stop its members first", members = Named(members))]
pub(super) struct Active {
    name: String,
    state: String,
    members: Vec<GroupMember>,
}

/// A group that hands out records one by one.
#[derive(Debug, thiserror::Error)]
#[error("{name} is a share group, which has no committed offsets to tell or to reset")]
pub(super) struct NoOffsets {
    name: String,
}

impl Standing {
    /// Asks how a group stands.
    pub(super) fn of(cluster: &mut Cluster, name: &str) -> Result<Self, client::Error> {
        let mut admin = Admin::new(cluster);
        match admin.describe_group(name) {
            Ok(group) => return Ok(Self::Classic(group)),
            Err(client::Error::Refused { refusal, .. })
                if refusal.known() == Some(ErrorCode::GroupIdNotFound) => {}
            Err(error) => return Err(error),
        }
        // Groups of other types are listed, and denied to those who ask for a classic one.
        let listed = admin.list_groups()?.into_iter().find(|it| it.id == name);
        Ok(listed.map_or(Self::Absent, |group| Self::Other {
            state: group.state,
            kind: group.group_type,
        }))
    }

    /// Returns the group's state, as brokers call it.
    pub(super) fn state(&self) -> &str {
        match self {
            Self::Absent => "Dead",
            Self::Classic(group) => &group.state,
            Self::Other { state, .. } => state,
        }
    }

    /// Returns the members, as far as they are told.
    pub(super) fn members(&self) -> &[GroupMember] {
        match self {
            Self::Classic(group) => &group.members,
            Self::Absent | Self::Other { .. } => &[],
        }
    }

    /// Makes sure that the group commits offsets.
    ///
    /// *Errors*: [`NoOffsets`].
    pub(super) fn check_commits(&self, name: &str) -> Result<(), NoOffsets> {
        match self {
            Self::Other { kind, .. } if kind.eq_ignore_ascii_case("share") => {
                let name = name.to_owned();
                Err(NoOffsets { name })
            }
            _ => Ok(()),
        }
    }

    /// Returns whether nobody is in the group.
    pub(super) fn is_idle(&self) -> bool {
        matches!(self.state(), "Empty" | "Dead")
    }

    /// Makes sure that nobody is in the group.
    ///
    /// *Errors*: [`Active`].
    pub(super) fn check_idle(&self, name: &str) -> Result<(), Active> {
        if self.is_idle() {
            return Ok(());
        }
        Err(Active {
            name: name.to_owned(),
            state: self.state().to_owned(),
            members: self.members().to_vec(),
        })
    }
}

/// Says that nobody knows a group.
pub(super) fn no_such_group(name: &str) -> Failure {
    format!("there is no group {name}; see: riverrun group list").into()
}

/// Returns where a member's client is; some brokers put a slash before the address.
pub(super) fn host(member: &GroupMember) -> &str {
    member.client_host.trim_start_matches('/')
}

/// Members in one line, if there are any.
struct Named<'a>(&'a [GroupMember]);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, member) in self.0.iter().take(NAMED_MAX).enumerate() {
            let mark = if index == 0 { ": " } else { ", " };
            let name = member.instance_id.as_ref().unwrap_or(&member.id);
            write!(f, "{mark}{} at {} ({name})", member.client_id, host(member))?;
        }
        match self.0.len().saturating_sub(NAMED_MAX) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(state: &str, members: usize) -> Standing {
        let member = |number: usize| GroupMember {
            id: format!("id-{number}"),
            instance_id: (number == 1).then(|| "static".to_owned()),
            client_id: "reader".into(),
            client_host: "/10.0.0.1".into(),
            assignment: bytes::Bytes::new(),
        };
        Standing::Classic(DescribedGroup {
            state: state.into(),
            protocol_type: "consumer".into(),
            protocol: String::new(),
            members: (0..members).map(member).collect(),
        })
    }

    #[test]
    fn an_active_group_is_told_by_its_members() {
        let told = |standing: &Standing| standing.check_idle("g").unwrap_err().to_string();
        assert_eq!(
            told(&group("Stable", 2)),
            "g is active (Stable): reader at 10.0.0.1 (id-0), reader at 10.0.0.1 (static); \
             stop its members first"
        );
        let many = told(&group("PreparingRebalance", 12));
        assert!(many.contains("(id-9) and 2 more;"), "{many}");
        let other = Standing::Other {
            state: "Stable".into(),
            kind: "consumer".into(),
        };
        assert_eq!(told(&other), "g is active (Stable); stop its members first");
    }

    #[test]
    fn a_share_group_has_no_offsets_and_the_others_do() {
        let other = |kind: &str| Standing::Other {
            state: "Stable".into(),
            kind: kind.into(),
        };
        for kind in ["Share", "share"] {
            let told = other(kind).check_commits("g").unwrap_err().to_string();
            assert!(told.starts_with("g is a share group"), "{told}");
        }
        for standing in [other("Consumer"), group("Stable", 1), Standing::Absent] {
            assert!(standing.check_commits("g").is_ok(), "{standing:?}");
        }
    }

    #[test]
    fn a_group_without_members_is_idle() {
        for standing in [group("Empty", 0), group("Dead", 0), Standing::Absent] {
            assert!(standing.check_idle("g").is_ok(), "{standing:?}");
        }
    }
}
