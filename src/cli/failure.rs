//! What is said when a command fails.

use std::error::Error;
use std::io::{self, Write as _};

use super::table::plain;

/// Why a command failed; [`crate::causes::with_causes`] makes it readable.
pub(super) type Failure = Box<dyn Error>;

/// Standard output does not take what is written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to standard output")]
pub(super) struct OutputFailed(#[from] io::Error);

/// Says something on standard error. If nobody reads that either, there is nobody to tell.
pub(super) fn complain(text: &str) {
    let lines: Vec<_> = text.lines().map(plain).collect();
    let _unread = writeln!(io::stderr(), "riverrun: {}", lines.join("\n"));
}

/// Returns whether the command ended because nobody reads its output any more, as in
/// `riverrun consume t | head`: the reader has what it wanted.
pub(super) fn is_output_unwanted(error: &(dyn Error + 'static)) -> bool {
    error
        .downcast_ref::<OutputFailed>()
        .is_some_and(|OutputFailed(cause)| cause.kind() == io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_end_of_our_own_output_is_quiet() {
        let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
        assert!(is_output_unwanted(&OutputFailed(gone())));
        assert!(!is_output_unwanted(&gone()));
        let full = io::Error::from(io::ErrorKind::StorageFull);
        assert!(!is_output_unwanted(&OutputFailed(full)));
    }
}
