//! The order of all chunks and heads a shard ever writes.

use std::fmt;

/// The place of a chunk or head in its journal; never given out twice.
///
/// A generation is one run of the node, one higher at every start, so that what an earlier run left
/// behind in a recycled file is never taken for this run's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Sequence {
    /// The run of the node.
    pub(crate) generation: u32,
    /// Counts heads and chunks within the run, from 1.
    pub(crate) counter: u64,
}

impl Sequence {
    /// Returns the one that must follow.
    pub(crate) fn next(self) -> Self {
        Self {
            counter: self.counter + 1,
            ..self
        }
    }

    /// Starts a checksum that holds for this place alone.
    ///
    /// Bytes that were valid at another place of the sequence do not pass there.
    pub(crate) fn crc_seed(self) -> u32 {
        let seed = crc32c::crc32c(&self.generation.to_le_bytes());
        crc32c::crc32c_append(seed, &self.counter.to_le_bytes())
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.generation, self.counter)
    }
}
