//! The notation of both messages of an API, by its key.

use bytes::Bytes;
use types::ByteCount;
use wire::api::{ApiKey, VersionRange};
use wire::header::{RequestHeader, ResponseHeader};
use wire::primitive::{Layout, Text, Writer};
use wire::schema::{Call, Field, Structure};
use wire::{Malformed, Unencodable, messages};

use crate::codec;
use crate::tree::Tree;

/// The notation of the two messages of an API.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Notation {
    /// The request's fields.
    pub(crate) request: &'static [Field],
    /// The answer's fields.
    pub(crate) response: &'static [Field],
}

const fn notation<C: Call>() -> Notation {
    Notation {
        request: C::FIELDS,
        response: <C::Response as Structure>::FIELDS,
    }
}

macro_rules! notations {
    ($($key:ident = $module:ident),* $(,)?) => {
        /// Returns the notation of an API.
        pub(crate) const fn of(key: ApiKey) -> Notation {
            match key {
                $(ApiKey::$key => notation::<messages::$module::Request>(),)*
            }
        }
    };
}

notations! {
    Produce = produce,
    Fetch = fetch,
    ListOffsets = list_offsets,
    Metadata = metadata,
    OffsetCommit = offset_commit,
    OffsetFetch = offset_fetch,
    FindCoordinator = find_coordinator,
    JoinGroup = join_group,
    Heartbeat = heartbeat,
    LeaveGroup = leave_group,
    SyncGroup = sync_group,
    DescribeGroups = describe_groups,
    ListGroups = list_groups,
    ApiVersions = api_versions,
    CreateTopics = create_topics,
    DeleteTopics = delete_topics,
    DeleteRecords = delete_records,
    InitProducerId = init_producer_id,
    OffsetForLeaderEpoch = offset_for_leader_epoch,
    DescribeAcls = describe_acls,
    CreateAcls = create_acls,
    DeleteAcls = delete_acls,
    DescribeConfigs = describe_configs,
    AlterConfigs = alter_configs,
    AlterReplicaLogDirs = alter_replica_log_dirs,
    DescribeLogDirs = describe_log_dirs,
    CreatePartitions = create_partitions,
    DeleteGroups = delete_groups,
    ElectLeaders = elect_leaders,
    IncrementalAlterConfigs = incremental_alter_configs,
    AlterPartitionReassignments = alter_partition_reassignments,
    ListPartitionReassignments = list_partition_reassignments,
    OffsetDelete = offset_delete,
    DescribeClientQuotas = describe_client_quotas,
    AlterClientQuotas = alter_client_quotas,
    DescribeUserScramCredentials = describe_user_scram_credentials,
    AlterUserScramCredentials = alter_user_scram_credentials,
    DescribeQuorum = describe_quorum,
    UpdateFeatures = update_features,
    DescribeCluster = describe_cluster,
    DescribeProducers = describe_producers,
    UnregisterBroker = unregister_broker,
    DescribeTransactions = describe_transactions,
    ListTransactions = list_transactions,
    ListConfigResources = list_config_resources,
    DescribeTopicPartitions = describe_topic_partitions,
}

/// Which API in which version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Form {
    /// The API.
    pub(crate) key: ApiKey,
    /// The version.
    pub(crate) version: i16,
}

impl Form {
    /// Returns the versions that are asked of brokers.
    pub(crate) const fn versions(key: ApiKey) -> VersionRange {
        key.api().served
    }

    fn layout(self) -> Layout {
        Layout {
            version: self.version,
            flexible: self.key.api().is_flexible(self.version),
        }
    }

    /// Writes a whole frame, its length in front.
    pub(crate) fn request(
        self,
        correlation_id: i32,
        client_id: &str,
        body: &Tree,
    ) -> Result<Vec<u8>, Unencodable> {
        let header = RequestHeader {
            key: self.key,
            version: self.version,
            correlation_id,
            client_id: Text::new(Bytes::copy_from_slice(client_id.as_bytes())),
        };
        let mut frame = Writer::new();
        header.encode(&mut frame)?;
        let body = codec::encode(body, of(self.key).request, self.layout())?;
        frame.bytes(&body.into_bytes());
        let frame = frame.into_bytes();
        let mut whole = u32::try_from(frame.len())
            .unwrap_or(u32::MAX)
            .to_be_bytes()
            .to_vec();
        whole.extend_from_slice(&frame);
        Ok(whole)
    }

    /// Reads a whole frame, which comes without its length.
    pub(crate) fn response(self, frame: &Bytes) -> Result<(i32, Tree), Malformed> {
        let (header, body) = ResponseHeader::parse(frame, self.key.api(), self.version)?;
        let tree = codec::decode(&body, of(self.key).response, self.layout())?;
        Ok((header.correlation_id, tree))
    }
}

/// The longest answer that is read.
pub(crate) const ANSWER_SIZE_MAX: ByteCount = ByteCount::mib(64);
