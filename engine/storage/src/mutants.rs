//! Deliberate faults, each of which the tests must catch; none can be chosen without the feature
//! `mutants`.
//!
//! A test that passes with a mutant switched on is too weak to be believed without it.

/// A rule of storage that can be broken on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutant {
    /// Appends are acknowledged before the journal's sync.
    AcknowledgeBeforeSync,
    /// A checkpoint frees journal files without syncing the segments.
    CheckpointWithoutSegmentSync,
    /// A valid chunk that an earlier lap left in a recycled file is taken for the next one.
    StaleFrameAccepted,
    /// Replay writes whole blocks, zeros around the frame's bytes included.
    PaddedRedo,
    /// A segment sync that began before a truncation moves the durable end after it.
    StaleSyncMovesDurable,
    /// New segments' names are not synced.
    DirectoryNotSynced,
}

impl Mutant {
    /// Every mutant.
    pub const ALL: [Self; 6] = [
        Self::AcknowledgeBeforeSync,
        Self::CheckpointWithoutSegmentSync,
        Self::StaleFrameAccepted,
        Self::PaddedRedo,
        Self::StaleSyncMovesDurable,
        Self::DirectoryNotSynced,
    ];
}

#[cfg(feature = "mutants")]
mod switch {
    use std::cell::Cell;

    use super::Mutant;

    thread_local! {
        static CHOSEN: Cell<Option<Mutant>> = const { Cell::new(None) };
    }

    /// Chooses the rule that this thread's storage breaks from now on; `None`: none.
    pub fn choose(mutant: Option<Mutant>) {
        CHOSEN.set(mutant);
    }

    /// Returns whether a rule is to be broken.
    pub(crate) fn is_on(mutant: Mutant) -> bool {
        CHOSEN.get() == Some(mutant)
    }
}

#[cfg(not(feature = "mutants"))]
mod switch {
    use super::Mutant;

    /// Returns that no rule is to be broken.
    pub(crate) const fn is_on(_: Mutant) -> bool {
        false
    }
}

#[cfg(feature = "mutants")]
pub use switch::choose;
pub(crate) use switch::is_on;
