//! What is said when a command fails: one line with the causes.

use std::error::Error;
use std::io::{self, Write as _};

/// Why a command failed; [`line`] makes it readable.
pub(super) type Failure = Box<dyn Error>;

/// Standard output does not take what is written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to standard output")]
pub(super) struct OutputFailed(#[from] io::Error);

/// Says something on standard error. If nobody reads that either, there is nobody to tell.
pub(super) fn complain(text: &str) {
    let _unread = writeln!(io::stderr(), "riverrun: {text}");
}

/// An error and its causes in one line.
pub(super) fn line(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
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
    fn causes_stand_in_one_line() {
        let failed = OutputFailed(io::Error::other("on fire"));
        assert_eq!(line(&failed), "cannot write to standard output: on fire");
    }

    #[test]
    fn only_the_end_of_our_own_output_is_quiet() {
        let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
        assert!(is_output_unwanted(&OutputFailed(gone())));
        assert!(!is_output_unwanted(&gone()));
        let full = io::Error::from(io::ErrorKind::StorageFull);
        assert!(!is_output_unwanted(&OutputFailed(full)));
    }
}
