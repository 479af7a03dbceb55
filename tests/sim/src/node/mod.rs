//! One life of a whole node: the real broker on a simulated machine, clients on others.
//!
//! ```text
//!   life ── starts, crashes, stops ──► broker (riverrun::broker::run_shard, n shards, one disk)
//!    │                                   ▲ ▲ ▲      simulated TCP, the real protocol
//!    └── starts ──► client hosts ── tenants: one topic each, from creation to deletion
//!                                      ├── producers   several streams, windows, retries
//!                                      ├── consumers   read along, seek back
//!                                      ├── groups      members that come, go, vanish and commit
//!                                      └── tinkerers   configs, DeleteRecords, partitions
//!                                             │
//!                                  all that they see goes into the history
//! ```
//!
//! At the end everything heals, producers finish what they began, and an audit reads every log.

mod admin;
mod audit;
mod broker;
mod committer;
mod consumer;
mod desk;
mod directories;
mod group;
mod life;
mod link;
mod member;
mod offsets;
mod producer;
mod script;
mod stream;
mod tenant;
mod tinkerer;
mod told;

pub(crate) use life::live;
