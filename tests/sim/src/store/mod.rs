//! One life of a node's stores, without a broker: appends, truncations, deleted prefixes, crashes.
//!
//! A single broker never truncates, and what replication will ask of the log must hold before it
//! comes. Here several stores run on one simulated host, their number changes from run to run as the
//! shards of a broker may, and a [`model`] of every log says what a restart may find.
//!
//! ```text
//!   life ── starts, crashes, closes ──► stores (DataDir, replay, ShardStore, Log)
//!                                          ▲
//!                         workload: appends, cuts, deletes, reads ──► model of each log
//! ```

mod life;
mod model;
mod script;
mod stores;
mod workload;

pub(crate) use life::live;
