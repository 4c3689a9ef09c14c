//! Holds replies back until everything before them is as durable as the policy says.
//!
//! A reply tells its reader about the brokers as they were: that a record is stored, that a group
//! has a new generation, that an offset is the last. Were it to leave before the disk knows as
//! much, a crash could make it a lie. So no reply of any kind overtakes an earlier change.

use std::collections::VecDeque;

use crate::brokers::{Reply, RequestId};

/// The way out for replies.
#[derive(Debug, Default)]
pub struct Gate {
    /// Changes are numbered by the step that made them, from 1 on.
    last: u64,
    durable: u64,
    held: VecDeque<(u64, Reply)>,
    failed: bool,
}

/// What becomes of the replies of one step.
#[derive(Debug, Default)]
pub struct Passed {
    /// May go at once.
    pub replies: Vec<Reply>,
    /// The number to store the step's changes under, where it made any.
    pub number: Option<u64>,
    /// Will never be answered: the storage has failed, and these tell of what it does not hold.
    pub lost: Vec<RequestId>,
}

impl Gate {
    /// Takes in the replies of the next step.
    pub fn pass(&mut self, changed: bool, replies: Vec<Reply>) -> Passed {
        let mut passed = Passed::default();
        if self.failed {
            match changed {
                true => passed.lost = replies.into_iter().map(|reply| reply.to).collect(),
                false => passed.replies = replies,
            }
            return passed;
        }
        if changed {
            self.last += 1;
            passed.number = Some(self.last);
        }
        if self.last == self.durable {
            passed.replies = replies;
        } else {
            let last = self.last;
            self.held
                .extend(replies.into_iter().map(|reply| (last, reply)));
        }
        passed
    }

    /// Notes that all changes up to this number are durable; returns the replies that waited.
    pub fn durable(&mut self, number: u64) -> Vec<Reply> {
        self.durable = self.durable.max(number);
        let free = self
            .held
            .iter()
            .take_while(|(after, _)| *after <= self.durable);
        let free = free.count();
        self.held.drain(..free).map(|(_, reply)| reply).collect()
    }

    /// Notes that nothing more will be durable; returns the requests whose replies are lost.
    pub fn fail(&mut self) -> Vec<RequestId> {
        self.failed = true;
        self.held.drain(..).map(|(_, reply)| reply.to).collect()
    }

    /// Returns the number of the last step that changed anything.
    pub fn last(&self) -> u64 {
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(to: u64) -> Reply {
        Reply {
            to: RequestId(to),
            response: None,
        }
    }

    fn ids(replies: &[Reply]) -> Vec<u64> {
        replies.iter().map(|reply| reply.to.0).collect()
    }

    #[test]
    fn reply_without_earlier_changes_goes_at_once() {
        let passed = Gate::default().pass(false, vec![reply(1)]);
        assert_eq!(ids(&passed.replies), [1]);
        assert_eq!(passed.number, None);
    }

    #[test]
    fn reply_waits_for_its_own_change_and_for_earlier_ones() {
        let mut gate = Gate::default();
        let first = gate.pass(true, vec![reply(1)]);
        assert_eq!((first.number, first.replies.len()), (Some(1), 0));
        let read = gate.pass(false, vec![reply(2)]);
        assert_eq!((read.number, read.replies.len()), (None, 0));
        gate.pass(true, vec![reply(3)]);
        assert_eq!(ids(&gate.durable(1)), [1, 2]);
        assert_eq!(ids(&gate.durable(2)), [3]);
        assert_eq!(ids(&gate.pass(false, vec![reply(4)]).replies), [4]);
    }

    #[test]
    fn one_sync_frees_the_replies_of_several_steps() {
        let mut gate = Gate::default();
        for to in 1..=3 {
            gate.pass(true, vec![reply(to)]);
        }
        assert_eq!(ids(&gate.durable(3)), [1, 2, 3]);
    }

    #[test]
    fn after_a_failure_only_replies_without_changes_go() {
        let mut gate = Gate::default();
        gate.pass(true, vec![reply(1)]);
        assert_eq!(gate.fail(), [RequestId(1)]);
        assert_eq!(ids(&gate.pass(false, vec![reply(2)]).replies), [2]);
        let passed = gate.pass(true, vec![reply(3)]);
        assert_eq!(passed.lost, [RequestId(3)]);
        assert!(passed.replies.is_empty());
    }
}
