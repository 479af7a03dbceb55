//! A member of a consumer group without sockets and clocks: requests go out, answers come in, and
//! events tell which partitions are the member's.
//!
//! ```text
//!   FindCoordinator ─► JoinGroup ─► SyncGroup ─► OffsetFetch ─► Assigned
//!                          ▲                                       │
//!                          │                                 Heartbeat, OffsetCommit
//!                          └── Revoked ◄── rebalance ──────────────┤
//!                          └── Lost ◄───── fenced, forgotten ──────┘
//! ```
//!
//! Whoever owns the sockets carries what [`Member::poll`] orders, one order at a time, reports the
//! answer, and takes the events. The member speaks the classic protocol, gives up all it has when
//! the group rebalances, and shares out by range if it leads. A topic that grows is noticed at the
//! next rebalance.
//!
//! Invariants:
//! 1. At most one order is under way.
//! 2. What is [`GroupEvent::Assigned`] is revoked or lost before the member joins again, and nothing
//!    is ordered before that event was taken: what it makes known can still be committed.
//! 3. Offsets are committed only in the generation in which they were read.

mod answers;
mod assignor;
mod machine;
mod options;
mod order;
#[cfg(test)]
mod tests;

pub use machine::{GroupEvent, Member};
pub use options::MemberOptions;
pub use order::{Order, OrderId, OrderRequest};
