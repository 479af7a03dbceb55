//! Deliberate faults, each of which the tests must catch; none can be chosen without the feature
//! `mutants`.
//!
//! A test that passes with a mutant switched on is too weak to be believed without it.

/// A rule of the coordinator that can be broken on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutant {
    /// Commits are answered before they are durable.
    AcknowledgeBeforeDurable,
    /// Commits of earlier generations are taken.
    OldGenerationCommits,
    /// Assignments are given out before the generation is durable.
    SyncBeforeDurable,
    /// A static member is not fenced by its successor.
    StaticMemberNotFenced,
    /// Members of a loaded group have no session timeout.
    SessionsForgottenAtLoad,
    /// A commit is applied only where no other stands yet.
    FirstCommitStays,
    /// The offsets of a group with members expire.
    ActiveOffsetsExpire,
    /// A rebalance does not count the generation up.
    GenerationStays,
}

impl Mutant {
    /// Every mutant.
    pub const ALL: [Self; 8] = [
        Self::AcknowledgeBeforeDurable,
        Self::OldGenerationCommits,
        Self::SyncBeforeDurable,
        Self::StaticMemberNotFenced,
        Self::SessionsForgottenAtLoad,
        Self::FirstCommitStays,
        Self::ActiveOffsetsExpire,
        Self::GenerationStays,
    ];
}

#[cfg(feature = "mutants")]
mod switch {
    use std::cell::Cell;

    use super::Mutant;

    thread_local! {
        static CHOSEN: Cell<Option<Mutant>> = const { Cell::new(None) };
    }

    /// Chooses the rule that this thread's coordinators break from now on; `None`: none.
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
