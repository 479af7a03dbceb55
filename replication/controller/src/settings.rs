//! What the controller is told at start.

use types::limits::{
    CLUSTER_PARTITIONS_MAX, CLUSTER_QUOTA_ENTITIES_MAX, CLUSTER_TOPICS_MAX, REQUEST_PARTITIONS_MAX,
};

/// Defaults and bounds. Only `decide` looks at it, so it may differ between runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Partitions of a topic whose creator does not say.
    pub default_partitions: usize,
    /// Replicas of a partition whose creator does not say.
    pub default_replicas: usize,
    /// How many topics there may be.
    pub topics_max: usize,
    /// How many partitions there may be, over all topics.
    pub partitions_max: usize,
    /// How many partitions one request may create.
    pub request_partitions_max: usize,
    /// How many entities may have quotas.
    pub quota_entities_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            default_partitions: 1,
            default_replicas: 1,
            topics_max: CLUSTER_TOPICS_MAX,
            partitions_max: CLUSTER_PARTITIONS_MAX,
            request_partitions_max: REQUEST_PARTITIONS_MAX,
            quota_entities_max: CLUSTER_QUOTA_ENTITIES_MAX,
        }
    }
}
