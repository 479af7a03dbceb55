//! Text that is a slice of the frame it came in.

use std::fmt;
use std::ops::Deref;

use bytes::Bytes;

/// UTF-8 text that shares the memory of its frame.
///
/// Keeping one keeps the whole frame: make a `String` of what must outlive the request.
#[derive(Clone, PartialEq, Eq)]
pub struct Text(Bytes);

impl Text {
    /// Accepts bytes that are UTF-8; `None` otherwise.
    pub fn new(bytes: Bytes) -> Option<Self> {
        str::from_utf8(&bytes).is_ok().then_some(Self(bytes))
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).expect("checked when it was made")
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_not_utf_8_are_no_text() {
        assert_eq!(Text::new(Bytes::from_static(b"\xff")), None);
        assert_eq!(
            Text::new(Bytes::from_static("é".as_bytes())).as_deref(),
            Some("é")
        );
    }
}
