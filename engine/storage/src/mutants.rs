//! Deliberate faults of storage, each of which the tests must catch.

types::mutants! {
    /// A rule of storage that can be broken on purpose.
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
}
