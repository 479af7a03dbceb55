//! What keeps a node from starting.

use std::net::SocketAddr;

use runtime::PeerGone;

use crate::drivers::controller::ControlError;

/// Why a node did not start, or did not stop well.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data directory or a log.
    #[error(transparent)]
    Storage(#[from] storage::Error),
    /// An address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the kernel said.
        #[source]
        source: std::io::Error,
    },
    /// The metadata snapshot cannot be read.
    #[error("the metadata snapshot cannot be read")]
    Snapshot(#[from] controller::snapshot::SnapshotError),
    /// A metadata record cannot be read.
    #[error("metadata record {index} cannot be read")]
    Record {
        /// Its index in the metadata log.
        index: u64,
        /// Why.
        #[source]
        source: controller::record::DecodeError,
    },
    /// A metadata record does not follow from those before it.
    #[error("metadata record {index} does not fit")]
    Apply {
        /// Its index in the metadata log.
        index: u64,
        /// Why.
        #[source]
        source: controller::ApplyError,
    },
    /// The broker could not be registered.
    #[error("the broker cannot be registered")]
    Register(#[from] ControlError),
    /// A shard ended before the others.
    #[error("a shard ended early")]
    Shard(#[from] PeerGone),
}
