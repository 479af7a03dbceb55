//! The topics that are the broker's own: clients do not write to them, and what is deleted there is not
//! for their configs to say.

/// The topic of the groups, as in Kafka.
pub const OFFSETS_TOPIC: &str = "__consumer_offsets";

/// *Source*: Kafka's `Topic.INTERNAL_TOPICS`.
const INTERNAL_TOPICS: &[&str] = &[OFFSETS_TOPIC, "__transaction_state"];

/// Returns whether only the broker itself may write to a topic of this name, and delete from it.
pub fn is_internal(name: &str) -> bool {
    INTERNAL_TOPICS.contains(&name)
}
