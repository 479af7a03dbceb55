//! What a command tells, for a person and for a machine.

use serde_json::Value;

use super::args::OutputFormat;
use super::failure::OutputFailed;
use super::stdout::Stdout;

/// What is printed, in both forms.
#[derive(Debug)]
pub(super) struct Answer {
    /// Whole lines.
    pub(super) text: String,
    /// One document.
    pub(super) json: Value,
}

impl Answer {
    /// Prints one of the forms.
    pub(super) fn print(&self, format: OutputFormat) -> Result<(), OutputFailed> {
        let mut stdout = Stdout::open()?;
        match format {
            OutputFormat::Text => stdout.write(self.text.as_bytes())?,
            OutputFormat::Json => stdout.line(&self.json)?,
        }
        stdout.flush()
    }
}
