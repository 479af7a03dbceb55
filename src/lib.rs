//! The broker: where the engine, the network and the decisions meet.
//!
//! ```text
//! cli ──► broker ──► node ──► handlers ──► partition ──► storage::Log
//!            │         │          │            ▲
//!            │         └── peer ──┴─ crossing ─┘   (the same calls, from another core)
//!            └──► drivers/controller ──► controller (decides), storage::MetadataLog (keeps)
//! ```
//!
//! | module | what |
//! |---|---|
//! | [`cli`] | the command line |
//! | [`config`] | one table of keys for the node, one for topics |
//! | [`broker`] | assembly: builds a node in start order, takes it down again |
//! | [`start_error`] | what keeps a node from starting |
//! | [`node`] | one shard with its connections |
//! | [`shard`] | what one core owns: partitions, metadata, its end of the mesh |
//! | [`intake`] | what a producer sent, made into what a log takes |
//! | [`stores`] | a shard's stores, one in each data directory |
//! | [`directories`] | the node's data directories at its start and stop |
//! | [`router`] | which shard owns a partition |
//! | [`crossing`] | the one enum of everything that may cross cores |
//! | [`peer`] | answers what other shards ask |
//! | [`quotas`] | what clients use, and how long they wait |
//! | [`internal_topics`] | the topics that are the broker's own |
//! | [`partition`] | a log and the rules of its topic |
//! | [`handlers`] | one function per API |
//! | [`drivers`] | the loop around the controller |
//! | [`metrics`], [`admin`] | what a node tells of itself, and the port where it does |

pub mod admin;
pub mod broker;
mod causes;
pub mod cli;
pub mod config;
pub mod crossing;
pub mod directories;
pub mod drivers;
pub mod handlers;
pub mod intake;
pub mod internal_topics;
pub mod metrics;
pub mod node;
pub mod partition;
pub mod peer;
pub mod producer_ids;
pub mod quotas;
pub mod read_each;
pub mod router;
pub mod shard;
pub mod start_error;
pub mod stores;
pub mod waits;
