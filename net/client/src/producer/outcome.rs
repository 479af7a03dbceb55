//! What became of records.

use std::sync::Arc;

use super::batch::RecordNumber;
use crate::error::BrokerError;

/// What became of records of one partition.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// They were appended, one behind the other.
    Delivered {
        /// The topic.
        topic: Arc<str>,
        /// The partition.
        partition: i32,
        /// The offset of the first; `None` if the broker did not say.
        base_offset: Option<i64>,
        /// Which records.
        records: Vec<RecordNumber>,
    },
    /// They were not appended, or it is not known.
    Failed {
        /// The topic.
        topic: Arc<str>,
        /// The partition.
        partition: i32,
        /// Why.
        refusal: BrokerError,
        /// Which records.
        records: Vec<RecordNumber>,
    },
}
