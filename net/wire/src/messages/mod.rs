//! The messages: one file per API, request and response together.
//!
//! Each file holds a `Request` and a `Response` in the notation of [`crate::schema`]. Numbers are
//! as the wire has them: what -1 means is said beside each field, and error codes are those of
//! `types::error_code`. Produce and Fetch have, besides, a view of the request that allocates
//! nothing, and writers for their answers.

pub mod alter_client_quotas;
pub mod alter_configs;
pub mod api_versions;
pub mod create_partitions;
pub mod create_topics;
pub mod delete_records;
pub mod delete_topics;
pub mod describe_client_quotas;
pub mod describe_cluster;
pub mod describe_configs;
pub mod describe_log_dirs;
pub mod describe_producers;
pub mod describe_quorum;
pub mod describe_topic_partitions;
pub mod fetch;
pub mod incremental_alter_configs;
pub mod init_producer_id;
pub mod leader;
pub mod list_config_resources;
pub mod list_offsets;
pub mod metadata;
pub mod offset_for_leader_epoch;
pub mod produce;
pub mod topic;
