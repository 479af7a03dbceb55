//! Byte counts and rounding to blocks.

use std::fmt;

/// The unit of direct I/O: every position, length and buffer of it is a multiple of this.
///
/// 4,096 always, also where a device reports 512: a wrong report is an `EINVAL` later.
pub const BLOCK_SIZE: u64 = 4096;

/// A number of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteCount(pub u64);

impl ByteCount {
    /// No bytes.
    pub const ZERO: Self = Self(0);

    /// Makes a count of 1,024-byte units.
    pub const fn kib(count: u64) -> Self {
        Self(count * 1024)
    }

    /// Makes a count of 1,048,576-byte units.
    pub const fn mib(count: u64) -> Self {
        Self(count * 1024 * 1024)
    }

    /// Counts the bytes of a slice.
    pub fn of(bytes: &[u8]) -> Self {
        Self::from(bytes.len())
    }

    /// Returns the count for addressing memory.
    ///
    /// *Panics*: never on the 64-bit machines this runs on.
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).expect("memory is addressed with 64 bits")
    }
}

impl From<usize> for ByteCount {
    fn from(count: usize) -> Self {
        Self(u64::try_from(count).expect("memory is addressed with 64 bits"))
    }
}

/// Shown in the largest binary unit that keeps the number whole: `64 KiB`, `1000 B`.
impl fmt::Display for ByteCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut count, mut unit) = (self.0, "B");
        for larger in ["KiB", "MiB", "GiB", "TiB"] {
            if count == 0 || count % 1024 != 0 {
                break;
            }
            (count, unit) = (count / 1024, larger);
        }
        write!(f, "{count} {unit}")
    }
}

/// Rounds a file position down to the start of its block.
pub const fn block_floor(position: u64) -> u64 {
    position - position % BLOCK_SIZE
}

/// Rounds a file position up to the next block start.
///
/// *Panics*: within one block of 2^64.
pub const fn block_ceil(position: u64) -> u64 {
    position.div_ceil(BLOCK_SIZE) * BLOCK_SIZE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_says_which_way() {
        assert_eq!((block_floor(4095), block_ceil(4095)), (0, 4096));
        assert_eq!((block_floor(4096), block_ceil(4096)), (4096, 4096));
        assert_eq!((block_floor(4097), block_ceil(4097)), (4096, 8192));
    }

    #[test]
    fn counts_are_shown_in_the_largest_whole_unit() {
        assert_eq!(ByteCount::kib(64).to_string(), "64 KiB");
        assert_eq!(ByteCount(1000).to_string(), "1000 B");
        assert_eq!(ByteCount::mib(2048).to_string(), "2 GiB");
        assert_eq!(ByteCount::ZERO.to_string(), "0 B");
    }
}
