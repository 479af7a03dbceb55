//! Consumer groups: each request goes to the coordinator of its group and comes back as its answer.
//!
//! | file | APIs |
//! |---|---|
//! | `find` | FindCoordinator (10) |
//! | `membership` | JoinGroup (11), Heartbeat (12), LeaveGroup (13), SyncGroup (14) |
//! | `commit` | OffsetCommit (8), OffsetDelete (47) |
//! | `fetch` | OffsetFetch (9) |
//! | `admin` | DescribeGroups (15), ListGroups (16), DeleteGroups (42) |
//!
//! Asking is the first stage of an answer, so that a connection's requests reach a coordinator in
//! their order; waiting is the second.

mod admin;
mod commit;
mod fetch;
mod find;
mod membership;

use coordinator::GroupError;
use types::ErrorCode;

use crate::handlers::failure;

pub(super) use admin::{delete_groups, describe_groups, list_groups};
pub(super) use commit::{offset_commit, offset_delete};
pub(super) use fetch::offset_fetch;
pub(super) use find::find_coordinator;
pub(super) use membership::{heartbeat, join_group, leave_group, sync_group};

/// Returns the code of a result: 0 if it went well.
fn code_of<T>(result: &Result<T, GroupError>) -> i16 {
    result.as_ref().err().map_or(0, |error| code(*error))
}

fn code(error: GroupError) -> i16 {
    failure::group_code(error).code()
}

/// Reads a text that a client chose.
///
/// *Errors*: 42 if it is longer than a record could hold.
fn parse<T: std::str::FromStr>(text: &str) -> Result<T, ErrorCode> {
    text.parse().map_err(|_| ErrorCode::InvalidRequest)
}

/// Reads a text that a client may leave out.
fn parse_optional<T: std::str::FromStr>(text: Option<&str>) -> Result<Option<T>, ErrorCode> {
    text.map(parse).transpose()
}
