//! Leads one member to its target, step by step: first it gives up what it is to lose, then it
//! gets what others have given up. A partition that somebody still owns, or has not said to have
//! given up, goes to nobody: so it never has two owners.

use super::{ConsumerGroup, Progress, Spot, Spots};
use crate::brokers::Millis;

impl ConsumerGroup {
    /// Takes the next step with a member that says it owns `owned`, if it said so.
    pub(super) fn reconcile(&mut self, now_ms: Millis, id: &str, owned: Option<&Spots>) {
        let Some(member) = self.members.get(id) else {
            return;
        };
        match member.progress {
            Progress::Stable if member.epoch == self.assignment_epoch => return,
            Progress::Unrevoked => {
                let given_up = owned.is_some_and(|owned| owned.is_disjoint(&member.revoking));
                if !given_up {
                    return;
                }
            }
            Progress::Stable | Progress::Unreleased => {}
        }
        let to_revoke: Spots = member
            .assigned
            .difference(&member.target)
            .copied()
            .collect();
        let kept: Spots = member
            .assigned
            .intersection(&member.target)
            .copied()
            .collect();
        let missing = member.target.difference(&member.assigned);
        let (taken, free): (Vec<Spot>, Vec<Spot>) =
            missing.partition(|spot| self.is_taken(id, spot));
        let epoch = self.assignment_epoch;
        let member = self.members.get_mut(id).expect("it was there a moment ago");
        member.previous_epoch = member.epoch;
        member.assigned = kept;
        // What a member says not to own, it need not give up.
        let must_wait = owned.is_none_or(|owned| !owned.is_disjoint(&to_revoke));
        if !to_revoke.is_empty() && must_wait {
            member.progress = Progress::Unrevoked;
            member.revoking = to_revoke;
            member.revoke_by_ms = Some(now_ms.saturating_add(member.rebalance_timeout_ms));
            return;
        }
        member.revoking.clear();
        member.revoke_by_ms = None;
        member.assigned.extend(free);
        member.epoch = epoch;
        member.progress = match taken.is_empty() {
            true => Progress::Stable,
            false => Progress::Unreleased,
        };
    }

    /// Returns true for a partition that another member owns or has not given up yet.
    fn is_taken(&self, id: &str, spot: &Spot) -> bool {
        let mut others = self.members.iter().filter(|(other, _)| *other != id);
        others.any(|(_, other)| other.assigned.contains(spot) || other.revoking.contains(spot))
    }
}
