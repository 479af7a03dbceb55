//! Rules of storage that are broken on purpose: a simulator that does not notice is too weak.

use storage::mutants::Mutant;

/// A rule to be broken.
pub(crate) type Chosen = Mutant;

/// Returns the name of a rule on the command line.
pub(crate) fn name(mutant: Mutant) -> &'static str {
    match mutant {
        Mutant::AcknowledgeBeforeSync => "acknowledge-before-sync",
        Mutant::CheckpointWithoutSegmentSync => "checkpoint-without-segment-sync",
        Mutant::StaleFrameAccepted => "stale-frame-accepted",
        Mutant::PaddedRedo => "padded-redo",
        Mutant::StaleSyncMovesDurable => "stale-sync-moves-durable",
        Mutant::DirectoryNotSynced => "directory-not-synced",
    }
}

/// Finds rules by name; `all` is every one.
pub(crate) fn named(text: &str) -> Option<Vec<Mutant>> {
    if text == "all" {
        return Some(Mutant::ALL.to_vec());
    }
    let found = Mutant::ALL.into_iter().find(|&mutant| name(mutant) == text);
    found.map(|mutant| vec![mutant])
}

/// Breaks a rule from now on; returns whether this build can.
#[cfg(feature = "mutants")]
pub(crate) fn choose(mutant: Mutant) -> bool {
    storage::mutants::choose(Some(mutant));
    true
}

/// Breaks a rule from now on; returns whether this build can.
#[cfg(not(feature = "mutants"))]
pub(crate) fn choose(_: Mutant) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_found_by_its_name() {
        for mutant in Mutant::ALL {
            assert_eq!(named(name(mutant)), Some(vec![mutant]));
        }
        assert_eq!(named("all").map(|all| all.len()), Some(Mutant::ALL.len()));
    }
}
