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
    /// Returns the bounds of each store: a shard has one in every data directory, and what they may
    /// take together of memory and descriptors is the shard's.
    pub fn store_options(&self) -> StoreOptions {
        let journal_file_size_max = ByteCount(self.journal_size_max.0 / JOURNAL_FILES_MIN);
        let stores = self.data_dirs.len();
        let share = |whole: ByteCount| ByteCount(whole.0 / ByteCount::from(stores).0);
        let first = StoreOptions::default().journal_file_size;
        StoreOptions {
            journal_file_size: first.min(journal_file_size_max),
            journal_file_size_max,
            journal_size_max: self.journal_size_max,
            tail_size_max: share(self.tail_memory_max),
            open_files_max: self.segment_files_max / stores,
            index_cache_size_max: share(self.index_cache_max),
            reserve_size: self.disk_reserve,
            producer_expiry: self.producer_expiry,
            producers_max: self.producers_max / stores,
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

    #[test]
    fn the_stores_of_a_shard_share_its_memory_and_descriptors() {
        let one = NodeConfig::default().store_options();
        let four = NodeConfig::parse("", &["data.dir=a,b,c,d"]).unwrap();
        let four = four.store_options();
        assert_eq!(four.tail_size_max.0 * 4, one.tail_size_max.0);
        assert_eq!(four.index_cache_size_max.0 * 4, one.index_cache_size_max.0);
        assert_eq!(four.open_files_max * 4, one.open_files_max);
        assert_eq!(four.producers_max * 4, one.producers_max);
        assert_eq!(four.journal_size_max, one.journal_size_max);
        assert_eq!(four.reserve_size, one.reserve_size);
    }
}
