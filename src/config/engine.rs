//! What the storage engine is told of the configuration.

use storage::{LogConfig, StoreOptions};
use types::ByteCount;

use super::node::NodeConfig;
use super::topic::TopicConfig;

/// The journal is a ring of at least so many files.
const JOURNAL_FILES_MIN: u64 = 4;

impl TopicConfig {
    /// Returns the settings of the logs of this topic.
    pub fn log(&self) -> LogConfig {
        LogConfig {
            segment_size_max: self.segment_size_max(),
            segment_age_max: self.segment_age_max(),
            retention_size: self.retention_size(),
            retention_age: self.retention_age(),
            index_interval: self.index_interval(),
            timestamp_type: self.timestamp_type(),
            durability: self.durability(),
        }
    }
}

impl NodeConfig {
    /// Returns the bounds of each shard's store.
    pub fn store_options(&self) -> StoreOptions {
        let journal_file_size_max = ByteCount(self.journal_size_max.0 / JOURNAL_FILES_MIN);
        let first = StoreOptions::default().journal_file_size;
        StoreOptions {
            journal_file_size: first.min(journal_file_size_max),
            journal_file_size_max,
            journal_size_max: self.journal_size_max,
            tail_size_max: self.tail_memory_max,
            open_files_max: self.segment_files_max,
            index_cache_size_max: self.index_cache_max,
            reserve_size: self.disk_reserve,
            producer_expiry: self.producer_expiry,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_of_the_keys_are_those_of_the_engine() {
        assert_eq!(
            NodeConfig::default().store_options(),
            StoreOptions::default()
        );
    }
}
