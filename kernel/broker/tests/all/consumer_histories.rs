//! Random histories of a consumer group: members come, go, lag behind, lose replies and die, topics
//! grow; no partition ever has two owners, and in the end everything is shared out evenly.

use std::collections::{BTreeMap, BTreeSet};

use kafka_protocol::ResponseError;
use proptest::prelude::*;

use crate::consumers::{Member, group, heartbeat, with_partitions};
use crate::stepped::Stepped;

const PARTITIONS: i32 = 7;

#[derive(Debug, Clone, Copy)]
enum Event {
    /// A heartbeat whose reply arrives; the member acts on it later.
    Beat(usize),
    /// The member gives up and takes over what it was told to.
    Act(usize),
    /// A heartbeat whose reply is lost.
    Lost(usize),
    Leave(usize),
    /// The member is gone without a word; whatever it owned, nobody reads it now.
    Die(usize),
    Pass(i64),
}

fn event() -> impl Strategy<Value = Event> {
    let member = 0..5usize;
    prop_oneof![
        8 => member.clone().prop_map(Event::Beat),
        6 => member.clone().prop_map(Event::Act),
        2 => member.clone().prop_map(Event::Lost),
        1 => member.clone().prop_map(Event::Leave),
        1 => member.prop_map(Event::Die),
        2 => (0..20_000i64).prop_map(Event::Pass),
    ]
}

/// Members by number; one that is missing has not joined.
type Members = BTreeMap<usize, Member>;

fn apply(stepped: &mut Stepped, members: &mut Members, event: Event) {
    match event {
        Event::Beat(number) => {
            let member = members
                .entry(number)
                .or_insert_with(|| Member::new(&format!("m{number}")));
            match member.beat(stepped) {
                Ok(()) => {}
                Err(ResponseError::UnknownMemberId | ResponseError::FencedMemberEpoch) => {
                    member.start_anew();
                }
                Err(other) => panic!("{other:?} to {member:?}"),
            }
        }
        Event::Act(number) => {
            if let Some(member) = members.get_mut(&number) {
                member.act();
            }
        }
        Event::Lost(number) => {
            if let Some(member) = members.get_mut(&number) {
                heartbeat(stepped, member.request());
                // A client that hears nothing tells everything the next time; what it owns is
                // part of that, so it first does what it was told.
                member.act();
                member.full = true;
            }
        }
        Event::Leave(number) => {
            if let Some(mut member) = members.remove(&number) {
                member.epoch = -1;
                heartbeat(stepped, member.request());
            }
        }
        Event::Die(number) => {
            members.remove(&number);
        }
        Event::Pass(ms) => {
            stepped.pass(ms);
            // A real member stops reading when it could not say in time that it lives.
            let alive: BTreeSet<String> = match stepped.brokers.describe().groups.first() {
                Some(group) => group
                    .members
                    .iter()
                    .map(|member| member.id.clone())
                    .collect(),
                None => BTreeSet::new(),
            };
            let removed = members
                .values_mut()
                .filter(|member| !alive.contains(&member.id));
            removed.for_each(Member::start_anew);
        }
    }
}

fn check(stepped: &Stepped, members: &Members) {
    let mut readers: BTreeMap<_, Vec<&str>> = BTreeMap::new();
    for member in members.values() {
        for spot in &member.owned {
            readers.entry(*spot).or_default().push(&member.id);
        }
    }
    for (spot, readers) in &readers {
        assert_eq!(readers.len(), 1, "{spot:?} is read by {readers:?}");
    }
    let mut owners: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for group in stepped.brokers.describe().groups {
        for member in group.members {
            for spot in member.assigned.into_iter().chain(member.revoking) {
                owners.entry(spot).or_default().push(member.id.clone());
            }
        }
    }
    for (spot, owners) in &owners {
        assert_eq!(owners.len(), 1, "{spot:?} belongs to {owners:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]
    #[test]
    fn no_partition_ever_has_two_owners(events in prop::collection::vec(event(), 1..120)) {
        let mut stepped = with_partitions(PARTITIONS);
        let mut members = Members::new();
        for event in events {
            apply(&mut stepped, &mut members, event);
            check(&stepped, &members);
        }
        // Once all is calm, everything is shared out evenly among those who are left.
        apply(&mut stepped, &mut members, Event::Beat(0));
        for _ in 0..40 {
            apply(&mut stepped, &mut members, Event::Pass(3000));
            for number in members.keys().copied().collect::<Vec<_>>() {
                apply(&mut stepped, &mut members, Event::Beat(number));
                apply(&mut stepped, &mut members, Event::Act(number));
                check(&stepped, &members);
            }
        }
        let loads: Vec<usize> = members.values().map(|member| member.owned.len()).collect();
        prop_assert_eq!(loads.iter().sum::<usize>(), PARTITIONS as usize, "{:?}", loads);
        prop_assert!(loads.iter().max().unwrap() - loads.iter().min().unwrap() <= 1, "{:?}", loads);
        prop_assert_eq!(group(&stepped).state, "Stable");
    }
}
