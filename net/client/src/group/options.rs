//! What may be set about a member.

use std::time::Duration;

/// How a member takes part.
#[derive(Clone, Debug)]
pub struct MemberOptions {
    /// The group.
    pub group: String,
    /// The topics that it wants to read.
    pub topics: Vec<String>,
    /// Its own name, by which it comes back to what it had; `None` for a dynamic member.
    pub instance_id: Option<String>,
    /// After how long without a heartbeat it is taken for dead.
    pub session_timeout: Duration,
    /// How long it may take to join again.
    pub rebalance_timeout: Duration,
    /// The pause between heartbeats.
    pub heartbeat_interval: Duration,
    /// The pause before asking again after a retriable error.
    pub retry_pause: Duration,
}

impl MemberOptions {
    /// Makes the defaults for a group and topics.
    pub fn new(group: &str, topics: &[&str]) -> Self {
        Self {
            group: group.to_owned(),
            topics: topics.iter().map(|&topic| topic.to_owned()).collect(),
            instance_id: None,
            session_timeout: Duration::from_secs(45),
            rebalance_timeout: Duration::from_mins(1),
            heartbeat_interval: Duration::from_secs(3),
            retry_pause: Duration::from_millis(100),
        }
    }
}
