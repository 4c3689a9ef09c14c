//! Demo D4: one record that cannot be dealt with, one customer whose bank is away for a while, and
//! four policies. The records are those of a real topic; the two minutes are virtual.

use std::collections::{BTreeMap, VecDeque};

use headwater_streams::{Error, Result};
use polars::prelude::{DataFrame, DataType, df};
use serde::Deserialize;

use super::policy_run::{DeadLetter, Done, PolicyRun};

/// What a consumer does with a record that it cannot deal with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorPolicy {
    /// Tries again every second, until it works.
    Block,
    /// Tries again after 1, 5 and 15 s with the record in hand; then it is a dead letter.
    RetryInPlace,
    /// Sends it to a retry topic of 1 s, then of 5 s, then of 15 s; then it is a dead letter.
    /// What is malformed is one at once.
    RetryTopics,
    /// As `RetryTopics`; and what a customer sends while an earlier record waits is parked, and dealt
    /// with right after that one.
    ParkKey,
}

/// The customer whose bank does not answer, and when, in milliseconds.
pub(super) const AWAY: (&str, i64, i64) = ("Eva", 40_000, 60_000);
/// How long the picture is.
pub(super) const END_MS: i64 = 120_000;
/// What a try takes, and what sending a record on takes.
const WORK_MS: i64 = 300;
const SEND_MS: i64 = 2;
const DELAYS_MS: [i64; 3] = [1_000, 5_000, 15_000];

/// Returns two minutes of orders: customer (str), number (i64), second (i64), amount_eur (i64).
/// Each of six customers sends one every two seconds.
///
/// # Errors
/// Never in practice; the signature is that of every call that makes a frame.
pub fn order_rows() -> Result<DataFrame> {
    let customers = ["Ada", "Ben", "Dea", "Eva", "Gus", "Pia"];
    let rows: Vec<(usize, i64)> = (0..60)
        .flat_map(|number| (0..6).map(move |customer| (customer, number)))
        .collect();
    Ok(df!(
        "customer" => rows.iter().map(|(at, _)| customers[*at]).collect::<Vec<_>>(),
        "number" => rows.iter().map(|(_, number)| number + 1).collect::<Vec<_>>(),
        "second" => rows.iter().map(|(at, number)| number * 2 + (*at as i64 % 2)).collect::<Vec<_>>(),
        "amount_eur" => rows.iter().map(|(at, number)| 10 + (number * 7 + *at as i64 * 3) % 50).collect::<Vec<_>>(),
    )?)
}

/// What the value of a record has to be; other fields do not matter.
#[derive(Deserialize)]
struct Order {
    second: i64,
}

/// One record on its way.
#[derive(Debug, Clone)]
struct Item {
    partition: usize,
    offset: i64,
    customer: String,
    value: String,
    arrives_ms: i64,
    /// Why it is no order.
    malformed: Option<String>,
    attempt: usize,
    first_ms: i64,
}

impl ErrorPolicy {
    /// All four, in the order of the lesson.
    pub const ALL: [ErrorPolicy; 4] = [
        ErrorPolicy::Block,
        ErrorPolicy::RetryInPlace,
        ErrorPolicy::RetryTopics,
        ErrorPolicy::ParkKey,
    ];

    /// Returns its name in tables and pictures.
    pub fn name(self) -> &'static str {
        match self {
            ErrorPolicy::Block => "block",
            ErrorPolicy::RetryInPlace => "retry in place",
            ErrorPolicy::RetryTopics => "retry topics",
            ErrorPolicy::ParkKey => "park the key",
        }
    }

    /// Deals with records as [`LabConsumer::poll`](crate::lesson_5_2::LabConsumer::poll) returns them.
    ///
    /// One worker a partition takes 0.3 s a record. The bank of customer Eva does not answer from
    /// second 40 to second 60; a record whose value is no order never can be dealt with.
    ///
    /// # Errors
    /// A frame that lacks the columns of `poll`, or has no rows.
    pub fn run(self, records: &DataFrame) -> Result<PolicyRun> {
        let mut shop = Workers::new(self, items(records)?);
        while shop.step() {}
        Ok(shop.run)
    }
}

fn items(records: &DataFrame) -> Result<Vec<Item>> {
    if records.height() == 0 {
        return Err(Error::new("there are no records to deal with")
            .have("a frame of 0 rows")
            .hint("LabConsumer::open(&cluster, &orders, \"a group\")?.poll(1000)?"));
    }
    let whole = |name: &str| -> Result<Vec<i64>> {
        let column = records.column(name)?.cast(&DataType::Int64)?;
        Ok(column.i64()?.iter().flatten().collect())
    };
    let (partitions, offsets) = (whole("partition")?, whole("offset")?);
    let text = |name: &str| -> Result<Vec<String>> {
        let column = records.column(name)?.str()?;
        Ok(column
            .iter()
            .map(|it| it.unwrap_or_default().to_owned())
            .collect())
    };
    let rows = text("key")?.into_iter().zip(text("value")?);
    let mut items: Vec<Item> = partitions
        .into_iter()
        .zip(offsets)
        .zip(rows)
        .map(|((partition, offset), (customer, value))| {
            let order = serde_json::from_str::<Order>(&value);
            Item {
                partition: partition as usize,
                offset,
                customer,
                arrives_ms: order.as_ref().map_or(-1, |order| order.second * 1_000),
                malformed: order.err().map(|why| why.to_string()),
                value,
                attempt: 0,
                first_ms: 0,
            }
        })
        .collect();
    items.sort_by_key(|item| (item.partition, item.offset));
    // What is no order does not say when it came: with the record before it.
    for at in 1..items.len() {
        if items[at].arrives_ms < 0 && items[at].partition == items[at - 1].partition {
            items[at].arrives_ms = items[at - 1].arrives_ms;
        }
    }
    Ok(items)
}

/// The workers: one a partition, one for each retry topic, one for what is parked.
struct Workers {
    policy: ErrorPolicy,
    partitions: usize,
    /// Queues of the partitions, then of the retry topics; with when each item is ready.
    queues: Vec<VecDeque<(i64, Item)>>,
    /// When each worker is free; the last one is for what is parked.
    free_ms: Vec<i64>,
    parked: Vec<(i64, Item)>,
    /// When the last record of a customer that was waited for was settled.
    settled_ms: BTreeMap<String, i64>,
    run: PolicyRun,
}

impl Workers {
    fn new(policy: ErrorPolicy, items: Vec<Item>) -> Workers {
        let partitions = items
            .iter()
            .map(|item| item.partition + 1)
            .max()
            .unwrap_or(1);
        let mut queues = vec![VecDeque::new(); partitions + DELAYS_MS.len()];
        let mut run = PolicyRun::new(policy, partitions);
        for item in items {
            run.arrived.push((item.partition, item.arrives_ms));
            queues[item.partition].push_back((item.arrives_ms, item));
        }
        Workers {
            policy,
            partitions,
            free_ms: vec![0; queues.len() + 1],
            queues,
            parked: Vec::new(),
            settled_ms: BTreeMap::new(),
            run,
        }
    }

    /// Lets the worker that can start first deal with its next record; returns whether one could.
    fn step(&mut self) -> bool {
        let queued = self.queues.iter().enumerate();
        let queued = queued.filter_map(|(worker, queue)| {
            let ready_ms = queue.front()?.0;
            Some((ready_ms.max(self.free_ms[worker]), worker))
        });
        let parked = self
            .next_parked()
            .map(|(start_ms, _)| (start_ms, self.queues.len()));
        let Some((start_ms, worker)) = queued.chain(parked).min() else {
            return false;
        };
        if start_ms > 10 * END_MS {
            return false;
        }
        let item = match self.queues.get_mut(worker) {
            Some(queue) => queue.pop_front().map(|(_, item)| item),
            None => self.next_parked().map(|(_, at)| self.parked.remove(at).1),
        };
        if let Some(item) = item {
            self.deal_with(worker, start_ms, item);
        }
        true
    }

    /// Returns when a parked record can be dealt with, and its place: none of its customer's before it.
    fn next_parked(&self) -> Option<(i64, usize)> {
        let free_ms = *self.free_ms.last()?;
        let ready = self.parked.iter().enumerate().filter(|(at, (_, item))| {
            let first = self.parked[..*at]
                .iter()
                .all(|(_, other)| other.customer != item.customer);
            first && !self.waits(item)
        });
        let starts = ready.map(|(at, (since_ms, item))| {
            let settled_ms = self.settled_ms.get(&item.customer).copied().unwrap_or(0);
            ((*since_ms).max(settled_ms).max(free_ms), at)
        });
        starts.min()
    }

    /// Whether an earlier record of the customer waits in a retry topic.
    fn waits(&self, item: &Item) -> bool {
        let mut waiting = self.queues[self.partitions..].iter().flatten();
        waiting.any(|(_, other)| other.customer == item.customer && other.offset < item.offset)
    }

    fn deal_with(&mut self, worker: usize, start_ms: i64, item: Item) {
        let from_topic = worker < self.partitions;
        let parks = self.policy == ErrorPolicy::ParkKey && from_topic && {
            let before = |(_, other): &(i64, Item)| other.customer == item.customer;
            self.waits(&item) || self.parked.iter().any(before)
        };
        let end_ms = if parks {
            self.run.parked += 1;
            self.parked.push((start_ms + SEND_MS, item.clone()));
            start_ms + SEND_MS
        } else if matches!(self.policy, ErrorPolicy::Block | ErrorPolicy::RetryInPlace) {
            self.in_place(start_ms, item.clone())
        } else {
            self.with_retry_topics(start_ms, item.clone())
        };
        self.free_ms[worker] = end_ms;
        if from_topic {
            self.run.moved_on.push((item.partition, end_ms));
        }
    }

    /// Tries until it works or the policy gives up; returns when.
    fn in_place(&mut self, start_ms: i64, mut item: Item) -> i64 {
        let mut now_ms = start_ms;
        loop {
            now_ms += WORK_MS;
            let Some(fault) = fault(&item, now_ms - WORK_MS) else {
                self.done(&item, now_ms);
                return now_ms;
            };
            item.attempt += 1;
            if item.attempt == 1 {
                item.first_ms = now_ms;
            }
            let delay_ms = match self.policy {
                ErrorPolicy::Block => Some(1_000),
                _ => DELAYS_MS.get(item.attempt - 1).copied(),
            };
            match delay_ms {
                Some(delay_ms) if now_ms < 10 * END_MS => now_ms += delay_ms,
                Some(_) => return now_ms,
                None => {
                    self.dead(&item, &fault, now_ms);
                    return now_ms;
                }
            }
        }
    }

    fn with_retry_topics(&mut self, start_ms: i64, mut item: Item) -> i64 {
        let now_ms = start_ms + WORK_MS;
        let Some(fault) = fault(&item, start_ms) else {
            self.done(&item, now_ms);
            return now_ms;
        };
        item.attempt += 1;
        if item.attempt == 1 {
            item.first_ms = now_ms;
        }
        let next = item.attempt - 1;
        match DELAYS_MS.get(next).filter(|_| item.malformed.is_none()) {
            Some(delay_ms) => {
                let ready_ms = now_ms + SEND_MS + delay_ms;
                self.queues[self.partitions + next].push_back((ready_ms, item));
            }
            None => self.dead(&item, &fault, now_ms),
        }
        now_ms + SEND_MS
    }

    fn done(&mut self, item: &Item, now_ms: i64) {
        self.settled_ms.insert(item.customer.clone(), now_ms);
        self.run.done.push(Done {
            customer: item.customer.clone(),
            offset: item.offset,
            at_ms: now_ms,
        });
    }

    fn dead(&mut self, item: &Item, fault: &str, now_ms: i64) {
        self.settled_ms.insert(item.customer.clone(), now_ms);
        self.run.dead.push(DeadLetter {
            customer: item.customer.clone(),
            partition: item.partition,
            offset: item.offset,
            attempt: item.attempt,
            error: fault.to_owned(),
            first_ms: item.first_ms,
            value: item.value.clone(),
        });
    }
}

/// Returns why a record cannot be dealt with at a time.
fn fault(item: &Item, now_ms: i64) -> Option<String> {
    let (customer, from_ms, until_ms) = AWAY;
    match &item.malformed {
        Some(why) => Some(why.clone()),
        None if item.customer == customer && (from_ms..until_ms).contains(&now_ms) => {
            Some("the bank did not answer".into())
        }
        None => None,
    }
}
