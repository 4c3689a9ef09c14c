//! Planted mistakes: each makes the brokers wrong in one known way, so that the simulator's checks
//! can be shown to notice. Off unless a test asks for one.

/// One mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flaw {
    /// A batch that an idempotent producer repeats is stored again.
    DuplicateUnchecked,
    /// A batch of an older producer epoch is stored.
    FenceForgotten,
    /// Fetches that wait are not looked at when records come.
    WaiterLost,
    /// A committed offset is noted one further than it was.
    CommitAhead,
    /// A member of an older generation may commit.
    GenerationUnchecked,
    /// Every member of a group is given what its leader was given.
    AssignmentShared,
    /// Readers are not told which transactions were aborted.
    AbortedUntold,
    /// Readers of committed records get those of open transactions as well.
    StableOffsetIgnored,
    /// A transaction is complete without markers in its partitions.
    MarkersForgotten,
    /// A transaction that is aborted gets the markers of a commit.
    AbortCommits,
    /// `acks=all` is answered before the followers have the records.
    AckUnreplicated,
    /// The high watermark follows the end of the leader's log.
    HighWatermarkOfLeader,
    /// `min.insync.replicas` is not looked at.
    MinInSyncIgnored,
    /// Any living replica is elected, in sync or not.
    InSyncUnchecked,
    /// A follower is not told where its log and the leader's part.
    DivergenceUnseen,
    /// DescribeCluster panics. Not in `ALL`: what shows is that the server goes on.
    StepPanics,
}

impl Flaw {
    /// Returns those that the simulator's checks are to notice.
    pub const ALL: &[Flaw] = &[
        Flaw::DuplicateUnchecked,
        Flaw::FenceForgotten,
        Flaw::WaiterLost,
        Flaw::CommitAhead,
        Flaw::GenerationUnchecked,
        Flaw::AssignmentShared,
        Flaw::AbortedUntold,
        Flaw::StableOffsetIgnored,
        Flaw::MarkersForgotten,
        Flaw::AbortCommits,
        Flaw::AckUnreplicated,
        Flaw::HighWatermarkOfLeader,
        Flaw::MinInSyncIgnored,
        Flaw::InSyncUnchecked,
        Flaw::DivergenceUnseen,
    ];
}
