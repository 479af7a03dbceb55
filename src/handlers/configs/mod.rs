//! Configurations: told (DescribeConfigs 32, ListConfigResources 74) and changed (AlterConfigs 33,
//! IncrementalAlterConfigs 44).

mod alter;
mod describe;
mod resource;

pub use alter::{alter_configs, incremental_alter_configs};
pub use describe::{describe_configs, list_config_resources, of_created_topic};
