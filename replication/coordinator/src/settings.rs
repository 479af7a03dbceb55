//! What the coordinator is told at start. Names are Kafka's where Kafka has one.

use std::time::Duration;

use types::ByteCount;

/// Rules and bounds of one coordinator. Replay looks at none of them, so they may differ between
/// runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The most members of a group: `group.max.size`.
    pub group_max_size: usize,
    /// The shortest session: `group.min.session.timeout.ms`.
    pub group_min_session_timeout: Duration,
    /// The longest session: `group.max.session.timeout.ms`.
    pub group_max_session_timeout: Duration,
    /// How long an empty group waits for more members: `group.initial.rebalance.delay.ms`.
    pub group_initial_rebalance_delay: Duration,
    /// The longest note beside an offset, in characters: `offset.metadata.max.bytes`.
    pub offset_metadata_max_bytes: usize,
    /// How long offsets are kept that nobody uses: `offsets.retention.minutes`.
    pub offsets_retention: Duration,
    /// How often they are looked for: `offsets.retention.check.interval.ms`.
    pub offsets_retention_check_interval: Duration,
    /// The most groups of this coordinator.
    pub groups_max: usize,
    /// The most offsets of this coordinator; one with a long note counts for several.
    pub offsets_max: usize,
    /// The most that the members of one group may say in joining, names and all.
    pub group_members_bytes_max: ByteCount,
    /// The same for the members of all groups of this coordinator, and what they are assigned.
    pub members_bytes_max: ByteCount,
    /// The most members of one group that were given an id and have not joined with it yet.
    pub group_pending_max: usize,
    /// The most requests that wait for one group's record.
    pub group_waiting_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            // Kafka has no bound; this one keeps a generation's record within a batch.
            group_max_size: 5_000,
            group_min_session_timeout: Duration::from_secs(6),
            group_max_session_timeout: Duration::from_mins(30),
            group_initial_rebalance_delay: Duration::from_secs(3),
            offset_metadata_max_bytes: 4_096,
            offsets_retention: Duration::from_hours(7 * 24),
            offsets_retention_check_interval: Duration::from_mins(10),
            groups_max: 10_000,
            offsets_max: 1_000_000,
            group_members_bytes_max: ByteCount::mib(4),
            members_bytes_max: ByteCount::mib(128),
            group_pending_max: 10_000,
            group_waiting_max: 20_000,
        }
    }
}
