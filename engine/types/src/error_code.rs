//! The error codes of the Kafka protocol, as far as this broker raises or its client meets them.
//!
//! *Source*: the error table of the protocol; names and retriability as in Kafka 4.3's `Errors`.

use std::fmt;

macro_rules! error_codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $text:literal, $retriable:literal;)*) => {
        /// An error code of the protocol.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(i16)]
        pub enum ErrorCode {
            $($(#[$doc])* $name = $code,)*
        }

        impl ErrorCode {
            /// Every code of the table, in numeric order.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Returns the code of a number from the wire; `None` if it is not in the table.
            pub fn from_wire(code: i16) -> Option<Self> {
                match code {
                    $($code => Some(Self::$name),)*
                    _ => None,
                }
            }

            /// Returns the name that Kafka's documentation uses.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// Returns whether a client may send the same request again.
            pub fn is_retriable(self) -> bool {
                match self {
                    $(Self::$name => $retriable,)*
                }
            }
        }
    };
}

error_codes! {
    /// A broken invariant of ours; the log says more.
    UnknownServerError = -1, "UNKNOWN_SERVER_ERROR", false;
    /// Success.
    None = 0, "NONE", false;
    /// Below the log start or beyond the high watermark.
    OffsetOutOfRange = 1, "OFFSET_OUT_OF_RANGE", false;
    /// A checksum did not match.
    CorruptMessage = 2, "CORRUPT_MESSAGE", true;
    /// No such topic or partition here.
    UnknownTopicOrPartition = 3, "UNKNOWN_TOPIC_OR_PARTITION", true;
    /// A negative byte limit.
    InvalidFetchSize = 4, "INVALID_FETCH_SIZE", false;
    /// The partition has no leader yet.
    LeaderNotAvailable = 5, "LEADER_NOT_AVAILABLE", true;
    /// This node does not lead the partition.
    NotLeaderOrFollower = 6, "NOT_LEADER_OR_FOLLOWER", true;
    /// Not done within the time the request allows.
    RequestTimedOut = 7, "REQUEST_TIMED_OUT", true;
    /// No replica of this partition here.
    ReplicaNotAvailable = 9, "REPLICA_NOT_AVAILABLE", true;
    /// Larger than max.message.bytes.
    MessageTooLarge = 10, "MESSAGE_TOO_LARGE", false;
    /// More text beside an offset than a group may keep.
    OffsetMetadataTooLarge = 12, "OFFSET_METADATA_TOO_LARGE", false;
    /// The connection broke before the answer.
    Network = 13, "NETWORK_EXCEPTION", true;
    /// The coordinator is reading its log.
    CoordinatorLoadInProgress = 14, "COORDINATOR_LOAD_IN_PROGRESS", true;
    /// No coordinator for this group yet.
    CoordinatorNotAvailable = 15, "COORDINATOR_NOT_AVAILABLE", true;
    /// Another node coordinates this group.
    NotCoordinator = 16, "NOT_COORDINATOR", true;
    /// A bad topic name, or an internal topic.
    InvalidTopic = 17, "INVALID_TOPIC_EXCEPTION", false;
    /// More records than a segment holds.
    RecordListTooLarge = 18, "RECORD_LIST_TOO_LARGE", false;
    /// Too few in sync, nothing was written.
    NotEnoughReplicas = 19, "NOT_ENOUGH_REPLICAS", true;
    /// Too few in sync, written on the leader.
    NotEnoughReplicasAfterAppend = 20, "NOT_ENOUGH_REPLICAS_AFTER_APPEND", true;
    /// Acks other than -1, 0 and 1.
    InvalidRequiredAcks = 21, "INVALID_REQUIRED_ACKS", false;
    /// An old generation of the group.
    IllegalGeneration = 22, "ILLEGAL_GENERATION", false;
    /// Nothing in common with the other members of the group.
    InconsistentGroupProtocol = 23, "INCONSISTENT_GROUP_PROTOCOL", false;
    /// A bad group name.
    InvalidGroupId = 24, "INVALID_GROUP_ID", false;
    /// Not a member of the group.
    UnknownMemberId = 25, "UNKNOWN_MEMBER_ID", false;
    /// A session timeout outside what the node takes.
    InvalidSessionTimeout = 26, "INVALID_SESSION_TIMEOUT", false;
    /// The group is being rebalanced.
    RebalanceInProgress = 27, "REBALANCE_IN_PROGRESS", false;
    /// Not allowed for this topic.
    TopicAuthorizationFailed = 29, "TOPIC_AUTHORIZATION_FAILED", false;
    /// Not allowed for this group.
    GroupAuthorizationFailed = 30, "GROUP_AUTHORIZATION_FAILED", false;
    /// Not allowed for the cluster.
    ClusterAuthorizationFailed = 31, "CLUSTER_AUTHORIZATION_FAILED", false;
    /// A record time outside what the topic takes.
    InvalidTimestamp = 32, "INVALID_TIMESTAMP", false;
    /// This login mechanism is not served.
    UnsupportedSaslMechanism = 33, "UNSUPPORTED_SASL_MECHANISM", false;
    /// Not at this point of the login.
    IllegalSaslState = 34, "ILLEGAL_SASL_STATE", false;
    /// This version of the request is not served.
    UnsupportedVersion = 35, "UNSUPPORTED_VERSION", false;
    /// The name is taken.
    TopicAlreadyExists = 36, "TOPIC_ALREADY_EXISTS", false;
    /// A partition count that cannot be.
    InvalidPartitions = 37, "INVALID_PARTITIONS", false;
    /// More replicas than brokers, or none.
    InvalidReplicationFactor = 38, "INVALID_REPLICATION_FACTOR", false;
    /// Replicas that cannot be placed so.
    InvalidReplicaAssignment = 39, "INVALID_REPLICA_ASSIGNMENT", false;
    /// An unknown key, or a value it cannot have.
    InvalidConfig = 40, "INVALID_CONFIG", false;
    /// Another node is the controller.
    NotController = 41, "NOT_CONTROLLER", true;
    /// Fields that contradict each other.
    InvalidRequest = 42, "INVALID_REQUEST", false;
    /// The record format cannot express it.
    UnsupportedForMessageFormat = 43, "UNSUPPORTED_FOR_MESSAGE_FORMAT", false;
    /// A limit of this cluster forbids it.
    PolicyViolation = 44, "POLICY_VIOLATION", false;
    /// A gap in an idempotent sequence.
    OutOfOrderSequenceNumber = 45, "OUT_OF_ORDER_SEQUENCE_NUMBER", false;
    /// A duplicate older than the remembered batches.
    DuplicateSequenceNumber = 46, "DUPLICATE_SEQUENCE_NUMBER", false;
    /// Fenced by a newer epoch.
    InvalidProducerEpoch = 47, "INVALID_PRODUCER_EPOCH", false;
    /// Not in a transaction that allows it.
    InvalidTxnState = 48, "INVALID_TXN_STATE", false;
    /// The producer id is not this transactional id's.
    InvalidProducerIdMapping = 49, "INVALID_PRODUCER_ID_MAPPING", false;
    /// Not allowed for this transactional id.
    TransactionalIdAuthorizationFailed = 53, "TRANSACTIONAL_ID_AUTHORIZATION_FAILED", false;
    /// No authoriser is configured.
    SecurityDisabled = 54, "SECURITY_DISABLED", false;
    /// The disk is full or offline.
    KafkaStorageError = 56, "KAFKA_STORAGE_ERROR", true;
    /// No such log directory.
    LogDirNotFound = 57, "LOG_DIR_NOT_FOUND", false;
    /// The login was refused.
    SaslAuthenticationFailed = 58, "SASL_AUTHENTICATION_FAILED", false;
    /// Nothing is known of this producer.
    UnknownProducerId = 59, "UNKNOWN_PRODUCER_ID", false;
    /// The group has members.
    NonEmptyGroup = 68, "NON_EMPTY_GROUP", false;
    /// No such group.
    GroupIdNotFound = 69, "GROUP_ID_NOT_FOUND", false;
    /// The fetch session is gone.
    FetchSessionIdNotFound = 70, "FETCH_SESSION_ID_NOT_FOUND", true;
    /// A fetch out of its session's order.
    InvalidFetchSessionEpoch = 71, "INVALID_FETCH_SESSION_EPOCH", true;
    /// Deletion is switched off.
    TopicDeletionDisabled = 73, "TOPIC_DELETION_DISABLED", false;
    /// The client knows an older leader epoch.
    FencedLeaderEpoch = 74, "FENCED_LEADER_EPOCH", true;
    /// The client knows a newer leader epoch.
    UnknownLeaderEpoch = 75, "UNKNOWN_LEADER_EPOCH", true;
    /// The client cannot read this compression.
    UnsupportedCompressionType = 76, "UNSUPPORTED_COMPRESSION_TYPE", false;
    /// The new leader does not know it yet.
    OffsetNotAvailable = 78, "OFFSET_NOT_AVAILABLE", true;
    /// Join again with the id given.
    MemberIdRequired = 79, "MEMBER_ID_REQUIRED", false;
    /// The preferred leader is not up.
    PreferredLeaderNotAvailable = 80, "PREFERRED_LEADER_NOT_AVAILABLE", true;
    /// The group has as many members as it may have.
    GroupMaxSizeReached = 81, "GROUP_MAX_SIZE_REACHED", false;
    /// Another member came under the same static name.
    FencedInstanceId = 82, "FENCED_INSTANCE_ID", false;
    /// No replica that is up may lead.
    EligibleLeadersNotAvailable = 83, "ELIGIBLE_LEADERS_NOT_AVAILABLE", true;
    /// The leader is already the preferred one.
    ElectionNotNeeded = 84, "ELECTION_NOT_NEEDED", true;
    /// Nothing is being moved that could be stopped.
    NoReassignmentInProgress = 85, "NO_REASSIGNMENT_IN_PROGRESS", false;
    /// The group still reads the topic.
    GroupSubscribedToTopic = 86, "GROUP_SUBSCRIBED_TO_TOPIC", false;
    /// A batch whose parts contradict each other.
    InvalidRecord = 87, "INVALID_RECORD", false;
    /// An open transaction may still move the offset.
    UnstableOffsetCommit = 88, "UNSTABLE_OFFSET_COMMIT", true;
    /// Slower, please.
    ThrottlingQuotaExceeded = 89, "THROTTLING_QUOTA_EXCEEDED", true;
    /// No such resource.
    ResourceNotFound = 91, "RESOURCE_NOT_FOUND", false;
    /// Named twice in one request.
    DuplicateResource = 92, "DUPLICATE_RESOURCE", false;
    /// A credential that may not be kept.
    UnacceptableCredential = 93, "UNACCEPTABLE_CREDENTIAL", false;
    /// A level that a feature cannot have.
    InvalidUpdateVersion = 95, "INVALID_UPDATE_VERSION", false;
    /// The features could not be written down.
    FeatureUpdateFailed = 96, "FEATURE_UPDATE_FAILED", false;
    /// No topic with this id.
    UnknownTopicId = 100, "UNKNOWN_TOPIC_ID", true;
    /// No broker has this id.
    BrokerIdNotRegistered = 102, "BROKER_ID_NOT_REGISTERED", false;
    /// The id is not this topic's.
    InconsistentTopicId = 103, "INCONSISTENT_TOPIC_ID", true;
    /// No transaction goes by this id.
    TransactionalIdNotFound = 105, "TRANSACTIONAL_ID_NOT_FOUND", false;
    /// Names and ids mixed in one fetch session.
    FetchSessionTopicIdError = 106, "FETCH_SESSION_TOPIC_ID_ERROR", true;
    /// The member knows an older epoch of itself.
    StaleMemberEpoch = 113, "STALE_MEMBER_EPOCH", false;
    /// The request is for listeners of the other kind of endpoint.
    MismatchedEndpointType = 114, "MISMATCHED_ENDPOINT_TYPE", false;
    /// There is no such kind of endpoint.
    UnsupportedEndpointType = 115, "UNSUPPORTED_ENDPOINT_TYPE", false;
    /// Abort the transaction and go on.
    TransactionAbortable = 120, "TRANSACTION_ABORTABLE", false;
    /// A pattern that cannot be read.
    InvalidRegularExpression = 128, "INVALID_REGULAR_EXPRESSION", false;
}

impl ErrorCode {
    /// Returns the number on the wire.
    pub fn code(self) -> i16 {
        // The enum's representation is the wire's int16.
        self as i16
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_found_by_its_number() {
        for &code in ErrorCode::ALL {
            assert_eq!(ErrorCode::from_wire(code.code()), Some(code));
        }
        assert_eq!(ErrorCode::from_wire(i16::MAX), None);
    }
}
