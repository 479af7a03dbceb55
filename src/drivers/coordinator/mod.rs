//! Drives the coordinators of consumer groups: one for each partition of `__consumer_offsets`, on the
//! shard that owns the partition.
//!
//! ```text
//! handler ─► ask: which partition, which shard ─► seat of the partition ─► coordinator
//!                                                   │        ▲
//!                                                   ▼        │ durable
//!                                                 the partition's log
//! ```
//!
//! | file | noun |
//! |---|---|
//! | `coordinators` | the seats of one shard |
//! | `question` | the way from any shard to a coordinator and back |
//! | `seat` | one coordinator, its log, its timers, and those who wait for answers |
//! | `replay` | a coordinator as its log says |
//! | `topic` | the topic itself: how it is created, which group goes to which partition |

mod coordinators;
mod question;
mod replay;
mod seat;
mod topic;

pub use coordinators::Coordinators;
pub use question::{Asked, ask, committed, list};
pub use topic::{NoTopic, ensure_topic};
