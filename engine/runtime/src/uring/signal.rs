//! Signals as reads of a signalfd through the ring.

use std::future;
use std::io;

use glommio::io::BufferedFile;

use super::{shard, sys};
use crate::signal::Signal;

/// The size of `struct signalfd_siginfo`; its first four bytes are the signal's number.
const RECORD_SIZE: usize = 128;

/// The first shard's descriptor.
pub(super) struct Signals(BufferedFile);

impl Signals {
    /// Opens it; the signals were blocked by the launcher.
    pub(super) fn open() -> io::Result<Self> {
        Ok(Self(sys::ring_file(sys::signal_fd()?)))
    }
}

/// Waits for the next signal; for ever on a shard that is not the first.
pub(crate) async fn next_signal() -> Signal {
    let seat = shard::seat();
    let Some(Signals(file)) = &seat.signals else {
        return future::pending().await;
    };
    loop {
        match file.read_at(0, RECORD_SIZE).await {
            Ok(record) => {
                if let Some(signal) = parse(&record) {
                    return signal;
                }
            }
            Err(error) => {
                tracing::warn!(%error, "signals cannot be read; end the process with SIGKILL");
                return future::pending().await;
            }
        }
    }
}

fn parse(record: &[u8]) -> Option<Signal> {
    let number = record.first_chunk().copied().map(i32::from_ne_bytes)?;
    match number {
        libc::SIGTERM => Some(Signal::Terminate),
        libc::SIGINT => Some(Signal::Interrupt),
        _ => None,
    }
}
