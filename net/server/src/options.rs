//! What may be set about the connections of one shard.

use std::time::Duration;

use types::ByteCount;
use types::limits::{CONNECTION_REQUESTS_MAX, FRAME_SIZE_MAX};

/// Answers are handed to the kernel in pieces of at most this much: a piece is what a slow reader
/// must take within [`ServerOptions::write_timeout`], and what one turn of a shard sends.
pub(crate) const FLUSH_SIZE_MAX: ByteCount = ByteCount::mib(1);

/// Bounds of the connections of one shard.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// The longest request frame; a longer one ends its connection.
    pub frame_max: ByteCount,
    /// Requests of one connection that are read and not yet answered; the next is not read.
    pub requests_max: usize,
    /// Memory that request frames and queued answers of this shard may hold together; see
    /// `memory.rs` for its division. One frame of `frame_max` is always let in.
    pub memory_max: ByteCount,
    /// A connection without requests for this long is closed.
    pub idle_timeout: Duration,
    /// A frame that was begun must arrive within this time ...
    pub frame_timeout: Duration,
    /// ... plus its length divided by this many bytes a second.
    pub frame_rate_min: ByteCount,
    /// A client must take each mebibyte of its answers within this time. Also what a client that
    /// ended its side waits for its last answers.
    pub write_timeout: Duration,
    /// What becomes of `frame_timeout` and `write_timeout` while others wait for memory.
    pub pressed_timeout: Duration,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            frame_max: FRAME_SIZE_MAX,
            requests_max: CONNECTION_REQUESTS_MAX,
            memory_max: ByteCount::mib(128),
            idle_timeout: Duration::from_mins(10),
            frame_timeout: Duration::from_secs(30),
            frame_rate_min: ByteCount::kib(256),
            write_timeout: Duration::from_mins(1),
            pressed_timeout: Duration::from_secs(5),
        }
    }
}
