//! Rules of the product that are broken on purpose: a simulator that does not notice is too weak.

use coordinator::mutants::Mutant as Group;
use storage::mutants::Mutant as Storage;

/// A rule to be broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Chosen {
    /// Of storage.
    Storage(Storage),
    /// Of the coordinator of consumer groups.
    Group(Group),
}

/// Every rule that lives of a node or of stores can notice, by name. Rules of the coordinator that are
/// not here need more time than such a life has, or clients that it lacks; its own simulation breaks all.
const ALL: &[(&str, Chosen)] = &[
    (
        "acknowledge-before-sync",
        Chosen::Storage(Storage::AcknowledgeBeforeSync),
    ),
    (
        "checkpoint-without-segment-sync",
        Chosen::Storage(Storage::CheckpointWithoutSegmentSync),
    ),
    (
        "stale-frame-accepted",
        Chosen::Storage(Storage::StaleFrameAccepted),
    ),
    ("padded-redo", Chosen::Storage(Storage::PaddedRedo)),
    (
        "stale-sync-moves-durable",
        Chosen::Storage(Storage::StaleSyncMovesDurable),
    ),
    (
        "directory-not-synced",
        Chosen::Storage(Storage::DirectoryNotSynced),
    ),
    (
        "commit-before-durable",
        Chosen::Group(Group::AcknowledgeBeforeDurable),
    ),
    (
        "sync-before-durable",
        Chosen::Group(Group::SyncBeforeDurable),
    ),
    (
        "sessions-forgotten-at-load",
        Chosen::Group(Group::SessionsForgottenAtLoad),
    ),
    ("first-commit-stays", Chosen::Group(Group::FirstCommitStays)),
    ("generation-stays", Chosen::Group(Group::GenerationStays)),
];

/// Returns the name of a rule on the command line.
pub(crate) fn name(mutant: Chosen) -> &'static str {
    let found = ALL.iter().find(|(_, it)| *it == mutant);
    found.map_or("a rule without a name", |(name, _)| name)
}

/// Finds rules by name; `all` is every one.
pub(crate) fn named(text: &str) -> Option<Vec<Chosen>> {
    let found = ALL
        .iter()
        .filter(|(name, _)| text == "all" || text == *name);
    let found: Vec<Chosen> = found.map(|(_, mutant)| *mutant).collect();
    (!found.is_empty()).then_some(found)
}

/// Breaks a rule from now on; returns whether this build can.
#[cfg(feature = "mutants")]
pub(crate) fn choose(mutant: Chosen) -> bool {
    match mutant {
        Chosen::Storage(mutant) => storage::mutants::choose(Some(mutant)),
        Chosen::Group(mutant) => coordinator::mutants::choose(Some(mutant)),
    }
    true
}

/// Breaks a rule from now on; returns whether this build can.
#[cfg(not(feature = "mutants"))]
pub(crate) fn choose(_: Chosen) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_found_by_its_name() {
        for &(text, mutant) in ALL {
            assert_eq!(named(text), Some(vec![mutant]));
            assert_eq!(name(mutant), text);
        }
        assert_eq!(named("all").map(|all| all.len()), Some(ALL.len()));
        let storage = ALL
            .iter()
            .filter(|(_, it)| matches!(it, Chosen::Storage(_)));
        assert_eq!(storage.count(), Storage::ALL.len());
    }
}
