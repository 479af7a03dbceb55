//! Standard output with a large buffer; who writes must flush.

use std::fmt;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::os::fd::AsFd as _;

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

    /// Hands over everything that was written.
    pub(super) fn flush(&mut self) -> Result<(), OutputFailed> {
        Ok(self.0.flush()?)
    }
}
