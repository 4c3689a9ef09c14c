//! Where in its loop a consumer dies: the columns of a crash matrix.

use std::fmt;

use super::actors::Context;

/// A place in the poll loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CrashPoint {
    /// C1: records are polled, nothing is done with them.
    AfterPoll,
    /// C2: in the middle of processing a record.
    InProcessing,
    /// C3: the effect is there, the output is not sent.
    AfterEffect,
    /// C4: the output is sent, nobody knows yet whether it arrived.
    AfterProduce,
    /// C5: everything is there but the commit.
    BeforeCommit,
    /// C6: the commit is confirmed.
    AfterCommit,
    /// C7: the group takes partitions away.
    InRevoke,
}

impl CrashPoint {
    /// Returns all of them, in the order of the loop.
    pub const ALL: [CrashPoint; 7] = [
        CrashPoint::AfterPoll,
        CrashPoint::InProcessing,
        CrashPoint::AfterEffect,
        CrashPoint::AfterProduce,
        CrashPoint::BeforeCommit,
        CrashPoint::AfterCommit,
        CrashPoint::InRevoke,
    ];
}

impl fmt::Display for CrashPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CrashPoint::AfterPoll => "after the poll",
            CrashPoint::InProcessing => "while processing",
            CrashPoint::AfterEffect => "after the effect",
            CrashPoint::AfterProduce => "after the produce",
            CrashPoint::BeforeCommit => "before the commit",
            CrashPoint::AfterCommit => "after the commit",
            CrashPoint::InRevoke => "while revoking",
        })
    }
}

/// Whether, where and when a consumer is to die: the `visits`-th time it comes past the point.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Doom {
    pub point: Option<CrashPoint>,
    pub visits: u32,
    /// It has struck and the world is to take the client down.
    pub dead: bool,
}

impl Doom {
    pub fn strikes(&mut self, point: CrashPoint, context: &mut Context<'_>) -> bool {
        if self.point != Some(point) || self.dead {
            return false;
        }
        self.visits = self.visits.saturating_sub(1);
        if self.visits > 0 {
            return false;
        }
        context.say(|| format!("dies {point}"));
        self.point = None;
        self.dead = true;
        true
    }
}
