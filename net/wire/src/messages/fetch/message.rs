//! Request and response of Fetch in the notation.

use bytes::Bytes;
use types::ids::TopicId;

use crate::messages::leader::{LeaderIdAndEpoch, NodeEndpoint};
use crate::schema::{call, message};

call!(Fetch);

/// The first version that names topics by id.
pub(super) const TOPIC_ID_VERSION: i16 = 13;

/// The first version that tells clients where the leaders are reached.
pub(super) const ENDPOINTS_VERSION: i16 = 16;

message! {
    /// Asks for records.
    pub struct Request {
        /// The follower that asks; -1 for a client.
        pub replica_id: i32 [0-14] default (-1),
        /// How long to wait for `min_bytes`, in milliseconds.
        pub max_wait_ms: i32 [0+],
        /// How many bytes to wait for.
        pub min_bytes: i32 [0+],
        /// How many bytes to send at most; the first batch is sent whole in any case.
        pub max_bytes: i32 [3+ ignorable] default (i32::MAX),
        /// 0: what is written; 1: what is committed.
        pub isolation_level: i8 [4+ ignorable] default (0),
        /// The session; 0 for none, or to open one.
        pub session_id: i32 [7+ ignorable] default (0),
        /// The request's number in its session: 0 opens one, -1 closes it.
        pub session_epoch: i32 [7+ ignorable] default (-1),
        /// The partitions; in a session those that changed.
        pub topics: Vec<Topic> [0+],
        /// The partitions to be taken out of the session.
        pub forgotten_topics_data: Vec<ForgottenTopic> [7+],
        /// The client's rack.
        pub rack_id: String [11+ ignorable] default (String::new()),
        /// The cluster's id, from followers.
        pub cluster_id: Option<String> [12+ tag 0 ignorable] null [12+],
        /// The follower that asks.
        pub replica_state: ReplicaState [15+ tag 1],
    }
}

message! {
    /// A follower and its life.
    pub struct ReplicaState {
        /// Its id; -1 for a client.
        pub replica_id: i32 [15+] default (-1),
        /// Its epoch; -1 if it has none.
        pub replica_epoch: i64 [15+] default (-1),
    }
}

message! {
    /// A topic asked for.
    pub struct Topic {
        /// Its name.
        pub topic: String [0-12 ignorable],
        /// Its id.
        pub topic_id: TopicId [13+ ignorable] default (TopicId::ZERO),
        /// Its partitions.
        pub partitions: Vec<Partition> [0+],
    }
}

message! {
    /// A partition asked for.
    pub struct Partition {
        /// Its number.
        pub partition: i32 [0+],
        /// The leader epoch that the client knows; -1 if none.
        pub current_leader_epoch: i32 [9+ ignorable] default (-1),
        /// The first offset wanted.
        pub fetch_offset: i64 [0+],
        /// The epoch of the last record that a follower has; -1 for a client.
        pub last_fetched_epoch: i32 [12+] default (-1),
        /// The first offset that a follower has; -1 for a client.
        pub log_start_offset: i64 [5+ ignorable] default (-1),
        /// How many bytes to send of this partition.
        pub partition_max_bytes: i32 [0+],
        /// The directory of a follower.
        pub replica_directory_id: [u8; 16] [17+ tag 0 ignorable],
        /// The high watermark that a follower knows.
        pub high_watermark: i64 [18+ tag 1 ignorable] default (i64::MAX),
    }
}

message! {
    /// A topic of which partitions leave the session.
    pub struct ForgottenTopic {
        /// Its name.
        pub topic: String [7-12 ignorable],
        /// Its id.
        pub topic_id: TopicId [13+ ignorable] default (TopicId::ZERO),
        /// The partitions.
        pub partitions: Vec<i32> [7+],
    }
}

message! {
    /// Tells records.
    pub struct Response {
        /// How long the client is asked to keep still, in milliseconds.
        pub throttle_time_ms: i32 [1+ ignorable],
        /// Why there is no answer at all, or 0.
        pub error_code: i16 [7+ ignorable],
        /// The session; 0 for none.
        pub session_id: i32 [7+] default (0),
        /// The topics; in a session those with something new.
        pub responses: Vec<TopicResponse> [0+],
        /// Where the leaders named in this answer are reached.
        pub node_endpoints: Vec<NodeEndpoint> [16+ tag 0],
    }
}

message! {
    /// A topic answered.
    pub struct TopicResponse {
        /// Its name.
        pub topic: String [0-12 ignorable],
        /// Its id.
        pub topic_id: TopicId [13+ ignorable] default (TopicId::ZERO),
        /// Its partitions.
        pub partitions: Vec<PartitionResponse> [0+],
    }
}

message! {
    /// A partition answered.
    pub struct PartitionResponse {
        /// Its number.
        pub partition_index: i32 [0+],
        /// Why there are no records, or 0.
        pub error_code: i16 [0+],
        /// The first offset that consumers may not read yet; -1 with an error.
        pub high_watermark: i64 [0+],
        /// The first offset that consumers of committed records may not read yet; -1 if unknown.
        pub last_stable_offset: i64 [4+ ignorable] default (-1),
        /// The first offset of the log; -1 if unknown.
        pub log_start_offset: i64 [5+ ignorable] default (-1),
        /// The aborted transactions among these records; null if not reading committed.
        pub aborted_transactions: Option<Vec<AbortedTransaction>> [4+ ignorable] null [4+],
        /// The replica that the client should read from instead; -1 for none.
        pub preferred_read_replica: i32 [11+] default (-1),
        /// Record batches; the last one may be cut short.
        pub records: Option<Bytes> [0+] null [0+],
        /// Where the log of a follower departs from the leader's.
        pub diverging_epoch: EpochEndOffset [12+ tag 0],
        /// Who leads the partition, beside "not the leader".
        pub current_leader: LeaderIdAndEpoch [12+ tag 1],
        /// The snapshot that a follower should read instead.
        pub snapshot_id: SnapshotId [12+ tag 2],
    }
}

message! {
    /// The end of an epoch.
    pub struct EpochEndOffset {
        /// The epoch; -1 for none.
        pub epoch: i32 [12+] default (-1),
        /// The first offset behind it; -1 for none.
        pub end_offset: i64 [12+] default (-1),
    }
}

message! {
    /// A snapshot of the metadata log.
    pub struct SnapshotId {
        /// The first offset behind it; -1 for none.
        pub end_offset: i64 [0+] default (-1),
        /// The epoch of its last record; -1 for none.
        pub epoch: i32 [0+] default (-1),
    }
}

message! {
    /// An aborted transaction.
    pub struct AbortedTransaction {
        /// Its producer.
        pub producer_id: i64 [4+],
        /// Its first record.
        pub first_offset: i64 [4+],
    }
}
