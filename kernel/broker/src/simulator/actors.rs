//! What all simulated clients share: the way out, the way back, where leaders are.

use std::collections::BTreeMap;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{MetadataRequest, MetadataResponse, TopicName};

use super::ledger::Ledger;
use super::net::{Event, Net};
use super::places::{Places, Tp};
use super::trace::Trace;
use crate::brokers::RequestId;
use crate::wire::{Request, Response, text};

/// What comes of a request.
#[derive(Debug)]
pub(super) enum Answer {
    Response(Response),
    /// The connection broke.
    Reset,
    TimedOut,
}

/// A client's view of the world while it acts.
pub(super) struct Context<'a> {
    pub client: usize,
    pub role: &'static str,
    pub nodes: i32,
    pub places: &'a Places,
    pub net: &'a mut Net,
    pub ledger: &'a mut Ledger,
    pub trace: &'a mut Trace,
}

impl Context<'_> {
    pub fn send(&mut self, node: i32, version: i16, request: Request) -> RequestId {
        self.net.send(self.client, node, version, request)
    }

    /// Wakes the client after a while; not after it died.
    pub fn wake_in(&mut self, wait_ms: i64, token: u32) {
        let client = self.client;
        let life = self.net.links[client].life;
        self.net.after(
            wait_ms,
            Event::Wake {
                client,
                life,
                token,
            },
        );
    }

    /// Returns the time by the client's own clock.
    pub fn clock_ms(&self) -> i64 {
        self.net.now_ms + self.net.links[self.client].skew_ms
    }

    pub fn say(&mut self, what: impl FnOnce() -> String) {
        let (role, client) = (self.role, self.client);
        self.trace.say(|| format!("{role} {client}"), what);
    }

    /// Returns any node, for questions that every node can answer.
    pub fn any_node(&mut self) -> i32 {
        self.net.dice.between(1, i64::from(self.nodes)) as i32
    }
}

/// Which node leads which partition, as far as a client was told.
#[derive(Debug, Default)]
pub(super) struct Routes {
    /// The leader, and its epoch: a node that lives in an older one must not answer (KIP-320).
    leaders: BTreeMap<Tp, (i32, i32)>,
    /// The highest leader epoch ever heard of.
    newest: BTreeMap<Tp, i32>,
}

impl Routes {
    pub fn leader(&self, tp: Tp) -> Option<i32> {
        self.leaders.get(&tp).map(|(leader, _)| *leader)
    }

    /// Returns the leader epoch that goes with the leader, -1 where it is not known.
    pub fn epoch(&self, tp: Tp) -> i32 {
        self.leaders.get(&tp).map_or(-1, |(_, epoch)| *epoch)
    }

    /// Returns the highest leader epoch ever heard of, -1 where none was.
    pub fn newest_epoch(&self, tp: Tp) -> i32 {
        self.newest.get(&tp).copied().unwrap_or(-1)
    }

    /// Notes the epoch of what was committed: an earlier leader may not have as much.
    pub fn saw(&mut self, tp: Tp, epoch: i32) {
        let newest = self.newest.entry(tp).or_insert(epoch);
        *newest = epoch.max(*newest);
        if self.epoch(tp) < epoch {
            self.leaders.remove(&tp);
        }
    }

    pub fn forget(&mut self) {
        self.leaders.clear();
    }

    pub fn request(places: &Places, topic: usize) -> Request {
        let topic = MetadataRequestTopic::default()
            .with_name(Some(TopicName(text(places.topic_name(topic)))));
        Request::Metadata(
            MetadataRequest::default()
                .with_topics(Some(vec![topic]))
                .with_allow_auto_topic_creation(false),
        )
    }

    pub fn learn(&mut self, places: &Places, response: &MetadataResponse) {
        for topic in &response.topics {
            let name = topic.name.as_ref().map_or("", |name| name.as_str());
            for partition in &topic.partitions {
                let Some(tp) = places.find(name, partition.partition_index) else {
                    continue;
                };
                // A node that was cut off tells of an earlier leader: that is no news.
                let (leader, epoch) = (partition.leader_id.0, partition.leader_epoch);
                let newest = self.newest.entry(tp).or_insert(epoch);
                if epoch < *newest {
                    continue;
                }
                *newest = epoch;
                match leader {
                    ..0 => self.leaders.remove(&tp),
                    leader => self.leaders.insert(tp, (leader, epoch)),
                };
            }
        }
    }
}

/// Returns the error of a code, nothing for success.
pub(super) fn error(code: i16) -> Option<ResponseError> {
    match code {
        0 => None,
        code => {
            Some(ResponseError::try_from_code(code).unwrap_or(ResponseError::UnknownServerError))
        }
    }
}
