//! What can go wrong between a client and its brokers.

use std::fmt;
use std::io;
use std::time::Duration;

use types::{ErrorCode, NodeId};
use wire::api::ApiKey;
use wire::{Malformed, Unencodable};

/// An error code that a broker answered with, and its words if it had any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerError {
    /// The number on the wire.
    pub code: i16,
    /// What the broker says about it.
    pub message: Option<String>,
}

impl BrokerError {
    /// Makes an error of a code and message from the wire; `None` for code 0, success.
    pub fn of(code: i16, message: Option<String>) -> Option<Self> {
        (code != ErrorCode::None.code()).then_some(Self { code, message })
    }

    /// Turns a code and message from the wire into a result.
    ///
    /// *Errors*: itself, unless the code is 0.
    pub fn check(code: i16, message: Option<String>) -> Result<(), Self> {
        Self::of(code, message).map_or(Ok(()), Err)
    }

    /// Returns the code by its name; `None` for a number that we do not know.
    pub fn known(&self) -> Option<ErrorCode> {
        ErrorCode::from_wire(self.code)
    }

    /// Returns whether the same request may succeed later.
    pub fn is_retriable(&self) -> bool {
        self.known().is_some_and(ErrorCode::is_retriable)
    }
}

/// A refusal without words.
impl From<ErrorCode> for BrokerError {
    fn from(code: ErrorCode) -> Self {
        Self {
            code: code.code(),
            message: None,
        }
    }
}

impl fmt::Display for BrokerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.known() {
            Some(code) => code.fmt(f)?,
            None => write!(f, "error code {}", self.code)?,
        }
        match &self.message {
            Some(message) if !message.is_empty() => write!(f, ": {message}"),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for BrokerError {}

/// What can go wrong between a client and its brokers.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An address that is not `host:port`.
    #[error("{address:?} is not host:port")]
    InvalidAddress {
        /// What was given.
        address: String,
    },
    /// Nobody can be reached at an address.
    #[error("cannot connect to {address}")]
    Unreachable {
        /// The address.
        address: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A connection broke; what was asked may or may not have been done.
    #[error("the connection to {address} broke")]
    Broken {
        /// The broker's address.
        address: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Something did not happen in time.
    #[error("{what} took longer than {limit:?}")]
    TimedOut {
        /// What was waited for.
        what: &'static str,
        /// How long.
        limit: Duration,
    },
    /// An answer does not follow the protocol.
    #[error("malformed answer")]
    Malformed(#[from] Malformed),
    /// A request cannot be said in the versions that the broker serves.
    #[error("the broker is too old for this request")]
    Unencodable(#[from] Unencodable),
    /// The broker serves no version of an API that we know.
    #[error("the broker does not serve {key}")]
    NotServed {
        /// The API.
        key: ApiKey,
    },
    /// An answer came to no request, or to another than the oldest.
    #[error("an answer with correlation id {got}, want {want:?}")]
    UnexpectedAnswer {
        /// The correlation id received.
        got: i32,
        /// That of the oldest unanswered request.
        want: Option<i32>,
    },
    /// An answer is read as that of another API.
    #[error("an answer of {got} is read as one of {want}")]
    OtherApi {
        /// The API of the request that was answered.
        got: ApiKey,
        /// The API it was read as.
        want: ApiKey,
    },
    /// The broker refused something.
    #[error("{subject}")]
    Refused {
        /// The topic, partition or API that the refusal is about.
        subject: String,
        /// The refusal.
        #[source]
        refusal: BrokerError,
    },
    /// A partition that the cluster does not have.
    #[error("{topic} has no partition {partition}")]
    NoPartition {
        /// The topic.
        topic: String,
        /// The partition asked for.
        partition: i32,
    },
    /// The connection to a node ended just before it was used.
    #[error("the connection is gone")]
    NotLinked,
    /// A node that the cluster's metadata does not name.
    #[error("no address is known for node {node}")]
    UnknownNode {
        /// The node.
        node: NodeId,
    },
    /// Records that cannot be read.
    #[error("{topic} partition {partition}: records from offset {offset} cannot be read")]
    Records {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
        /// Where reading stopped.
        offset: i64,
        /// Why.
        #[source]
        fault: RecordsFault,
    },
    /// A record cannot be written.
    #[error("the record cannot be written")]
    Build(#[from] record::BuildError),
}

impl Error {
    /// Says what a refusal is about.
    pub(crate) fn refused(subject: impl Into<String>, refusal: BrokerError) -> Self {
        Self::Refused {
            subject: subject.into(),
            refusal,
        }
    }
}

/// Why records cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RecordsFault {
    /// A batch is not one.
    #[error(transparent)]
    Batch(#[from] record::Malformed),
    /// A batch has other bytes than its writer gave it.
    #[error(transparent)]
    Checksum(#[from] record::ChecksumMismatch),
    /// A body cannot be decompressed.
    #[error(transparent)]
    Decompress(#[from] record::DecompressError),
    /// A record is not one.
    #[error(transparent)]
    Record(#[from] record::RecordFault),
    /// An answer holds nothing at or behind the offset that was asked for.
    #[error("the answer ends at offset {end}, before what was asked for")]
    NoProgress {
        /// The offset behind its last record.
        end: i64,
    },
}
