//! Many producers at once, in any order: a read_committed reader never sees a record of an
//! aborted transaction, and sees every committed one, in the order of the log, at all times.

use std::collections::{BTreeMap, BTreeSet};

use headwater_broker::wire::{Request, Response};
use kafka_protocol::ResponseError;
use proptest::prelude::*;

use crate::stepped::{Batch, Stepped, text};
use crate::transactional::{
    READ_COMMITTED, READ_UNCOMMITTED, TxnProducer, fetch, fetch_request, fetched, visible,
};

const NAMES: [&str; 3] = ["first", "second", "third"];
/// Values have to be static; each record is its own.
const VALUES: [&str; 96] = {
    const DIGITS: &str = "000102030405060708091011121314151617181920212223242526272829303132333435363738394041424344454647484950515253545556575859606162636465666768697071727374757677787980818283848586878889909192939495";
    let mut values = [""; 96];
    let mut at = 0;
    while at < 96 {
        values[at] = DIGITS.split_at(2 * at).1.split_at(2).0;
        at += 1;
    }
    values
};

/// One thing that happens.
#[derive(Debug, Clone)]
enum Event {
    /// A producer writes one batch of so many records, beginning a transaction if need be.
    Write {
        producer: usize,
        records: usize,
    },
    Commit(usize),
    Abort(usize),
    /// A new producer takes over the id.
    Restart(usize),
    /// Somebody without transactions writes a record.
    Plain,
    /// Time passes; transactions that are too old are aborted.
    Pass,
    /// The beginning of the log is deleted, up to a read_committed reader's end.
    Delete,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let producer = 0..NAMES.len();
    let event = prop_oneof![
        8 => (producer.clone(), 1..3usize)
            .prop_map(|(producer, records)| Event::Write { producer, records }),
        3 => producer.clone().prop_map(Event::Commit),
        3 => producer.clone().prop_map(Event::Abort),
        1 => producer.prop_map(Event::Restart),
        2 => Just(Event::Plain),
        1 => Just(Event::Pass),
        1 => Just(Event::Delete),
    ];
    proptest::collection::vec(event, 1..48)
}

/// The brokers, and what they should show.
struct Model {
    stepped: Stepped,
    producers: Vec<TxnProducer>,
    /// Of each producer: the records of its open transaction.
    open: Vec<BTreeSet<&'static str>>,
    opened_ms: Vec<i64>,
    /// Offset and value of every record that is stored.
    stored: BTreeMap<i64, &'static str>,
    decided: BTreeMap<&'static str, bool>,
    written: usize,
}

impl Model {
    fn new(modern: bool) -> Model {
        let mut stepped = Stepped::with_topic();
        let mut producers = Vec::new();
        for name in NAMES {
            let mut producer = TxnProducer::start(&mut stepped, name);
            producer.modern = modern;
            producers.push(producer);
        }
        Model {
            stepped,
            producers,
            open: vec![BTreeSet::new(); NAMES.len()],
            opened_ms: vec![0; NAMES.len()],
            stored: BTreeMap::new(),
            decided: BTreeMap::new(),
            written: 0,
        }
    }

    fn take(&mut self, count: usize) -> Option<&'static [&'static str]> {
        let values = VALUES.get(self.written..self.written + count)?;
        self.written += count;
        Some(values)
    }

    fn store(&mut self, values: &[&'static str]) {
        let first = self.stepped.latest() - values.len() as i64;
        for (offset, value) in (first..).zip(values) {
            self.stored.insert(offset, value);
        }
    }

    fn decide(&mut self, producer: usize, commit: bool) {
        for value in std::mem::take(&mut self.open[producer]) {
            self.decided.insert(value, commit);
        }
    }

    fn happen(&mut self, event: &Event) {
        match *event {
            Event::Write { producer, records } => {
                let Some(values) = self.take(records) else {
                    return;
                };
                if self.open[producer].is_empty() {
                    self.opened_ms[producer] = self.stepped.now_ms;
                }
                self.producers[producer].write(&mut self.stepped, "flights", values);
                self.open[producer].extend(values);
                self.store(values);
            }
            Event::Commit(producer) | Event::Abort(producer) => {
                let commit = matches!(event, Event::Commit(_));
                if !self.open[producer].is_empty() {
                    let ended = self.producers[producer].end(&mut self.stepped, commit);
                    ended.expect("an open transaction can end");
                    self.decide(producer, commit);
                }
            }
            Event::Restart(producer) => {
                let first = self.producers[producer].init(&mut self.stepped);
                if first == Err(ResponseError::ConcurrentTransactions) {
                    let second = self.producers[producer].init(&mut self.stepped);
                    second.expect("the transaction is aborted by now");
                }
                self.decide(producer, false);
            }
            Event::Plain => {
                if let Some(values) = self.take(1) {
                    self.stepped.produce(Batch::of(values).bytes());
                    self.store(values);
                    self.decided.insert(values[0], true);
                }
            }
            Event::Pass => self.pass(),
            Event::Delete => self.delete(),
        }
    }

    fn pass(&mut self) {
        self.stepped.pass(25_000);
        for producer in 0..NAMES.len() {
            let age_ms = self.stepped.now_ms - self.opened_ms[producer];
            let late = age_ms >= i64::from(self.producers[producer].timeout_ms);
            if late && !self.open[producer].is_empty() {
                self.decide(producer, false);
                let again = self.producers[producer].init(&mut self.stepped);
                again.expect("nothing is open any more");
            }
        }
    }

    fn delete(&mut self) {
        use kafka_protocol::messages::delete_records_request::{
            DeleteRecordsPartition, DeleteRecordsTopic,
        };
        use kafka_protocol::messages::{DeleteRecordsRequest, TopicName};
        let partition = &self.stepped.brokers.describe().topics[0].partitions[0];
        let before = partition.earliest.midpoint(partition.last_stable_offset);
        let partition = DeleteRecordsPartition::default().with_offset(before);
        let topic = DeleteRecordsTopic::default()
            .with_name(TopicName(text("flights")))
            .with_partitions(vec![partition]);
        let request = DeleteRecordsRequest::default().with_topics(vec![topic]);
        match self.stepped.ask(2, Request::DeleteRecords(request)) {
            Response::DeleteRecords(body) => {
                assert_eq!(body.topics[0].partitions[0].error_code, 0)
            }
            other => panic!("{other:?}"),
        }
        self.stored = self.stored.split_off(&before);
    }

    /// Returns where the first undecided record lies, or the end.
    fn first_open(&self) -> i64 {
        let open = |value| self.open.iter().any(|values| values.contains(value));
        let mut stored = self.stored.iter();
        let first = stored.find(|(_, value)| open(**value));
        first.map_or(self.stepped.latest(), |(offset, _)| *offset)
    }

    /// Reads all, a piece at a time as clients do, and compares.
    fn check(&mut self) {
        let partition = &self.stepped.brokers.describe().topics[0].partitions[0];
        let (mut at, stable) = (partition.earliest, partition.last_stable_offset);
        assert_eq!(stable, self.first_open(), "the last stable offset");
        let committed = self.stored.range(..stable);
        let committed: Vec<&str> = committed
            .filter(|(_, value)| self.decided.get(**value) == Some(&true))
            .map(|(_, value)| *value)
            .collect();
        let data = fetch(&mut self.stepped, "flights", READ_COMMITTED, at);
        assert_eq!(self.cut(visible(&data), at), committed);
        let mut read = Vec::new();
        while at < stable {
            let data = self.fetch_little(at);
            let next = end_of(&data);
            assert!(next > at, "nothing to read at {at}, before {stable}");
            read.extend(self.cut(visible(&data), at));
            at = next;
        }
        assert_eq!(read, committed, "read batch by batch");
        let data = fetch(&mut self.stepped, "flights", READ_UNCOMMITTED, at);
        assert_eq!(data.high_watermark, self.stepped.latest());
    }

    /// Leaves out the records of the first batch that lie before the offset asked for.
    fn cut(&self, values: Vec<String>, from: i64) -> Vec<String> {
        let wanted: BTreeSet<&str> = self.stored.range(from..).map(|(_, value)| *value).collect();
        let kept = values
            .into_iter()
            .filter(|value| wanted.contains(value.as_str()));
        kept.collect()
    }

    fn fetch_little(
        &mut self,
        offset: i64,
    ) -> kafka_protocol::messages::fetch_response::PartitionData {
        let Request::Fetch(mut request) = fetch_request("flights", READ_COMMITTED, offset, 0)
        else {
            panic!("not a fetch");
        };
        request.topics[0].partitions[0].partition_max_bytes = 1;
        fetched(self.stepped.ask(12, Request::Fetch(request)))
    }
}

/// Returns the offset after the last batch.
fn end_of(data: &kafka_protocol::messages::fetch_response::PartitionData) -> i64 {
    use headwater_broker::log::BatchHeader;
    let bytes = data.records.clone().unwrap_or_default();
    let (mut rest, mut end) = (&bytes[..], -1);
    while let Some(header) = BatchHeader::parse(rest) {
        end = header.last_offset() + 1;
        rest = &rest[header.size..];
    }
    end
}

proptest! {
    #[test]
    fn committed_reader_sees_what_was_committed_and_nothing_else(
        events in events(),
        modern in any::<bool>(),
    ) {
        let mut model = Model::new(modern);
        for event in &events {
            model.happen(event);
            model.check();
        }
    }
}
