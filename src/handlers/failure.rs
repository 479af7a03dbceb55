//! The one place where an error becomes a Kafka code. Every match is exhaustive on purpose: a new
//! way to fail does not compile until somebody decided what a client sees.

use controller::quota::FilterRefusal;
use controller::{ConfigRefusal, DecideError};
use coordinator::GroupError;
use record::{Invalid, RecordErrors};
use storage::{AppendError, ReadError};
use types::ErrorCode;

use crate::causes::with_causes;
use crate::drivers::controller::ControlError;
use crate::drivers::coordinator::NoTopic;
use crate::partition::{AppendRefused, Trouble};

/// The longest text that goes with a code.
const TEXT_LENGTH_MAX: usize = 1_024;

/// Returns the code of a batch that was not appended.
pub(super) fn append_code(refused: &AppendRefused) -> ErrorCode {
    match refused {
        AppendRefused::Gone => ErrorCode::UnknownTopicOrPartition,
        AppendRefused::Invalid(invalid) => invalid_code(invalid),
        AppendRefused::Recompress(_) => ErrorCode::InvalidRecord,
        AppendRefused::Storage(error) => match error {
            AppendError::Busy | AppendError::LeaderEpoch { .. } => ErrorCode::NotLeaderOrFollower,
            AppendError::Full | AppendError::Offline(_) => ErrorCode::KafkaStorageError,
            AppendError::TooLarge { .. } => ErrorCode::MessageTooLarge,
            AppendError::OutOfOrderSequence { .. } => ErrorCode::OutOfOrderSequenceNumber,
            AppendError::InvalidProducerEpoch { .. } => ErrorCode::InvalidProducerEpoch,
        },
    }
}

fn invalid_code(invalid: &Invalid) -> ErrorCode {
    match invalid {
        Invalid::TooLarge { .. } | Invalid::DecompressedTooLarge { .. } => {
            ErrorCode::MessageTooLarge
        }
        Invalid::Checksum(_) => ErrorCode::CorruptMessage,
        Invalid::Timestamps(_) => ErrorCode::InvalidTimestamp,
        Invalid::Malformed(_)
        | Invalid::BaseOffset { .. }
        | Invalid::Counts { .. }
        | Invalid::ControlBatch
        | Invalid::ProducerFields { .. }
        | Invalid::Codec(_)
        | Invalid::TimestampType
        | Invalid::Decompression(_)
        | Invalid::Record { .. }
        | Invalid::OffsetDelta { .. }
        | Invalid::KeysMissing(_) => ErrorCode::InvalidRecord,
    }
}

/// Returns the records that made a batch fail, if single records did.
pub(super) fn record_errors(refused: &AppendRefused) -> Option<&RecordErrors> {
    match refused {
        AppendRefused::Invalid(Invalid::Timestamps(errors) | Invalid::KeysMissing(errors)) => {
            Some(errors)
        }
        _ => None,
    }
}

/// Returns the code of a partition that could not be read or asked.
pub(super) fn trouble_code(trouble: &Trouble) -> ErrorCode {
    match trouble {
        Trouble::Gone => ErrorCode::UnknownTopicOrPartition,
        Trouble::BeyondHighWatermark { .. } => ErrorCode::OffsetOutOfRange,
        Trouble::Read(error) => match error {
            ReadError::OutOfRange { .. } => ErrorCode::OffsetOutOfRange,
            ReadError::Corrupt { .. } => ErrorCode::CorruptMessage,
            ReadError::Offline(_) | ReadError::Io(_) => ErrorCode::KafkaStorageError,
        },
        Trouble::Storage(_) => ErrorCode::KafkaStorageError,
    }
}

/// Returns the code of a request that the controller did not carry out.
pub(super) fn control_code(error: &ControlError) -> ErrorCode {
    match error {
        ControlError::Refused(refused) => decide_code(refused),
        ControlError::Storage(_) => ErrorCode::KafkaStorageError,
        ControlError::Stopping => ErrorCode::NotController,
    }
}

/// Returns the code of a request to a group, or an item of one, that was refused.
pub(super) fn group_code(error: GroupError) -> ErrorCode {
    match error {
        GroupError::Loading => ErrorCode::CoordinatorLoadInProgress,
        GroupError::NotAvailable => ErrorCode::CoordinatorNotAvailable,
        GroupError::NotCoordinator => ErrorCode::NotCoordinator,
        GroupError::RecordTooLarge => ErrorCode::UnknownServerError,
        GroupError::InvalidGroupId => ErrorCode::InvalidGroupId,
        GroupError::InvalidSessionTimeout => ErrorCode::InvalidSessionTimeout,
        GroupError::MemberIdRequired => ErrorCode::MemberIdRequired,
        GroupError::UnknownMember => ErrorCode::UnknownMemberId,
        GroupError::FencedInstance => ErrorCode::FencedInstanceId,
        GroupError::IllegalGeneration => ErrorCode::IllegalGeneration,
        GroupError::InconsistentProtocol => ErrorCode::InconsistentGroupProtocol,
        GroupError::RebalanceInProgress => ErrorCode::RebalanceInProgress,
        GroupError::GroupFull => ErrorCode::GroupMaxSizeReached,
        GroupError::CoordinatorFull => ErrorCode::PolicyViolation,
        GroupError::MetadataTooLarge => ErrorCode::OffsetMetadataTooLarge,
        GroupError::GroupNotFound => ErrorCode::GroupIdNotFound,
        GroupError::GroupNotEmpty => ErrorCode::NonEmptyGroup,
        GroupError::SubscribedToTopic => ErrorCode::GroupSubscribedToTopic,
    }
}

/// Returns the code of a topic of the broker's own that could not be created.
pub(super) fn no_topic_code(error: &NoTopic) -> ErrorCode {
    match error {
        NoTopic::Control(error) => control_code(error),
        NoTopic::Refused(error) => decide_code(error),
    }
}

/// Returns an error and its causes as one line, cut to what the protocol can say.
pub(super) fn text(error: &dyn std::error::Error) -> String {
    let mut text = with_causes(error);
    if let Some((end, _)) = text.char_indices().nth(TEXT_LENGTH_MAX) {
        text.truncate(end);
    }
    text
}

/// Returns the code of a request, or an item of one, that the controller refused.
pub(super) fn decide_code(error: &DecideError) -> ErrorCode {
    match error {
        DecideError::NoBroker => ErrorCode::LeaderNotAvailable,
        DecideError::TopicExists { .. } => ErrorCode::TopicAlreadyExists,
        DecideError::NameCollision { .. } => ErrorCode::InvalidTopic,
        DecideError::UnknownTopicName { .. } => ErrorCode::UnknownTopicOrPartition,
        DecideError::UnknownTopicId { .. } => ErrorCode::UnknownTopicId,
        DecideError::PartitionCountNotPositive { .. } | DecideError::NotAnIncrease { .. } => {
            ErrorCode::InvalidPartitions
        }
        DecideError::TopicTooLarge { .. }
        | DecideError::RequestTooLarge { .. }
        | DecideError::TooManyTopics { .. }
        | DecideError::TooManyPartitions { .. }
        | DecideError::TooManyQuotaEntities { .. } => ErrorCode::PolicyViolation,
        DecideError::ReplicationFactorNotPositive { .. } | DecideError::TooFewBrokers { .. } => {
            ErrorCode::InvalidReplicationFactor
        }
        DecideError::AssignmentsNotConsecutive
        | DecideError::AssignmentCount { .. }
        | DecideError::AssignmentEmpty
        | DecideError::AssignmentRepeats { .. }
        | DecideError::AssignmentUnknownBroker { .. }
        | DecideError::AssignmentUneven { .. } => ErrorCode::InvalidReplicaAssignment,
        DecideError::TopicIdTaken { .. }
        | DecideError::DuplicateItem { .. }
        | DecideError::DuplicateConfig { .. }
        | DecideError::CountsBesideAssignments
        | DecideError::UnknownBroker { .. }
        | DecideError::RegistrationTooLarge { .. }
        | DecideError::QuotaEntity(_)
        | DecideError::QuotaValue(_)
        | DecideError::ConfigRefused {
            refusal: ConfigRefusal::ReadOnly,
            ..
        } => ErrorCode::InvalidRequest,
        DecideError::ConfigRefused { .. } | DecideError::NotAList { .. } => {
            ErrorCode::InvalidConfig
        }
        DecideError::ProducerIdsExhausted { .. } => ErrorCode::UnknownServerError,
    }
}

/// Returns the code of a filter of quotas that cannot be.
pub(super) fn filter_code(refusal: &FilterRefusal) -> ErrorCode {
    match refusal {
        FilterRefusal::UnknownKind { .. } => ErrorCode::UnsupportedVersion,
        FilterRefusal::KindEmpty
        | FilterRefusal::Duplicate { .. }
        | FilterRefusal::NameMissing
        | FilterRefusal::NameBesideDefault
        | FilterRefusal::NameBesideAny
        | FilterRefusal::UnknownMatchType { .. }
        | FilterRefusal::IpCombined => ErrorCode::InvalidRequest,
    }
}
