//! Produce requests with `acks=all` that wait until the in-sync set has their records.

use std::collections::{BTreeSet, HashMap};

use kafka_protocol::ResponseError;
use kafka_protocol::messages::ProduceResponse;

use super::{Brokers, Call, Millis, RequestId};

/// A batch that waits at its leader for the high watermark to reach `required`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ack {
    pub required: i64,
    /// The request it belongs to, and its place in the reply: topic, partition.
    request: u64,
    place: (usize, usize),
}

/// A batch of a request that has to wait: its place in the reply, and its partition.
pub(super) struct Unacked {
    pub place: (usize, usize),
    pub topic: String,
    pub partition: i32,
    pub required: i64,
}

/// All requests that wait.
#[derive(Debug, Default)]
pub(crate) struct WaitingAcks {
    by_number: HashMap<u64, WaitingAck>,
    deadlines: BTreeSet<(Millis, u64)>,
    next_number: u64,
}

#[derive(Debug)]
struct WaitingAck {
    id: RequestId,
    node: i32,
    deadline: Millis,
    /// The reply as it will be if all goes well.
    response: ProduceResponse,
    open: Vec<(usize, usize)>,
}

impl WaitingAcks {
    pub fn deadline(&self) -> Option<Millis> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    /// Forgets a request whose client is gone. Its records stay.
    pub fn abandon(&mut self, id: RequestId) {
        let found = self.by_number.iter().find(|(_, waiting)| waiting.id == id);
        if let Some((&number, _)) = found {
            self.take(number);
        }
    }

    /// Forgets the requests to a node that died: their connections died with it.
    pub fn forget_node(&mut self, node: i32) {
        let its = self.by_number.iter().filter(|(_, w)| w.node == node);
        let numbers: Vec<u64> = its.map(|(number, _)| *number).collect();
        for number in numbers {
            self.take(number);
        }
    }

    fn take(&mut self, number: u64) -> Option<WaitingAck> {
        let waiting = self.by_number.remove(&number)?;
        self.deadlines.remove(&(waiting.deadline, number));
        Some(waiting)
    }
}

impl WaitingAck {
    fn fail(&mut self, (topic, partition): (usize, usize), error: ResponseError) {
        let topic = self.response.responses.get_mut(topic);
        let partition = topic.and_then(|t| t.partition_responses.get_mut(partition));
        if let Some(partition) = partition {
            partition.error_code = error.code();
        }
    }
}

impl Brokers {
    /// Lets a produce request wait until all of `unacked` are on the in-sync set.
    pub(super) fn await_acks(
        &mut self,
        now_ms: Millis,
        call: &Call,
        timeout_ms: i32,
        response: ProduceResponse,
        unacked: Vec<Unacked>,
    ) {
        let number = self.acks.next_number;
        self.acks.next_number += 1;
        let deadline = now_ms.saturating_add(i64::from(timeout_ms.max(0)));
        for batch in &unacked {
            let at = (&batch.topic, batch.partition, call.node);
            if let Some(replica) = self.topics.replica_mut(at.0, at.1, at.2) {
                replica.acks.push(Ack {
                    required: batch.required,
                    request: number,
                    place: batch.place,
                });
            }
        }
        self.acks.deadlines.insert((deadline, number));
        let waiting = WaitingAck {
            id: call.id,
            node: call.node,
            deadline,
            response,
            open: unacked.into_iter().map(|batch| batch.place).collect(),
        };
        self.acks.by_number.insert(number, waiting);
    }

    /// A batch is on the whole in-sync set, or never will be; the reply goes out with the last one.
    pub(super) fn settle(&mut self, ack: Ack, error: Option<ResponseError>) {
        let Some(waiting) = self.acks.by_number.get_mut(&ack.request) else {
            return;
        };
        waiting.open.retain(|place| *place != ack.place);
        if let Some(error) = error {
            waiting.fail(ack.place, error);
        }
        if waiting.open.is_empty() {
            self.answer_produce(ack.request);
        }
    }

    /// Answers the requests whose time is up: what is stored may or may not stay.
    pub(super) fn expire_acks(&mut self, now_ms: Millis) {
        while let Some(&(deadline, number)) = self.acks.deadlines.first() {
            if deadline > now_ms {
                break;
            }
            self.acks.deadlines.pop_first();
            if let Some(waiting) = self.acks.by_number.get_mut(&number) {
                for place in std::mem::take(&mut waiting.open) {
                    waiting.fail(place, ResponseError::RequestTimedOut);
                }
            }
            self.answer_produce(number);
        }
    }

    fn answer_produce(&mut self, number: u64) {
        if let Some(waiting) = self.acks.take(number) {
            self.reply(waiting.id, Some(waiting.response.into()));
        }
    }
}
