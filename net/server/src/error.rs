//! Why a connection ended before its client ended it.

use std::io;

use types::ErrorCode;
use wire::Malformed;
use wire::api::ApiKey;
use wire::header::HeaderError;

/// Why a service wants a connection closed instead of answering.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The request's body does not follow the protocol.
    #[error("malformed request body")]
    Malformed(#[source] Malformed),
    /// A request whose client wants no answer (`acks=0`) failed; closing is the only way to tell.
    #[error("failed with {0}, and the client wants no answer")]
    Unanswerable(ErrorCode),
}

/// Why a connection ended before its client ended it.
///
/// None of these needs an action of the caller beyond counting or logging: the connection is gone.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing was received and nothing was due to be sent for too long.
    #[error("idle for too long")]
    Idle,
    /// A frame was begun and did not arrive in time.
    #[error("a frame of {length} bytes did not arrive in time")]
    SlowWriter {
        /// The length the client announced.
        length: u64,
    },
    /// The client does not take its answers.
    #[error("{queued} bytes of answers were not taken in time")]
    SlowReader {
        /// What waited to be sent.
        queued: u64,
    },
    /// The client ended its side, and its last answers were not ready in time.
    #[error("half closed for too long")]
    HalfClosed,
    /// A frame's announced length is negative or beyond the bound.
    #[error("a frame of a length that is not served")]
    FrameLength(#[source] io::Error),
    /// A request header is malformed, or names an API or version that is not served.
    #[error("a request header that is not served")]
    Header(#[source] HeaderError),
    /// The service refused a request.
    #[error("{key:?} refused")]
    Refused {
        /// The API.
        key: ApiKey,
        /// Why.
        #[source]
        refusal: Refusal,
    },
    /// The connection broke.
    #[error("the connection broke")]
    Io(#[from] io::Error),
    /// The server stopped and this connection's answers were not out by its deadline.
    #[error("cut at the end of the shutdown")]
    Shutdown,
}

impl Error {
    /// Returns a short, constant name of the reason, for metrics.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::SlowWriter { .. } => "slow_writer",
            Self::SlowReader { .. } => "slow_reader",
            Self::HalfClosed => "half_closed",
            Self::FrameLength(_) => "frame_length",
            Self::Header(HeaderError::Malformed(_)) => "header",
            Self::Header(HeaderError::UnknownKey { .. }) => "unknown_key",
            Self::Header(HeaderError::UnknownVersion { .. }) => "unknown_version",
            Self::Refused { .. } => "refused",
            Self::Io(_) => "io",
            Self::Shutdown => "shutdown",
        }
    }
}
