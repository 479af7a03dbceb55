//! The client with sockets: threads, `std::net`, and blocking calls.
//!
//! ```text
//!   Producer   Consumer   Admin   GroupConsumer      one thread, the caller's
//!        └────────┼────────┴───────────┘
//!              Cluster ── metadata, a link to each node that is spoken to
//!               │    ▲
//!        writes │    │ whole frames, through one channel
//!               ▼    │
//!             socket ─ a reading thread each
//! ```
//!
//! A reading thread for each socket is what lets one caller wait for several brokers with nothing
//! but the standard library; it never waits for the caller unless the channel is full.

mod admin;
mod clock;
mod cluster;
mod consumer;
mod describe;
mod exchange;
mod group_consumer;
mod groups;
mod link;
mod options;
mod producer;

pub use admin::Admin;
pub use clock::wall_clock;
pub use cluster::{Cluster, Peer};
pub use consumer::Consumer;
pub use exchange::{Event, RequestId};
pub use group_consumer::GroupConsumer;
pub use options::ClusterOptions;
pub use producer::Producer;
