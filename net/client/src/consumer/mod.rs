//! A consumer without sockets and clocks: partitions are assigned, requests go out, answers come
//! in, records are taken.
//!
//! ```text
//!  assign(partition, start) ─► offset wanted ─ ListOffsets ─► position known ─┐
//!                                   ▲                                         ▼
//!                                   └──── out of range ──── Fetch, one under way for each node
//!                                                                             │
//!                         next_record() ◄─ batch by batch ◄─ fetched bytes ◄──┘
//! ```
//!
//! Whoever owns the sockets calls [`Consumer::poll`] after each answer and whenever records were
//! taken, carries the orders to the nodes they name, and reports the answers. The next fetch of a
//! node is ordered as soon as the last one was answered, so it is under way while records are
//! taken. Assignment is manual: there are no groups here.
//!
//! Invariants:
//! 1. The records of one partition are given out in the order of their offsets, none twice, and
//!    none below the position that was asked for.
//! 2. A partition is part of at most one request at a time.
//! 3. Nothing is fetched while more than `buffer_max` bytes wait to be taken.

mod answers;
mod fetched;
mod machine;
mod options;
mod order;
mod polling;
#[cfg(test)]
mod tests;

pub use fetched::ConsumedRecord;
pub use machine::Consumer;
pub use options::{ConsumerOptions, OutOfRange, Start};
pub use order::{Order, OrderId, OrderRequest};
