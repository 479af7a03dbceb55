//! Why a run ended without a result.

use std::error::Error as _;
use std::io;

use record::BuildError;
use types::ErrorCode;
use wire::api::ApiKey;
use wire::{Malformed, Unencodable};

/// Why a run ended without a result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The broker cannot be reached.
    #[error("cannot connect to {address}")]
    Connect {
        /// The broker.
        address: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The connection failed.
    #[error("the connection failed")]
    Connection(#[source] io::Error),
    /// The broker closed the connection.
    #[error("the broker closed the connection")]
    Disconnected,
    /// Bytes from the broker that are no answer.
    #[error("the broker's answer cannot be read")]
    Malformed(#[from] Malformed),
    /// A frame longer than any we asked for.
    #[error("the broker announces a frame of {size} bytes, at most {size_max} can be one")]
    FrameTooLarge {
        /// The length announced.
        size: i64,
        /// The largest that is believed.
        size_max: usize,
    },
    /// A batch that cannot be read.
    #[error("a batch cannot be read")]
    Batch(#[from] record::Malformed),
    /// A batch whose checksum differs.
    #[error("a batch is damaged")]
    Checksum(#[from] record::ChecksumMismatch),
    /// A record that does not carry what this program wrote.
    #[error("a record at the tail was not written by this run")]
    ForeignRecord,
    /// A batch of ours cannot be built.
    #[error("a batch cannot be built")]
    Build(#[from] BuildError),
    /// The broker is too old for a request.
    #[error("a request cannot be written for this broker")]
    Unencodable(#[from] Unencodable),
    /// An answer to another request than the oldest one.
    #[error("answer {got} where {want} is due")]
    AnswerOutOfOrder {
        /// Its correlation id.
        got: i32,
        /// That of the oldest request.
        want: i32,
    },
    /// The broker lacks an API.
    #[error("the broker serves no version of {key} that we know")]
    NotServed {
        /// The API.
        key: ApiKey,
    },
    /// The broker refused a request.
    #[error("{key} was refused: {}", code_name(*.code))]
    Refused {
        /// The API.
        key: ApiKey,
        /// Kafka's error code.
        code: i16,
    },
    /// A topic does not serve in time.
    #[error("topic {topic} does not serve: {}", code_name(*.code))]
    NotReady {
        /// Its name.
        topic: String,
        /// The last error code seen.
        code: i16,
    },
    /// The partitions of a topic have several leaders; a run talks to one broker.
    #[error(
        "partition {partition} is led by node {leader}, another one than the first partition's"
    )]
    OtherLeader {
        /// The partition.
        partition: i32,
        /// Its leader.
        leader: i32,
    },
    /// The broker answers, but the records do not come.
    #[error("no record for {seconds} s at offset {offset} of partition {partition}")]
    Stalled {
        /// The partition.
        partition: i32,
        /// The first offset that did not come.
        offset: i64,
        /// How long it did not.
        seconds: u64,
    },
    /// Groups that do not come to rest.
    #[error("{groups} groups are not done after {seconds} s")]
    Unsettled {
        /// How many.
        groups: usize,
        /// How long they had.
        seconds: u64,
    },
    /// The broker takes requests and answers none.
    #[error("{requests} requests without an answer for {seconds} s")]
    Unanswered {
        /// How many there are.
        requests: usize,
        /// How long there was no answer.
        seconds: u64,
    },
    /// An option contradicts another one or the topic.
    #[error("{0}")]
    Usage(&'static str),
    /// /proc does not tell about the broker.
    #[error("cannot read {path}: is the process running, and is it ours to look at?")]
    Process {
        /// The file.
        path: String,
        /// What the system said; absent if the text has another form.
        #[source]
        source: Option<io::Error>,
    },
    /// A file or a program that a run needs.
    #[error("{doing}")]
    System {
        /// What was tried.
        doing: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file of results is not one.
    #[error("{file} line {line}: no number at {field}")]
    NoFigure {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The place in the result.
        field: String,
    },
    /// Two files of results that do not pair up.
    #[error("{a} results on one side and {b} on the other make no pairs")]
    Unpaired {
        /// Results of the first side.
        a: usize,
        /// Results of the second.
        b: usize,
    },
    /// A figure that is not positive.
    #[error("a ratio needs positive figures")]
    NoRatio,
    /// A ratio above what was allowed.
    #[error("the ratio {ratio:.3} misses the bound {bound}")]
    Missed {
        /// What was measured.
        ratio: f64,
        /// What was allowed.
        bound: f64,
    },
    /// A result that is no JSON, or cannot be written as it.
    #[error("not a result in JSON")]
    Json(#[from] serde_json::Error),
    /// A defect of this program.
    #[error("a thread of the generator panicked")]
    ThreadPanicked,
}

impl Error {
    /// Returns an error unless the code means success.
    pub(crate) fn check(key: ApiKey, code: i16) -> Result<(), Self> {
        match code {
            0 => Ok(()),
            code => Err(Self::Refused { key, code }),
        }
    }

    /// Returns message and causes in one line.
    pub(crate) fn line(&self) -> String {
        let mut line = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            line.push_str(": ");
            line.push_str(&error.to_string());
            cause = error.source();
        }
        line
    }
}

fn code_name(code: i16) -> String {
    match ErrorCode::from_wire(code) {
        Some(known) => format!("{known} ({code})"),
        None => format!("error {code}"),
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Disconnected,
            _ => Self::Connection(error),
        }
    }
}
