//! Where `consume -o` begins: an end of the log, an offset, or a time.

use client::consumer::Start;
use types::{Offset, TimestampMs};

use super::rfc3339;

/// A place that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("want beginning, end, an offset, a time such as 2026-01-31T12:00:00Z, or @MILLISECONDS")]
pub(super) struct NoPlace;

/// Reads what was typed.
///
/// *Errors*: [`NoPlace`].
pub(super) fn parse(text: &str) -> Result<Start, NoPlace> {
    match text {
        "beginning" => return Ok(Start::Beginning),
        "end" => return Ok(Start::End),
        _ => {}
    }
    let time = match text.strip_prefix('@') {
        Some(milliseconds) => digits(milliseconds).map(TimestampMs),
        None => rfc3339::parse(text),
    };
    let place = time.map(Start::Since);
    place
        .or_else(|| digits(text).and_then(Offset::new).map(Start::At))
        .ok_or(NoPlace)
}

/// Reads decimal digits and nothing else: no sign, no blank.
pub(super) fn digits(text: &str) -> Option<i64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_place_is_understood() {
        let since = |time| Ok(Start::Since(TimestampMs(time)));
        assert_eq!(parse("beginning"), Ok(Start::Beginning));
        assert_eq!(parse("end"), Ok(Start::End));
        assert_eq!(parse("0"), Ok(Start::At(Offset::ZERO)));
        assert_eq!(parse("1000"), Ok(Start::At(Offset::ZERO.advance(1000))));
        assert_eq!(parse("@1767225600000"), since(1_767_225_600_000));
        assert_eq!(parse("2026-01-01T00:00:00Z"), since(1_767_225_600_000));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "-1",
            "+1",
            "start",
            "1.5",
            "@",
            "@-1",
            "2026-01-01",
            "9223372036854775808",
        ] {
            assert_eq!(parse(text), Err(NoPlace), "{text:?}");
        }
    }
}
