//! Numbers with units: sizes as people write them, counts as real numbers.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use types::ByteCount;

/// A number of bytes, written like `64KiB`, `10GiB` or `900`; a number of bytes in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Size(pub(crate) ByteCount);

/// The text is no size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a size is a number with an optional unit: B, KiB, MiB, GiB or TiB")]
pub(crate) struct InvalidSize;

impl Size {
    /// Returns the size for addressing memory.
    pub(crate) fn as_usize(self) -> usize {
        self.0.as_usize()
    }
}

impl FromStr for Size {
    type Err = InvalidSize;

    fn from_str(text: &str) -> Result<Self, InvalidSize> {
        let digits_end = text.find(|c: char| !c.is_ascii_digit());
        let (digits, unit) = text.split_at(digits_end.unwrap_or(text.len()));
        let factor_bits = match unit.trim() {
            "" | "B" => 0,
            "KiB" | "K" | "k" => 10,
            "MiB" | "M" => 20,
            "GiB" | "G" => 30,
            "TiB" | "T" => 40,
            _ => return Err(InvalidSize),
        };
        let count: u64 = digits.parse().map_err(|_| InvalidSize)?;
        let bytes = count.checked_mul(1 << factor_bits).ok_or(InvalidSize)?;
        Ok(Self(ByteCount(bytes)))
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Size {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0.0)
    }
}

/// Returns a count as a real number, rounded to the nearest one from 2^53 on.
pub(crate) fn real(count: u64) -> f64 {
    let half = |half: u64| f64::from(u32::try_from(half).expect("half of 64 bits fits 32"));
    half(count >> 32) * 4_294_967_296.0 + half(count & 0xffff_ffff)
}

/// Returns a number of things in memory as a count.
pub(crate) fn count(length: usize) -> u64 {
    u64::try_from(length).expect("memory is addressed with 64 bits")
}

/// Returns how many GiB a number of bytes is.
pub(crate) fn gib(bytes: u64) -> f64 {
    real(bytes) / real(1 << 30)
}

/// Returns how many MiB a number of bytes is.
pub(crate) fn mib(bytes: u64) -> f64 {
    real(bytes) / real(1 << 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_and_without_units() {
        let bytes = |text: &str| text.parse().map(|size: Size| size.0.0);
        assert_eq!(bytes("900"), Ok(900));
        assert_eq!(bytes("64KiB"), Ok(65_536));
        assert_eq!(bytes("64 KiB"), Ok(65_536));
        assert_eq!(bytes("10GiB"), Ok(10 << 30));
        for wrong in ["", "KiB", "1.5GiB", "-1", "64kb", "99999999999TiB"] {
            assert_eq!(bytes(wrong), Err(InvalidSize), "{wrong:?}");
        }
    }

    #[test]
    fn counts_keep_their_value_as_real_numbers() {
        assert!((real(0) - 0.0).abs() < f64::EPSILON);
        assert!((real(1 << 40) - 2f64.powi(40)).abs() < f64::EPSILON);
        assert!((real((1 << 33) + 1) - 8_589_934_593.0).abs() < f64::EPSILON);
        assert!((gib(3 << 29) - 1.5).abs() < f64::EPSILON);
    }
}
