//! Between the wire and the coordinator: texts that clients chose, codes that clients are told.

use coordinator::GroupError;
use types::ErrorCode;

use crate::handlers::failure;

/// Returns the code of a result: 0 if it went well.
pub(super) fn code_of<T>(result: &Result<T, GroupError>) -> i16 {
    result.as_ref().err().map_or(0, |error| code(*error))
}

pub(super) fn code(error: GroupError) -> i16 {
    failure::group_code(error).code()
}

/// Reads a text that a client chose.
///
/// *Errors*: 42 if it is longer than a record could hold.
pub(super) fn parse<T: std::str::FromStr>(text: &str) -> Result<T, ErrorCode> {
    text.parse().map_err(|_| ErrorCode::InvalidRequest)
}

/// Reads a text that a client may leave out.
pub(super) fn parse_optional<T: std::str::FromStr>(
    text: Option<&str>,
) -> Result<Option<T>, ErrorCode> {
    text.map(parse).transpose()
}
