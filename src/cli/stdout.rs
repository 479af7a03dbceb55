//! Standard output with a large buffer; who writes must flush.

use std::fmt;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::os::fd::{AsFd as _, BorrowedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::failure::OutputFailed;

/// Large enough that a stream of short records costs few system calls.
const BUFFER_SIZE: usize = 256 * 1024;

/// Standard output with a buffer of its own, whole blocks at a time.
///
/// *Errors* of its methods: [`OutputFailed`].
#[derive(Debug)]
pub(super) struct Stdout(BufWriter<File>);

impl Stdout {
    /// Opens it, past the buffer of the standard library, which looks for the end of each line.
    pub(super) fn open() -> Result<Self, OutputFailed> {
        let descriptor = io::stdout().as_fd().try_clone_to_owned()?;
        Ok(Self(BufWriter::with_capacity(
            BUFFER_SIZE,
            descriptor.into(),
        )))
    }

    /// Writes bytes.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), OutputFailed> {
        Ok(self.0.write_all(bytes)?)
    }

    /// Writes text and a newline.
    pub(super) fn line(&mut self, text: impl fmt::Display) -> Result<(), OutputFailed> {
        Ok(writeln!(self.0, "{text}")?)
    }

    /// Writes a value as JSON.
    pub(super) fn json(&mut self, value: &impl serde::Serialize) -> Result<(), OutputFailed> {
        Ok(serde_json::to_writer(&mut self.0, value).map_err(io::Error::from)?)
    }

    /// Makes sure that somebody may still read: only who writes to a pipe learns otherwise.
    ///
    /// *Errors*: as a write to a pipe without a reader.
    pub(super) fn check_reader(&self) -> Result<(), OutputFailed> {
        Ok(check_reader(self.0.get_ref().as_fd())?)
    }

    /// Hands over everything that was written.
    pub(super) fn flush(&mut self) -> Result<(), OutputFailed> {
        Ok(self.0.flush()?)
    }
}

/// Asks without waiting whether the other end of a pipe or of a terminal is gone; files have none.
fn check_reader(descriptor: BorrowedFd<'_>) -> io::Result<()> {
    // What is looked for is told unasked.
    let mut looked_at = [PollFd::from_borrowed_fd(descriptor, PollFlags::empty())];
    poll(&mut looked_at, Some(&Timespec::default()))?;
    let gone = PollFlags::ERR | PollFlags::HUP;
    match looked_at {
        [it] if it.revents().intersects(gone) => Err(io::ErrorKind::BrokenPipe.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_is_gone_is_noticed_without_writing() {
        let (reader, writer) = io::pipe().unwrap();
        assert!(check_reader(writer.as_fd()).is_ok());
        drop(reader);
        let gone = check_reader(writer.as_fd()).unwrap_err();
        assert_eq!(gone.kind(), io::ErrorKind::BrokenPipe);
        let file = File::open("/proc/self/stat").unwrap();
        assert!(check_reader(file.as_fd()).is_ok());
    }
}
