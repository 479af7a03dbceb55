//! What may be typed: the subcommands and their arguments.

mod command;
mod node;
mod records;
mod shared;
mod topic;

pub use command::{Args, Command};
pub use node::{Config, Dev, Doctor, Serve};
pub use records::{Codec, Consume, Produce, RecordFormat};
pub use shared::{Bootstrap, InvalidSetting, OutputFormat, Setting};
pub use topic::{Topic, TopicAction};
