//! What an admin asks, and what the answers mean: requests are made and answers read here, and
//! carried elsewhere.
//!
//! | module | about |
//! |---|---|
//! | `topics` | topics: create, delete, widen |
//! | `configs` | configurations of topics and brokers |
//! | `leaders` | elections, and the offsets that leaders know |
//! | `groups` | groups, their coordinators and members |
//! | `committed` | the offsets that groups have committed |
//! | `quotas` | how much clients may ask |
//!
//! Every answer has one result for each thing asked for, because a broker may do one and refuse
//! another.

mod committed;
mod configs;
mod groups;
mod leaders;
mod quotas;
mod topics;

use std::collections::BTreeMap;
use std::time::Duration;

pub use committed::{
    Committed, NAMES_VERSION_MAX, commit_offsets, committed_offsets, delete_offsets,
    offsets_committed, offsets_deleted, offsets_of_group,
};
pub use configs::{
    Config, ConfigChange, ConfigResource, alter_configs, configs, configs_altered, describe_configs,
};
pub use groups::{
    DescribedGroup, GroupMember, LeavingMember, ListedGroup, MemberResults, coordinator_found,
    delete_group, describe_group, find_coordinator, group_deleted, group_described, groups_listed,
    list_groups, members_removed, remove_members,
};
pub use leaders::{Election, OffsetQuery, elect_leaders, leaders_elected, list_offsets, offsets};
pub use quotas::{
    EntityFilter, QuotaChange, QuotaEntity, Quotas, alter_quotas, describe_quotas, quotas,
    quotas_altered,
};
pub use topics::{
    CreatedTopic, NewTopic, create_topics, delete_topics, topics_created, topics_deleted,
    topics_widened, widen_topic,
};

use crate::error::BrokerError;

/// One result for each name, in the order of the answer.
pub type Results<T> = Vec<(String, Result<T, BrokerError>)>;

/// A topic, by name, and the number of a partition of it.
pub type Place = (String, i32);

/// One result for each partition.
pub type PlaceResults<T> = BTreeMap<Place, Result<T, BrokerError>>;

/// Tells the partitions of each topic.
fn by_topic<'a>(places: impl IntoIterator<Item = &'a Place>) -> BTreeMap<&'a str, Vec<i32>> {
    let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for (topic, partition) in places {
        topics.entry(topic).or_default().push(*partition);
    }
    topics
}

fn milliseconds(duration: Duration) -> i32 {
    i32::try_from(duration.as_millis()).unwrap_or(i32::MAX)
}

/// Writes a request in every version that is served.
#[cfg(test)]
fn in_all<M: wire::Message>(message: &M) {
    let served = M::KEY.api().served;
    in_versions(message, served.min..=served.max);
}

/// Writes a request in some versions.
#[cfg(test)]
fn in_versions<M: wire::Message>(message: &M, mut versions: std::ops::RangeInclusive<i16>) {
    assert!(versions.all(|version| message.encode(version).is_ok()));
}
