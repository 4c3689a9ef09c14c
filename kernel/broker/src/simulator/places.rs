//! Partitions of a scenario, numbered through, so that notes about them are kept in plain lists.

use std::fmt;

use super::scenario::TopicPlan;

/// Number of a partition among all partitions of the scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Tp(pub u16);

/// The partitions by number.
#[derive(Debug, Clone)]
pub(super) struct Places {
    topics: Vec<(String, u16, i32)>,
    all: Vec<(usize, i32)>,
}

impl Places {
    pub fn new(topics: &[TopicPlan]) -> Places {
        let mut places = Places {
            topics: Vec::new(),
            all: Vec::new(),
        };
        for (number, topic) in topics.iter().enumerate() {
            let first = places.all.len() as u16;
            let count = topic.partitions;
            places.topics.push((topic.name.clone(), first, count));
            places.all.extend((0..count).map(|index| (number, index)));
        }
        places
    }

    pub fn len(&self) -> usize {
        self.all.len()
    }

    pub fn all(&self) -> impl Iterator<Item = Tp> + use<> {
        (0..self.all.len() as u16).map(Tp)
    }

    pub fn of_topic(&self, topic: usize) -> impl Iterator<Item = Tp> + use<> {
        let (_, first, count) = &self.topics[topic];
        (*first..*first + *count as u16).map(Tp)
    }

    pub fn at(&self, topic: usize, index: i32) -> Tp {
        Tp(self.topics[topic].1 + index as u16)
    }

    /// Returns the number of the partition with this name, if the scenario has it.
    pub fn find(&self, name: &str, index: i32) -> Option<Tp> {
        let (_, first, count) = self.topics.iter().find(|(known, ..)| known == name)?;
        (0..*count)
            .contains(&index)
            .then(|| Tp(*first + index as u16))
    }

    pub fn topic(&self, tp: Tp) -> usize {
        self.all[usize::from(tp.0)].0
    }

    pub fn name(&self, tp: Tp) -> &str {
        &self.topics[self.topic(tp)].0
    }

    pub fn topic_name(&self, topic: usize) -> &str {
        &self.topics[topic].0
    }

    pub fn index(&self, tp: Tp) -> i32 {
        self.all[usize::from(tp.0)].1
    }

    /// Returns the partition as it is written: `flights-0`.
    pub fn show(&self, tp: Tp) -> impl fmt::Display + use<> {
        format!("{}-{}", self.name(tp), self.index(tp))
    }
}
