//! Configuration: one table of keys, from which everything else follows.
//!
//! A row gives a key its name, kind, range, unit, default and text. Reading the file, `--set`,
//! `config explain`, docs/config.md and the answers to DescribeConfigs all look at the same rows.
//! Where a key means what one of Kafka's means, it has Kafka's name.
//!
//! | file | what |
//! |---|---|
//! | `kind` | kinds of values: text in, checked value out |
//! | `key` | a row of the table; finding the nearest name |
//! | `topic_keys` | the rows that are defaults of topics too, and may change while the node runs |
//! | `node` | the other rows, and [`NodeConfig`] with a typed field for each |
//! | `file` | TOML and `--set key=value`, every error with its place |
//! | `layers` | who set a topic's config, in order of precedence |
//! | `topic` | [`TopicConfig`]: what is in force for one topic |
//! | `engine` | what the storage engine is told of it |
//! | `schema` | what the controller asks before it writes a config |
//! | `describe` | rows of an answer to DescribeConfigs |
//! | `document` | `config explain` and docs/config.md |

mod address;
mod describe;
mod document;
mod engine;
mod file;
mod key;
mod kind;
mod layers;
mod node;
mod schema;
#[cfg(test)]
mod tests;
mod topic;
mod topic_keys;

pub use address::Address;
pub use describe::{
    ConfigEntry, ConfigSynonym, ConfigType, describe_all_brokers, describe_broker, describe_topic,
};
pub use document::{explain, explain_all, markdown};
pub use file::{NodeConfigError, Place};
pub use key::{Key, UnknownKey};
pub use kind::{Kind, Unit, Value};
pub use layers::ConfigSource;
pub use node::{LogFormat, NodeConfig};
pub use schema::Schema;
pub use topic::TopicConfig;
