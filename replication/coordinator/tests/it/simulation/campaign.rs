//! Many lives, each from its own seed; and for each mutant as many as it takes to notice it.

use crate::simulation::life::Life;

/// Seeds that are lived each time.
const SEEDS: std::ops::Range<u64> = 0..100;

#[test]
fn no_life_breaks_a_promise() {
    let mut synced = 0;
    for seed in SEEDS {
        let mut life = Life::new(seed);
        life.live();
        synced += life.promises.synced_count();
    }
    assert!(synced > 1_000, "members hardly ever got an assignment");
}

#[test]
fn a_life_repeats_by_its_seed() {
    let trace = |seed| {
        let mut life = Life::new(seed);
        life.live();
        life.trace()
    };
    assert_eq!(trace(7), trace(7));
    assert_ne!(trace(7), trace(8));
}

#[cfg(feature = "mutants")]
mod mutants {
    use std::panic;

    use coordinator::mutants::{Mutant, choose};

    use crate::simulation::life::Life;

    /// A mutant is noticed within this many lives.
    const SEEDS_MAX: u64 = 50;

    fn notice(mutant: Mutant) {
        // The mutant is this thread's alone.
        choose(Some(mutant));
        let noticed =
            (0..SEEDS_MAX).find(|&seed| panic::catch_unwind(|| Life::new(seed).live()).is_err());
        choose(None);
        assert!(noticed.is_some(), "{mutant:?} was not noticed");
    }

    #[test]
    fn every_mutant_is_noticed() {
        Mutant::ALL.iter().copied().for_each(notice);
    }
}
