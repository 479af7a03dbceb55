//! Records on their way to standard output.

use client::consumer::ConsumedRecord;

use crate::cli::args::{Consume, RecordFormat};
use crate::cli::failure::OutputFailed;
use crate::cli::json_record::Printed;
use crate::cli::stdout::Stdout;

/// Prints records as it was asked to, and counts them.
pub(super) struct Printer<'a> {
    args: &'a Consume,
    stdout: Stdout,
    count: u64,
}

impl<'a> Printer<'a> {
    /// Begins with nothing printed.
    pub(super) fn new(args: &'a Consume, stdout: Stdout) -> Self {
        Self {
            args,
            stdout,
            count: 0,
        }
    }

    /// Returns how many records were printed.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Returns whether as many were printed as were asked for.
    pub(super) fn has_enough(&self) -> bool {
        self.args.count.is_some_and(|count| self.count >= count)
    }

    /// Prints one record.
    pub(super) fn print(&mut self, record: &ConsumedRecord) -> Result<(), OutputFailed> {
        match self.args.format {
            RecordFormat::Lines => {
                if let Some(separator) = &self.args.key_separator {
                    self.stdout
                        .write(record.key.as_deref().unwrap_or_default())?;
                    self.stdout.write(separator.as_bytes())?;
                }
                self.stdout
                    .write(record.value.as_deref().unwrap_or_default())?;
            }
            RecordFormat::Json => self.stdout.json(&Printed(record))?,
        }
        self.stdout.write(b"\n")?;
        self.count += 1;
        Ok(())
    }

    /// Makes sure that somebody may still read what is printed.
    pub(super) fn check_reader(&self) -> Result<(), OutputFailed> {
        self.stdout.check_reader()
    }

    /// Hands over everything that was printed.
    pub(super) fn flush(&mut self) -> Result<(), OutputFailed> {
        self.stdout.flush()
    }
}
