//! Coordinates consumer groups: who is a member, who reads what, and how far each group has read.
//!
//! A log-backed machine without I/O, clock or randomness: one [`Coordinator`] for each partition of
//! `__consumer_offsets`. Its state has two parts. The *logged* state is what the records of that
//! partition add up to: the last generation of every group, and its offsets. The *soft* state is who
//! is joining, waiting and silent; it is lost with the process, and members join again.
//!
//! ```text
//! request(token) ─┐                  ┌─► Reply(token)
//! expire()       ─┼─► rules ─────────┤
//!                 │   soft state     └─► Append(ticket) ──► __consumer_offsets, durable
//!                 │      ▲                                        │
//!                 │      │ effect                                 │
//!                 └── committed(ticket) ◄─────────────────────────┘
//!                        │
//!                      apply(record) ──► logged state ◄── apply(record), replay
//! ```
//!
//! What the caller does: it appends what it is told to, in order, each append all or nothing; calls
//! `committed` or `failed` for each ticket, in order; calls `expire` when the `deadline` has come;
//! and hands answers to whom they are for. After a restart it makes a coordinator of the newest
//! snapshot, applies every later record, calls `loaded`, and only then has requests answered.
//!
//! Invariants:
//! 1. `apply` is the only writer of the logged state; equal records make equal states.
//! 2. What a client is told was done is durable: commits, deletions, assignments, a last member's
//!    leaving.
//! 3. While a record of a group is on its way, whatever else concerns the group waits its turn.
//! 4. Every token is answered once.
//! 5. What clients make the coordinator remember is bounded by [`Settings`].
//!
//! Where Kafka leaves a request without an answer for ever, because a later one of the same member
//! took its place, the earlier one is told that a rebalance is going on.
//!
//! | module | what |
//! |---|---|
//! | [`Coordinator`] | the machine |
//! | `request`, `response`, `action` | what may be asked, what is answered, what is to be done |
//! | `rules` | one file for each kind of request |
//! | `group` | a group as it runs: the soft state |
//! | `logged` | what the log says: the logged state |
//! | [`record`] | the records and their bytes: Kafka's |
//! | `snapshot` | the logged state as bytes |
//! | `lanes`, `timers` | the order within a group, and deadlines |
//! | `placement` | which coordinator is a group's |

mod action;
mod coordinator;
mod deleted;
mod error;
mod group;
mod lanes;
mod logged;
pub mod mutants;
mod placement;
pub mod record;
mod request;
mod response;
mod rules;
mod settings;
mod snapshot;
mod subscription;
mod text;
mod timers;

pub use action::{Action, Now, Ticket};
pub use coordinator::Coordinator;
pub use deleted::{TopicDeleted, TopicsDeleted};
pub use error::{AppendFailure, GroupError};
pub use logged::{Logged, LoggedGroup, Offsets};
pub use record::{Record, RecordBytes};
pub use request::{
    Claim, Heartbeat, Join, KnownMember, Leave, LeavingMember, List, MissingGroup, NewOffset,
    OffsetCommit, OffsetDelete, OffsetFetch, Protocol, Request, SkipAssignment, Stability, Sync,
    Token, Wanted, WantedTopic,
};
pub use response::{
    Described, DescribedMember, FetchedTopic, GroupState, JoinRefusal, Joined, JoinedMember,
    Listed, Response, Synced,
};
pub use settings::Settings;
pub use snapshot::SnapshotError;
pub use text::{Blob, GroupId, InstanceId, MemberId, TEXT_SIZE_MAX, Text, TextTooLong};
