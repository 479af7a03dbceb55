//! Deliberate faults of the coordinator, each of which the tests must catch.

types::mutants! {
    /// A rule of the coordinator that can be broken on purpose.
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
}
