//! An error with its causes, for people.

use std::error::Error;

/// Returns an error and its causes in one line.
pub(crate) fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn causes_stand_in_one_line() {
        #[derive(Debug, thiserror::Error)]
        #[error("the house is gone")]
        struct Gone(#[from] io::Error);

        let gone = Gone(io::Error::other("on fire"));
        assert_eq!(with_causes(&gone), "the house is gone: on fire");
    }
}
