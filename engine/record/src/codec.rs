//! The names and numbers of the codecs.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// How a batch's body is compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// Deflate in gzip's form.
    Gzip,
    /// Snappy in blocks.
    Snappy,
    /// LZ4 in its frame.
    Lz4,
    /// Zstandard.
    Zstd,
}

/// A codec number or name without a meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("there is no such codec")]
pub struct UnknownCodec;

impl Compression {
    /// Every codec, in the order of their numbers.
    pub const ALL: [Self; 5] = [Self::None, Self::Gzip, Self::Snappy, Self::Lz4, Self::Zstd];

    pub(crate) fn from_bits(bits: u16) -> Result<Self, UnknownCodec> {
        match bits {
            0 => Ok(Self::None),
            1 => Ok(Self::Gzip),
            2 => Ok(Self::Snappy),
            3 => Ok(Self::Lz4),
            4 => Ok(Self::Zstd),
            _ => Err(UnknownCodec),
        }
    }

    pub(crate) fn bits(self) -> u16 {
        match self {
            Self::None => 0,
            Self::Gzip => 1,
            Self::Snappy => 2,
            Self::Lz4 => 3,
            Self::Zstd => 4,
        }
    }

    /// Returns the name that clients' configurations use.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Snappy => "snappy",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Compression {
    type Err = UnknownCodec;

    fn from_str(name: &str) -> Result<Self, UnknownCodec> {
        Self::ALL
            .into_iter()
            .find(|codec| codec.name() == name)
            .ok_or(UnknownCodec)
    }
}
