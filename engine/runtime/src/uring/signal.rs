//! Signals as reads of a signalfd.

use std::cell::OnceCell;
use std::future::{self, poll_fn};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;

use super::poller::Registration;
use super::shard::Seat;
use super::{shard, sys};
use crate::signal::Signal;

/// The size of `struct signalfd_siginfo`; its first four bytes are the signal's number.
const RECORD_SIZE: usize = 128;

/// The first shard's descriptor.
pub(super) struct Signals {
    descriptor: OwnedFd,
    /// Made at the first wait: a descriptor is registered once.
    registration: OnceCell<Registration>,
}

impl Signals {
    /// Opens it; the signals were blocked by the launcher.
    pub(super) fn open() -> io::Result<Self> {
        Ok(Self {
            descriptor: sys::signal_fd()?,
            registration: OnceCell::new(),
        })
    }

    fn registration(&self, seat: &Rc<Seat>) -> io::Result<&Registration> {
        if let Some(known) = self.registration.get() {
            return Ok(known);
        }
        let made = Registration::new(Rc::clone(seat), &self.descriptor)?;
        Ok(self.registration.get_or_init(|| made))
    }

    async fn next(&self, seat: &Rc<Seat>) -> io::Result<Signal> {
        let registration = self.registration(seat)?;
        let mut record = [0; RECORD_SIZE];
        loop {
            match sys::read(self.descriptor.as_fd(), &mut record) {
                Ok(_) => {
                    if let Some(signal) = parse(&record) {
                        return Ok(signal);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    registration.read_blocked();
                    poll_fn(|context| registration.poll_readable(context)).await;
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// Waits for the next signal; for ever on a shard that is not the first.
pub(crate) async fn next_signal() -> Signal {
    let seat = shard::seat();
    let Some(signals) = &seat.signals else {
        return future::pending().await;
    };
    match signals.next(&seat).await {
        Ok(signal) => signal,
        Err(error) => {
            tracing::warn!(%error, "signals cannot be read; end the process with SIGKILL");
            future::pending().await
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
