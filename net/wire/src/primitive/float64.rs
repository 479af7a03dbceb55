//! A floating-point number that messages can be compared with.

use std::fmt;

/// A number in IEEE 754's 64 bits.
///
/// Two are equal if their bits are: a NaN equals itself, and -0 is not 0. So a message with one
/// equals what it is read back as, whatever a client put there.
#[derive(Clone, Copy, Default)]
pub struct Float64(pub f64);

impl PartialEq for Float64 {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

impl Eq for Float64 {}

impl fmt::Debug for Float64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_equal_if_their_bits_are() {
        assert_eq!(Float64(1.5), Float64(1.5));
        assert_eq!(Float64(f64::NAN), Float64(f64::NAN));
        assert_ne!(Float64(0.0), Float64(-0.0));
    }
}
