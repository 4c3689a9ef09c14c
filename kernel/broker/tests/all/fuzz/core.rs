//! The brokers under requests that make sense one by one and in no order at all: no panic, at
//! most one reply each, every reply can be sent, and none is left out in the end.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use headwater_broker::brokers::{Brokers, Call, Input, Node, Outputs, RequestId};
use headwater_broker::wire::frame::{Decoded, decode, encode};
use headwater_broker::wire::{APIS, ApiSpec, Request, Response};
use headwater_broker::{BrokerSettings, ClusterDescription};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{MetadataRequest, TopicName};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use super::choices::Choices;
use super::usual::BUSY;
use super::{requests, run};
use crate::stepped::text;

/// Steps of one case, at most.
const MOST_STEPS: usize = 60;

/// A cluster, and who waits for it.
struct Case {
    brokers: Brokers,
    nodes: usize,
    now_ms: i64,
    next: u64,
    /// Requests whose client went away before there was a reply.
    abandoned: BTreeSet<RequestId>,
    /// The version of each request that has no reply yet.
    open: BTreeMap<RequestId, i16>,
    heard: Vec<String>,
    ids: Vec<[u8; 16]>,
}

impl Case {
    fn new(choices: &mut Choices<'_>) -> Case {
        let nodes = 1 + usize::from(choices.byte() % 3);
        let node = |id| Node {
            id: id as i32,
            host: "localhost".to_owned(),
            port: 9092,
            rack: None,
        };
        let settings = BrokerSettings {
            max_bytes: *choices.one(&[1 << 20, 2_000, 100]),
            max_partitions: 20,
            durable: choices.rarely(2),
            ..BrokerSettings::default()
        };
        Case {
            brokers: Brokers::new(settings, (1..=nodes).map(node).collect(), 7),
            nodes,
            now_ms: 1_700_000_000_000,
            next: 0,
            abandoned: BTreeSet::new(),
            open: BTreeMap::new(),
            heard: Vec::new(),
            ids: Vec::new(),
        }
    }

    fn step(&mut self, choices: &mut Choices<'_>) -> Result<(), TestCaseError> {
        match choices.byte() % 16 {
            0 => {
                self.now_ms += *choices.one(&[1, 100, 7_000, 60_000, 4_000_000]);
                let outputs = self.brokers.step(self.now_ms, Input::Tick);
                self.take(outputs)
            }
            1 => {
                let waiting: Vec<RequestId> = self.open.keys().copied().collect();
                let Some(id) = waiting.get(choices.below(waiting.len())) else {
                    return Ok(());
                };
                self.open.remove(id);
                self.abandoned.insert(*id);
                let outputs = self.brokers.step(self.now_ms, Input::Abandoned(*id));
                self.take(outputs)
            }
            _ => self.request(choices),
        }
    }

    fn request(&mut self, choices: &mut Choices<'_>) -> Result<(), TestCaseError> {
        let busy = ApiSpec::of(*choices.one(BUSY));
        let spec = match busy.filter(|_| !choices.rarely(4)) {
            Some(busy) => busy,
            None => choices.one(APIS),
        };
        let version = spec.oldest + choices.below((spec.newest - spec.oldest + 1) as usize) as i16;
        let frame = requests::frame(choices, &self.heard, &self.ids, spec, version);
        let Ok(Decoded::Request(incoming)) = decode(Bytes::from(frame)) else {
            return Ok(());
        };
        let node = 1 + choices.below(self.nodes) as i32;
        self.ask(node, version, incoming.request)
    }

    fn take(&mut self, outputs: Outputs) -> Result<(), TestCaseError> {
        for reply in outputs.replies {
            let Some(version) = self.open.remove(&reply.to) else {
                // Not for another reason, such as a second reply.
                prop_assert!(self.abandoned.contains(&reply.to), "{reply:?}");
                continue;
            };
            let Some(response) = reply.response else {
                continue;
            };
            self.hear(&response);
            let sent = encode(&response, version, 1);
            prop_assert!(sent.is_ok(), "{response:?} version {version}: {sent:?}");
        }
        Ok(())
    }

    fn hear(&mut self, response: &Response) {
        match response {
            Response::JoinGroup(body) if !body.member_id.is_empty() => {
                self.heard.push(body.member_id.to_string());
            }
            Response::CreateTopics(body) => {
                self.ids
                    .extend(body.topics.iter().map(|topic| *topic.topic_id.as_bytes()));
            }
            _ => {}
        }
    }

    /// Makes the topics that most requests are about.
    fn prepare(&mut self) -> Result<(), TestCaseError> {
        for name in ["flights", "weather"] {
            let topic = MetadataRequestTopic::default().with_name(Some(TopicName(text(name))));
            let request = MetadataRequest::default()
                .with_topics(Some(vec![topic]))
                .with_allow_auto_topic_creation(true);
            self.ask(1, 12, Request::Metadata(request))?;
        }
        Ok(())
    }

    fn ask(&mut self, node: i32, version: i16, request: Request) -> Result<(), TestCaseError> {
        let id = RequestId(self.next);
        self.next += 1;
        let call = Call {
            id,
            node,
            version,
            client_id: "fuzz".to_owned(),
            client_host: "/127.0.0.1".to_owned(),
        };
        self.open.insert(id, version);
        let outputs = self
            .brokers
            .step(self.now_ms, Input::Request(call, request));
        self.take(outputs)
    }

    /// Nobody may be left waiting when there is nothing more to wait for.
    fn end(mut self, reached: &Reached) -> Result<(), TestCaseError> {
        let description = self.brokers.describe();
        reached.note(&description);
        let outputs = self.brokers.reset(self.now_ms);
        self.take(outputs)?;
        prop_assert!(
            self.open.is_empty(),
            "no reply to {:?} in {description:?}",
            self.open
        );
        prop_assert_eq!(self.brokers.describe().bytes_held, 0);
        Ok(())
    }
}

/// How far the cases got.
#[derive(Default)]
struct Reached {
    cases: Cell<u32>,
    records: Cell<u32>,
    members: Cell<u32>,
    offsets: Cell<u32>,
}

impl Reached {
    fn note(&self, description: &ClusterDescription) {
        let count = |counter: &Cell<u32>, reached: bool| {
            counter.set(counter.get() + u32::from(reached));
        };
        count(&self.cases, true);
        count(&self.records, description.bytes_held > 0);
        let mut groups = description.groups.iter();
        count(&self.members, groups.any(|group| !group.members.is_empty()));
        let mut groups = description.groups.iter();
        count(
            &self.offsets,
            groups.any(|group| !group.committed.is_empty()),
        );
    }

    fn counts(&self) -> [u32; 4] {
        [&self.cases, &self.records, &self.members, &self.offsets].map(Cell::get)
    }
}

#[test]
fn fuzz_no_order_of_requests_makes_the_brokers_panic() {
    let reached = Reached::default();
    run(1_000, 4_000, |bytes| {
        let mut choices = Choices::by(&bytes);
        let mut case = Case::new(&mut choices);
        case.prepare()?;
        let mut steps = 0;
        while choices.are_left() && steps < MOST_STEPS {
            case.step(&mut choices)?;
            steps += 1;
        }
        case.end(&reached)
    });
    // Requests that are all refused would try nothing.
    let [cases, records, members, offsets] = reached.counts();
    let often = cases / 20;
    assert!(
        records > often && members > often && offsets > often,
        "of {cases} cases {records} ended with records, {members} with members, {offsets} with offsets"
    );
}
