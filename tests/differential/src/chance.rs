//! Randomness from a seed: the same choices in the same order on every machine.

/// A stream of choices.
#[derive(Clone, Debug)]
pub(crate) struct Chance {
    state: u64,
}

impl Chance {
    /// Starts the stream of a seed.
    pub(crate) const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// Returns 64 random bits (SplitMix64: a counter, scrambled).
    fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number below `bound`, which is above 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let bits = self.bits() % u64::try_from(bound.max(1)).unwrap_or(1);
        usize::try_from(bits).unwrap_or(0)
    }

    /// Returns whether something happens that happens once in `times`.
    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// Returns a version from a range.
    pub(crate) fn version(&mut self, min: i16, max: i16) -> i16 {
        let count = usize::try_from(max - min).unwrap_or(0) + 1;
        min + i16::try_from(self.below(count)).unwrap_or(0)
    }

    /// Returns one of the choices, of which there is at least one.
    pub(crate) fn of<T: Clone>(&mut self, choices: &[T]) -> T {
        let index = self.below(choices.len());
        choices.get(index).expect("there is a choice").clone()
    }
}
