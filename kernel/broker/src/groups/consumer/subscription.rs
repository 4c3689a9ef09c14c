//! Which topics the members of a group want, by name and by pattern.

use std::collections::{BTreeMap, BTreeSet};

use super::assignors::{Assignor, Wish};
use super::{ConsumerGroup, ConsumerMember, KnownTopic};
use crate::brokers::Topics;

/// A pattern that needs more memory than this when compiled is refused.
const MOST_PATTERN_BYTES: usize = 1 << 20;

/// Returns a pattern that matches whole names of topics.
///
/// # Errors
/// Says why the pattern is none.
pub(super) fn compile(pattern: &str) -> Result<regex::Regex, String> {
    regex::RegexBuilder::new(&format!("^(?:{pattern})$"))
        .size_limit(MOST_PATTERN_BYTES)
        .build()
        .map_err(|why| why.to_string())
}

impl ConsumerGroup {
    /// Looks up what the members want, and works out a new target where something changed.
    pub(super) fn refresh(&mut self, topics: &Topics, changed: bool) {
        let wanted: BTreeMap<String, BTreeSet<String>> = self
            .members
            .iter()
            .map(|(id, member)| (id.clone(), wanted_topics(member, topics)))
            .collect();
        let known = known_topics(topics, wanted.values().flatten());
        if changed || known != self.topics {
            self.epoch += 1;
            self.topics = known;
        }
        if self.epoch > self.assignment_epoch {
            self.assign(wanted);
        }
    }

    fn assign(&mut self, wanted: BTreeMap<String, BTreeSet<String>>) {
        self.assignor = self.chosen_assignor();
        let wish = |(id, topics): (String, BTreeSet<String>)| {
            let had = self.members[&id].target.clone();
            (id, Wish { topics, had })
        };
        let wishes = wanted.into_iter().map(wish).collect();
        let mut shares = self.assignor.assign(&self.topics, &wishes);
        for (id, member) in &mut self.members {
            member.target = shares.remove(id).unwrap_or_default();
        }
        self.assignment_epoch = self.epoch;
    }

    /// Returns the assignor that most members name; without any, `uniform`.
    fn chosen_assignor(&self) -> Assignor {
        let mut votes: BTreeMap<Assignor, usize> = BTreeMap::new();
        for named in self.members.values().filter_map(|member| member.assignor) {
            *votes.entry(named).or_default() += 1;
        }
        let most = votes
            .into_iter()
            .max_by_key(|(assignor, votes)| (*votes, std::cmp::Reverse(*assignor)));
        most.map_or(Assignor::default(), |(assignor, _)| assignor)
    }
}

/// Returns the topics that a member wants and that there are.
fn wanted_topics(member: &ConsumerMember, topics: &Topics) -> BTreeSet<String> {
    let named = member
        .topics
        .iter()
        .filter(|name| topics.get(name).is_some())
        .cloned();
    let pattern = member
        .pattern
        .as_deref()
        .and_then(|pattern| compile(pattern).ok());
    let matches = |name: &&str| {
        pattern
            .as_ref()
            .is_some_and(|pattern| pattern.is_match(name))
    };
    let matching = topics.names().filter(matches);
    named.chain(matching.map(str::to_owned)).collect()
}

fn known_topics<'a>(
    topics: &Topics,
    names: impl Iterator<Item = &'a String>,
) -> BTreeMap<String, KnownTopic> {
    let known = names.filter_map(|name| {
        let topic = topics.get(name)?;
        let known = KnownTopic {
            id: topic.id,
            partitions: topic.partitions.len() as i32,
        };
        Some((name.clone(), known))
    });
    known.collect()
}
