//! What can be wrong with bytes, and with values that have no bytes.

/// The bytes are not what the message's version prescribes: close the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed at byte {at_bytes}: want {want}")]
pub struct Malformed {
    /// Where reading stopped, in bytes from the start of what was given to the decoder.
    pub at_bytes: usize,
    /// What should have stood there.
    pub want: &'static str,
}

/// The value cannot be written in the version that was asked for.
///
/// For a client this means that the broker is too old for the request; for the broker it is a
/// mistake in a handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unencodable {
    /// The message has no such version.
    #[error("{message} has no version {version}")]
    NoVersion {
        /// The API's name.
        message: &'static str,
        /// The version asked for.
        version: i16,
    },
    /// A field holds more than its default, and the version has no place for it.
    #[error("version {version} has no {field}")]
    NoField {
        /// The field's name.
        field: &'static str,
        /// The version asked for.
        version: i16,
    },
    /// A field is null where the version forbids it.
    #[error("{field} cannot be null in version {version}")]
    Null {
        /// The field's name.
        field: &'static str,
        /// The version asked for.
        version: i16,
    },
    /// A string, array or message is longer than its length field can say.
    #[error("{size} bytes or elements where at most {size_max} can be announced")]
    TooLong {
        /// Bytes or elements.
        size: usize,
        /// What the length field can say.
        size_max: usize,
    },
}
