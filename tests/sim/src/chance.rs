//! Chance for workloads: seeded, and independent of how tasks interleave.
//!
//! The simulated machine draws from a generator of its own. An actor that draws from its own too
//! decides the same things whatever happens around it, so a small change of the system leaves most
//! of a life as it was.

/// A seeded generator (splitmix64); equal seeds give equal sequences on every machine.
#[derive(Clone, Debug)]
pub(crate) struct Chance {
    state: u64,
}

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: mix(seed) }
    }

    /// Makes a generator for somebody else, whose draws do not move this one's further.
    pub(crate) fn fork(&mut self) -> Self {
        Self::new(self.next_u64())
    }

    pub(crate) fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.state)
    }

    /// Draws a number in `[least, most]`.
    pub(crate) fn between(&mut self, least: u64, most: u64) -> u64 {
        assert!(least <= most, "there is a number to draw");
        let span = u128::from(most - least) + 1;
        let drawn = (u128::from(self.next_u64()) * span) >> 64;
        least + u64::try_from(drawn).expect("the drawn number is below the span")
    }

    /// Draws an index of a list of `count` items.
    pub(crate) fn index(&mut self, count: usize) -> usize {
        assert!(count > 0, "there is an item to draw");
        let most = u64::try_from(count - 1).expect("memory is addressed with 64 bits");
        usize::try_from(self.between(0, most)).expect("an index is below the count")
    }

    /// Says yes `percent` times in a hundred.
    pub(crate) fn percent(&mut self, percent: u64) -> bool {
        self.between(1, 100) <= percent
    }

    /// Draws one of some values.
    pub(crate) fn pick<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.index(values.len())]
    }
}

/// Scrambles 64 bits: the output function of splitmix64.
pub(crate) fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_reach_both_ends_and_repeat_by_seed() {
        let mut chance = Chance::new(5);
        let drawn: Vec<u64> = (0..500).map(|_| chance.between(3, 6)).collect();
        assert_eq!(drawn.iter().min(), Some(&3));
        assert_eq!(drawn.iter().max(), Some(&6));
        let mut again = Chance::new(5);
        assert!(drawn.iter().all(|&number| number == again.between(3, 6)));
    }

    #[test]
    fn the_whole_range_can_be_drawn_from() {
        let mut chance = Chance::new(1);
        let large = (0..64)
            .filter(|_| chance.between(0, u64::MAX) > u64::MAX / 2)
            .count();
        assert!((10..54).contains(&large), "{large}");
    }
}
