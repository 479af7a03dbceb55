//! What may be typed: the subcommands and their arguments.

mod cluster;
mod command;
mod config;
mod group;
mod node;
mod quota;
mod records;
mod shared;
mod topic;

pub use cluster::{Cluster, ClusterAction};
pub use command::{Args, Command};
pub use config::{Config, ConfigOwner, ConfigPlace};
pub use group::{Group, GroupAction, InvalidTopicPart, Reset, ResetScope, ResetTarget, TopicPart};
pub use node::{Dev, Doctor, Serve};
pub use quota::{Entity, Quota, QuotaAction};
pub use records::{Codec, Consume, Produce, RecordFormat};
pub use shared::{Bootstrap, InvalidRate, InvalidSetting, OutputFormat, Rate, Setting};
pub use topic::{Topic, TopicAction};
