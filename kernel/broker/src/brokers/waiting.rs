//! Fetches that wait for records (long polls), until there are enough or their time is up.

use std::collections::{BTreeSet, HashMap};

use kafka_protocol::messages::FetchRequest;

use super::topics::Topics;
use super::{Brokers, Call, Millis, RequestId};

/// Partitions that all waiting fetches name together: some 100 MiB. Beyond it a fetch is answered
/// at once with what there is, as if its time were up.
const MOST_PARTITIONS: usize = 1_000_000;

/// All fetches that wait.
#[derive(Debug, Default)]
pub struct WaitingFetches {
    by_number: HashMap<u64, WaitingFetch>,
    deadlines: BTreeSet<(Millis, u64)>,
    next_number: u64,
    /// Partitions that they name.
    partitions: usize,
}

#[derive(Debug)]
struct WaitingFetch {
    id: RequestId,
    node: i32,
    version: i16,
    deadline: Millis,
    body: FetchRequest,
}

impl WaitingFetches {
    /// Lets a fetch wait until `deadline`, at every partition it asks for.
    pub fn add(&mut self, call: &Call, deadline: Millis, body: FetchRequest, topics: &mut Topics) {
        self.partitions += named(&body);
        let number = self.next_number;
        self.next_number += 1;
        self.deadlines.insert((deadline, number));
        let fetch = WaitingFetch {
            id: call.id,
            node: call.node,
            version: call.version,
            deadline,
            body,
        };
        fetch.enlist(number, topics);
        self.by_number.insert(number, fetch);
    }

    /// Returns true where this fetch may wait along with all the others.
    pub fn has_room(&self, body: &FetchRequest) -> bool {
        self.partitions + named(body) <= MOST_PARTITIONS
    }

    pub fn deadline(&self) -> Option<Millis> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    /// Forgets a fetch whose client is gone.
    pub fn abandon(&mut self, id: RequestId, topics: &mut Topics) {
        let found = self.by_number.iter().find(|(_, fetch)| fetch.id == id);
        if let Some((&number, _)) = found {
            self.take(number, topics);
        }
    }

    /// Forgets the fetches from a node that died: their connections died with it.
    pub fn forget_node(&mut self, node: i32, topics: &mut Topics) {
        let its = self.by_number.iter().filter(|(_, f)| f.node == node);
        let numbers: Vec<u64> = its.map(|(number, _)| *number).collect();
        for number in numbers {
            self.take(number, topics);
        }
    }

    fn take(&mut self, number: u64, topics: &mut Topics) -> Option<WaitingFetch> {
        let fetch = self.by_number.remove(&number)?;
        self.deadlines.remove(&(fetch.deadline, number));
        self.partitions -= named(&fetch.body);
        fetch.strike(number, topics);
        Some(fetch)
    }
}

/// Returns how many partitions a fetch names.
fn named(body: &FetchRequest) -> usize {
    body.topics.iter().map(|topic| topic.partitions.len()).sum()
}

impl WaitingFetch {
    fn enlist(&self, number: u64, topics: &mut Topics) {
        self.each_waiters(topics, |waiters| {
            if !waiters.contains(&number) {
                waiters.push(number);
            }
        });
    }

    fn strike(&self, number: u64, topics: &mut Topics) {
        self.each_waiters(topics, |waiters| waiters.retain(|&waiter| waiter != number));
    }

    fn each_waiters(&self, topics: &mut Topics, mut change: impl FnMut(&mut Vec<u64>)) {
        for asked in &self.body.topics {
            let name = match self.version {
                ..=12 => Some(asked.topic.to_string()),
                _ => topics.name_of(asked.topic_id).map(str::to_owned),
            };
            let Some(name) = name else { continue };
            for partition in &asked.partitions {
                let replica = topics.replica_mut(&name, partition.partition, self.node);
                if let Some(replica) = replica {
                    change(&mut replica.waiters);
                }
            }
        }
    }
}

impl Brokers {
    /// Looks again at fetches whose partition grew or went.
    pub(crate) fn wake(&mut self, _now_ms: Millis, numbers: Vec<u64>) {
        for number in numbers {
            let Some(fetch) = self.waiting.by_number.get(&number) else {
                continue;
            };
            let fetched = self.read_all(fetch.node, fetch.version, &fetch.body);
            let enough = fetched.bytes >= usize::try_from(fetch.body.min_bytes).unwrap_or(0);
            if enough || fetched.failed {
                let fetch = self.waiting.take(number, &mut self.topics);
                let id = fetch.expect("it was there a moment ago").id;
                self.reply(id, Some(fetched.response.into()));
            } else {
                fetch.enlist(number, &mut self.topics);
            }
        }
    }

    /// Answers the fetches whose time is up with what there is.
    pub(super) fn expire_fetches(&mut self, now_ms: Millis) {
        while let Some(&(deadline, number)) = self.waiting.deadlines.first() {
            if deadline > now_ms {
                break;
            }
            let Some(fetch) = self.waiting.take(number, &mut self.topics) else {
                break;
            };
            let fetched = self.read_all(fetch.node, fetch.version, &fetch.body);
            self.reply(fetch.id, Some(fetched.response.into()));
        }
    }
}
