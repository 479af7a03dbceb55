//! Consumer groups: each request goes to the coordinator of its group and comes back as its answer.
//!
//! | file | APIs |
//! |---|---|
//! | `find` | FindCoordinator (10) |
//! | `membership` | JoinGroup (11), Heartbeat (12), LeaveGroup (13), SyncGroup (14) |
//! | `commit` | OffsetCommit (8), OffsetDelete (47) |
//! | `fetch` | OffsetFetch (9) |
//! | `words` | what of a request is text, and what of an answer is a code |
//! | `admin` | DescribeGroups (15), ListGroups (16), DeleteGroups (42) |
//!
//! Asking is the first stage of an answer, so that a connection's requests reach a coordinator in
//! their order; waiting is the second.

mod admin;
mod commit;
mod fetch;
mod find;
mod membership;
mod words;

pub(super) use admin::{delete_groups, describe_groups, list_groups};
pub(super) use commit::{offset_commit, offset_delete};
pub(super) use fetch::offset_fetch;
pub(super) use find::find_coordinator;
pub(super) use membership::{heartbeat, join_group, leave_group, sync_group};
