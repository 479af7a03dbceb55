//! What an admin asks, and what the answers mean: requests are made and answers read here, and
//! carried elsewhere.
//!
//! | module | about |
//! |---|---|
//! | `topics` | topics: create, delete, widen |
//! | `configs` | configurations of topics and brokers |
//! | `leaders` | elections, and the offsets that leaders know |
//! | `cluster` | the cluster as a whole: brokers, features, directories |
//! | `groups` | groups, their coordinators and members |
//! | `committed` | the offsets that groups have committed |
//! | `quotas` | how much clients may ask |
//! | `results` | one result for each thing asked for |
//!
//! Every answer has one result for each thing asked for, because a broker may do one and refuse
//! another.

mod cluster;
mod committed;
mod configs;
mod groups;
mod leaders;
mod quotas;
mod results;
mod topics;

pub use cluster::{
    DescribedBroker, DescribedCluster, Feature, LogDirectory, cluster_described, describe_cluster,
    describe_features, describe_log_directories, describe_quorum, features_described,
    log_directories_described, quorum_leader,
};
pub use committed::{
    Committed, NAMES_VERSION_MAX, commit_offsets, committed_offsets, delete_offsets,
    offsets_committed, offsets_deleted, offsets_of_group,
};
pub use configs::{
    Config, ConfigChange, ConfigResource, ConfigSource, alter_configs, configs, configs_altered,
    describe_configs,
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
pub use results::{Place, PlaceResults, Results};
pub(crate) use results::{by_topic, milliseconds, places};
pub use topics::{
    CreatedTopic, NewTopic, create_topics, delete_topics, topics_created, topics_deleted,
    topics_widened, widen_topic,
};
