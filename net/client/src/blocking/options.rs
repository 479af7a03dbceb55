//! What may be set about a cluster that is spoken to.

use std::time::Duration;

/// How a client connects.
#[derive(Clone, Debug)]
pub struct ClusterOptions {
    /// What the client calls itself.
    pub client_id: String,
    /// How long a connection may take to be made, greeting included.
    pub connect_timeout: Duration,
    /// How long an answer may take.
    pub request_timeout: Duration,
    /// How long a topic that is being created may take to have leaders.
    pub topic_timeout: Duration,
    /// How long a group's coordinator may take to be there and ready.
    pub coordinator_timeout: Duration,
    /// The pause before asking again.
    pub retry_pause: Duration,
}

impl Default for ClusterOptions {
    fn default() -> Self {
        Self {
            client_id: "riverrun".to_owned(),
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_mins(1),
            topic_timeout: Duration::from_secs(30),
            coordinator_timeout: Duration::from_secs(30),
            retry_pause: Duration::from_millis(100),
        }
    }
}
