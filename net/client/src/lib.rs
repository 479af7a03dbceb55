//! A client of any Kafka broker: enough of a producer, a consumer and an admin for the command
//! line and for tests.
//!
//! Two halves. The sans-IO half knows the protocol and no clock, socket or thread: requests come
//! out, answers go in, times are arguments. It runs in the simulator as it runs anywhere. The
//! [`blocking`] half carries its bytes over `std::net`.
//!
//! | module | half | what it is |
//! |---|---|---|
//! | [`connection`] | sans-IO | one connection: greeting, versions, answers in order |
//! | [`metadata`] | sans-IO | brokers, topics, leaders |
//! | [`producer`] | sans-IO | batches, acks, retries, idempotence |
//! | [`consumer`] | sans-IO | positions, fetches under way, records |
//! | [`group`] | sans-IO | membership: joins, heartbeats, parts, commits |
//! | [`admin`] | sans-IO | requests about topics, groups and quotas, and what the answers mean |
//! | [`blocking`] | blocking | all of these with sockets |

pub mod admin;
pub mod blocking;
pub mod connection;
pub mod consumer;
mod error;
pub mod group;
pub mod metadata;
mod partitioner;
pub mod producer;
mod versions;

pub use error::{BrokerError, Error, RecordsFault};
pub use partitioner::{Partitioner, murmur2};
pub use versions::Versions;
