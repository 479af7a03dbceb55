//! What may be typed: the subcommands and their arguments.

mod command;
mod node;
mod quota;
mod records;
mod shared;
mod topic;

pub use command::{Args, Command};
pub use node::{Config, Dev, Doctor, Serve};
pub use quota::{Entity, Quota, QuotaAction};
pub use records::{Codec, Consume, Produce, RecordFormat};
pub use shared::{Bootstrap, InvalidRate, InvalidSetting, OutputFormat, Rate, Setting};
pub use topic::{Topic, TopicAction};
