//! What must always hold, looked at after every step.
//!
//! - [`replicas`]: leaders, in-sync sets, high watermarks, logs that agree
//! - [`records`]: nothing lost, nothing doubled, order, fences, what readers see
//! - [`groups`]: committed offsets, owners
//! - [`transactions`]: ended as wanted, in all partitions alike
//! - [`answers`]: nobody waits for ever

use std::fmt;

pub(super) mod answers;
pub(super) mod committed;
pub(super) mod groups;
pub(super) mod records;
pub(super) mod replicas;
pub(super) mod transactions;

/// The checks by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// A record acknowledged under `acks=all` is committed, and stays.
    AcknowledgedStays,
    /// It is on as many replicas as `min.insync.replicas` asks for.
    EnoughReplicas,
    /// No record of an idempotent producer is stored twice.
    NothingDoubled,
    /// Records of a producer keep their order in a partition.
    OrderKept,
    /// An idempotent producer is never told that something is missing where nothing is.
    SequenceUnbroken,
    /// After a producer's new epoch nothing of the old one is stored.
    FenceHolds,
    /// One leader in each epoch of a partition.
    OneLeader,
    /// A leader has every committed record.
    LeaderComplete,
    /// Replicas hold the same records below their high watermarks.
    ReplicasAgree,
    /// The in-sync set lies within the assignment, and each of it holds all that is committed.
    InSyncHolds,
    /// A leader's high watermark does not fall within its epoch, nor lie beyond its log.
    HighWatermarkRises,
    /// Last stable offset at most the high watermark; at rest both are the end of the log.
    StableBelowHigh,
    /// Readers see what is committed below the high watermark, all of it, in order.
    ReadersSeeCommitted,
    /// Readers of committed records see no aborted one, and all committed ones.
    ReadCommitted,
    /// A transaction ends as its owner wanted, in all its partitions.
    TransactionsWhole,
    /// A committed offset is one that was asked for, and not beyond what is stored.
    CommitNotAhead,
    /// A group's committed offset does not go back.
    CommitNotBack,
    /// Committed after processing means processed; committed before means at most once.
    ProcessedAsPromised,
    /// One owner of a partition in a generation.
    OneOwner,
    /// Every request is answered in its time.
    EverybodyAnswered,
    /// Who waits for records is woken by them.
    WaitersWoken,
    /// When all faults are over, all clients finish.
    ComesToRest,
}

impl Check {
    /// Returns all checks.
    pub const ALL: &[Check] = &[
        Check::AcknowledgedStays,
        Check::EnoughReplicas,
        Check::NothingDoubled,
        Check::OrderKept,
        Check::SequenceUnbroken,
        Check::FenceHolds,
        Check::OneLeader,
        Check::LeaderComplete,
        Check::ReplicasAgree,
        Check::InSyncHolds,
        Check::HighWatermarkRises,
        Check::StableBelowHigh,
        Check::ReadersSeeCommitted,
        Check::ReadCommitted,
        Check::TransactionsWhole,
        Check::CommitNotAhead,
        Check::CommitNotBack,
        Check::ProcessedAsPromised,
        Check::OneOwner,
        Check::EverybodyAnswered,
        Check::WaitersWoken,
        Check::ComesToRest,
    ];

    /// Returns the check as a sentence that holds.
    pub fn claim(self) -> &'static str {
        match self {
            Check::AcknowledgedStays => "what is acknowledged is committed and stays",
            Check::EnoughReplicas => "what is acknowledged is on min.insync.replicas nodes",
            Check::NothingDoubled => "nothing of an idempotent producer is stored twice",
            Check::OrderKept => "records of a producer keep their order",
            Check::SequenceUnbroken => "no gap is seen where none is",
            Check::FenceHolds => "an older producer epoch stores nothing",
            Check::OneLeader => "each epoch has one leader",
            Check::LeaderComplete => "a leader has every committed record",
            Check::ReplicasAgree => "replicas agree below the high watermark",
            Check::InSyncHolds => "the in-sync set is assigned and holds what is committed",
            Check::HighWatermarkRises => "the high watermark rises and lies within the log",
            Check::StableBelowHigh => "the last stable offset is at most the high watermark",
            Check::ReadersSeeCommitted => "readers see all below the high watermark, nothing above",
            Check::ReadCommitted => "read_committed sees committed records, all and only",
            Check::TransactionsWhole => "a transaction ends in all partitions as was wanted",
            Check::CommitNotAhead => "a committed offset was asked for and is not ahead",
            Check::CommitNotBack => "a committed offset does not go back",
            Check::ProcessedAsPromised => "records are processed as the commit promises",
            Check::OneOwner => "a partition has one owner in a generation",
            Check::EverybodyAnswered => "every request is answered in its time",
            Check::WaitersWoken => "new records wake who waits for them",
            Check::ComesToRest => "after the faults everybody finishes",
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.claim())
    }
}

/// A check that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    pub check: Check,
    /// What was found.
    pub what: String,
    pub step: u64,
    pub at_ms: i64,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Broken {
            check,
            what,
            step,
            at_ms,
        } = self;
        write!(f, "step {step}, {at_ms} ms: broken: {check}\n  {what}")
    }
}
