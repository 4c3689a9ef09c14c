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
    /// DescribeCluster panics. Not in `ALL`: what shows is that the server goes on.
    StepPanics,
}

impl Flaw {
    /// Returns all of them.
    pub const ALL: &[Flaw] = &[
        Flaw::DuplicateUnchecked,
        Flaw::FenceForgotten,
        Flaw::WaiterLost,
        Flaw::CommitAhead,
        Flaw::GenerationUnchecked,
        Flaw::AssignmentShared,
    ];
}
