//! The assignors of the broker: from what members want to what each is to own.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{KnownTopic, Spot, Spots};

/// How partitions are shared out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Assignor {
    /// Everybody gets about as many, and keeps what they have as far as that goes.
    #[default]
    Uniform,
    /// Of each topic everybody gets a run of neighbours, so that topics with as many partitions
    /// are joined by the same member.
    Range,
}

/// What one member wants, and what it had.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// Names of topics that exist.
    pub topics: BTreeSet<String>,
    pub had: Spots,
}

impl Assignor {
    /// Returns the assignor of this name.
    pub fn named(name: &str) -> Option<Assignor> {
        match name {
            "uniform" => Some(Assignor::Uniform),
            "range" => Some(Assignor::Range),
            _ => None,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Assignor::Uniform => "uniform",
            Assignor::Range => "range",
        }
    }

    /// Shares out all partitions of `topics` that somebody wants, each to one member.
    pub fn assign(
        self,
        topics: &BTreeMap<String, KnownTopic>,
        wishes: &BTreeMap<String, Wish>,
    ) -> BTreeMap<String, Spots> {
        match self {
            Assignor::Uniform => uniform(topics, wishes),
            Assignor::Range => range(topics, wishes),
        }
    }
}

fn spots(topic: &KnownTopic) -> impl Iterator<Item = Spot> {
    let id = topic.id;
    (0..topic.partitions).map(move |partition| Spot {
        topic: id,
        partition,
    })
}

fn wants(wishes: &BTreeMap<String, Wish>, topic: &str) -> Vec<String> {
    let wanting = wishes
        .iter()
        .filter(|(_, wish)| wish.topics.contains(topic));
    wanting.map(|(member, _)| member.clone()).collect()
}

fn range(
    topics: &BTreeMap<String, KnownTopic>,
    wishes: &BTreeMap<String, Wish>,
) -> BTreeMap<String, Spots> {
    let mut shares: BTreeMap<String, Spots> = nothing_yet(wishes);
    for (name, topic) in topics {
        let members = wants(wishes, name);
        if members.is_empty() {
            continue;
        }
        let all: Vec<Spot> = spots(topic).collect();
        let (each, more) = (all.len() / members.len(), all.len() % members.len());
        let mut rest = all.into_iter();
        for (number, member) in members.iter().enumerate() {
            let size = each + usize::from(number < more);
            let share = shares.get_mut(member).expect("every member has a share");
            share.extend(rest.by_ref().take(size));
        }
    }
    shares
}

fn uniform(
    topics: &BTreeMap<String, KnownTopic>,
    wishes: &BTreeMap<String, Wish>,
) -> BTreeMap<String, Spots> {
    let mut shares = nothing_yet(wishes);
    let mut wanted_by: BTreeMap<Spot, Vec<String>> = BTreeMap::new();
    for (name, topic) in topics {
        let members = wants(wishes, name);
        if !members.is_empty() {
            wanted_by.extend(spots(topic).map(|spot| (spot, members.clone())));
        }
    }
    // First everybody keeps what they had and still want.
    let mut free: Vec<Spot> = Vec::new();
    for (spot, members) in &wanted_by {
        let keeper = members
            .iter()
            .find(|member| wishes[*member].had.contains(spot));
        match keeper {
            Some(member) => give(&mut shares, member, *spot),
            None => free.push(*spot),
        }
    }
    for spot in free {
        let least = members_by_load(&wanted_by[&spot], &shares).min();
        let (_, member) = least.expect("somebody wants it");
        give(&mut shares, &member, spot);
    }
    even_out(&mut shares, &wanted_by);
    shares
}

/// Moves partitions to members that want them and own at least two fewer, until there are none.
/// Every move makes the sum of the squares of all loads smaller, so this ends.
fn even_out(shares: &mut BTreeMap<String, Spots>, wanted_by: &BTreeMap<Spot, Vec<String>>) {
    let mut moved = true;
    while moved {
        moved = false;
        for (spot, members) in wanted_by {
            let owner = members
                .iter()
                .find(|member| shares[*member].contains(spot))
                .cloned();
            let owner = owner.expect("every partition that is wanted is given out");
            let least = members_by_load(members, shares).min();
            let (load, member) = least.expect("the owner is one of them");
            if load + 2 <= shares[&owner].len() {
                shares.get_mut(&owner).expect("it has a share").remove(spot);
                give(shares, &member, *spot);
                moved = true;
            }
        }
    }
}

fn members_by_load(
    members: &[String],
    shares: &BTreeMap<String, Spots>,
) -> impl Iterator<Item = (usize, String)> {
    members
        .iter()
        .map(|member| (shares[member].len(), member.clone()))
}

fn nothing_yet(wishes: &BTreeMap<String, Wish>) -> BTreeMap<String, Spots> {
    wishes
        .keys()
        .map(|member| (member.clone(), Spots::new()))
        .collect()
}

fn give(shares: &mut BTreeMap<String, Spots>, member: &str, spot: Spot) {
    shares
        .get_mut(member)
        .expect("every member has a share")
        .insert(spot);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn topics(sizes: &[i32]) -> BTreeMap<String, KnownTopic> {
        let topic = |(number, partitions): (usize, &i32)| {
            let id = uuid::Uuid::from_u128(number as u128 + 1);
            (
                format!("t{number}"),
                KnownTopic {
                    id,
                    partitions: *partitions,
                },
            )
        };
        sizes.iter().enumerate().map(topic).collect()
    }

    fn wish(names: &[&str]) -> Wish {
        Wish {
            topics: names.iter().map(|name| (*name).to_owned()).collect(),
            had: Spots::new(),
        }
    }

    fn sizes(shares: &BTreeMap<String, Spots>) -> Vec<usize> {
        shares.values().map(BTreeSet::len).collect()
    }

    #[test]
    fn range_gives_neighbours_of_every_topic() {
        let wishes = ["a", "b", "c"].map(|member| (member.to_owned(), wish(&["t0", "t1"])));
        let shares = Assignor::Range.assign(&topics(&[7, 4]), &wishes.into());
        let of = |member: &str| {
            shares[member]
                .iter()
                .map(|s| s.partition)
                .collect::<Vec<_>>()
        };
        assert_eq!(of("a"), [0, 1, 2, 0, 1]);
        assert_eq!(of("b"), [3, 4, 2]);
        assert_eq!(of("c"), [5, 6, 3]);
    }

    #[test]
    fn uniform_moves_no_more_than_it_must() {
        let topics = topics(&[6]);
        let mut wishes: BTreeMap<String, Wish> = ["a", "b"]
            .map(|member| (member.to_owned(), wish(&["t0"])))
            .into();
        let two = Assignor::Uniform.assign(&topics, &wishes);
        assert_eq!(sizes(&two), [3, 3]);
        for (member, share) in &two {
            wishes.get_mut(member).expect("a member").had = share.clone();
        }
        wishes.insert("c".to_owned(), wish(&["t0"]));
        let three = Assignor::Uniform.assign(&topics, &wishes);
        assert_eq!(sizes(&three), [2, 2, 2]);
        assert!(three["a"].is_subset(&two["a"]) && three["b"].is_subset(&two["b"]));
    }

    proptest! {
        #[test]
        fn every_wanted_partition_has_one_owner_that_wants_it(
            partitions in prop::collection::vec(1..9i32, 1..4),
            wanted in prop::collection::vec(prop::collection::btree_set(0..4usize, 0..4), 1..6),
        ) {
            let topics = topics(&partitions);
            let wishes: BTreeMap<String, Wish> = wanted.iter().enumerate().map(|(number, names)| {
                let names = names.iter().map(|name| format!("t{name}"));
                let names = names.filter(|name| topics.contains_key(name)).collect();
                (format!("m{number}"), Wish { topics: names, had: Spots::new() })
            }).collect();
            for assignor in [Assignor::Uniform, Assignor::Range] {
                let shares = assignor.assign(&topics, &wishes);
                for (name, topic) in &topics {
                    let wanting = wants(&wishes, name);
                    for spot in spots(topic) {
                        let owns = |member: &&String| shares[*member].contains(&spot);
                        let owners = shares.keys().filter(owns).count();
                        prop_assert_eq!(owners, usize::from(!wanting.is_empty()));
                        let right = wanting.iter().filter(owns).count();
                        prop_assert_eq!(right, owners);
                    }
                }
            }
            let same = wishes.values().all(|wish| wish.topics == wishes["m0"].topics);
            let loads = sizes(&Assignor::Uniform.assign(&topics, &wishes));
            let (least, most) = (loads.iter().min(), loads.iter().max());
            prop_assert!(!same || most.unwrap() - least.unwrap() <= 1, "{:?}", loads);
        }
    }
}
