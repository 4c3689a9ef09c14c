//! Demo D2: a shop that has to tell two systems, its own database (SQLite) and a topic.
//!
//! A process may die between two steps. What it committed is on disk, what it sent is in the topic,
//! and its memory and open transaction are gone: the connection is dropped, and SQLite rolls back.

use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use headwater_streams::rusqlite::Connection;
use headwater_streams::{Cluster, Error, Result, Topic};
use polars::prelude::{DataFrame, df};

use super::order::{Answer, Event, Order, WritePath};
use super::shop_database::{self as database, Inserted};
use super::shop_folder::ShopFolder;
use super::shop_producer::ShopProducer;
use crate::lesson_5_2::LabConsumer;

/// A shop with a SQLite database of its own, a topic for its events, and a billing service, with
/// a database of *its* own, which reads that topic.
#[derive(Clone)]
pub struct Shop {
    inside: Arc<Mutex<Inside>>,
}

struct Inside {
    path: WritePath,
    cluster: Cluster,
    topic: Topic,
    producer: ShopProducer,
    /// The connection of the process that is up; none after a crash.
    process: Option<Connection>,
    billing: Connection,
    reader: LabConsumer,
    /// The newest order.
    order: Order,
    second: i64,
    folder: ShopFolder,
}

impl Shop {
    /// Opens a shop with empty databases. It sends to `topic` and leaves there what there is.
    ///
    /// # Errors
    /// When the broker does not answer, or the folder for temporary files cannot be written to.
    ///
    /// # Example
    /// ```
    /// use headwater_course::lesson_5_6::{Shop, WritePath};
    /// use headwater_streams::prelude::*;
    ///
    /// let cluster = Cluster::embedded()?;
    /// let topic = cluster.topic("doc-shop", partitions(1))?;
    /// let shop = Shop::open(&cluster, &topic, WritePath::DatabaseFirst)?;
    /// assert_eq!(shop.place(25)?, "order 1: accepted");
    /// shop.place_and_die(40, 1)?;
    /// assert_eq!((shop.sql("SELECT * FROM orders")?.height(), topic.records()?), (2, 1));
    /// # Ok::<(), headwater_streams::Error>(())
    /// ```
    pub fn open(cluster: &Cluster, topic: &Topic, path: WritePath) -> Result<Shop> {
        let folder = ShopFolder::new()?;
        let inside = Inside {
            path,
            process: Some(database::open_shop(folder.path())?),
            billing: database::open_billing(folder.path())?,
            reader: reader(cluster, topic)?,
            producer: ShopProducer::open(cluster)?,
            cluster: cluster.clone(),
            topic: topic.clone(),
            order: Order {
                number: 0,
                placed_at: String::new(),
                amount_eur: 0,
            },
            second: 0,
            folder,
        };
        Ok(Shop {
            inside: Arc::new(Mutex::new(inside)),
        })
    }

    /// Sets the time of the orders that follow, in seconds after 2026-01-01 00:00 UTC. Default: 0.
    pub fn at(&self, second: i64) {
        self.lock().second = second;
    }

    /// Takes a new order, and returns what the customer hears. An amount that is not above zero is
    /// against a rule of the database.
    ///
    /// # Errors
    /// When database or broker fail, here and below; a refused order is none.
    pub fn place(&self, amount_eur: i64) -> Result<String> {
        let mut inside = self.lock();
        inside.new_order(amount_eur);
        inside.told(None)
    }

    /// As [`Shop::place`], and the process dies right after that step (1 or 2, see [`WritePath`]).
    pub fn place_and_die(&self, amount_eur: i64, step: usize) -> Result<String> {
        if !(1..=2).contains(&step) {
            return Err(Error::new(format!("no step {step}"))
                .have("steps 1 and 2")
                .hint("shop.place_and_die(40, 1)?"));
        }
        let mut inside = self.lock();
        inside.new_order(amount_eur);
        inside.told(Some(step))
    }

    /// The customer of the newest order, who heard nothing, asks again: the same order once more.
    pub fn ask_again(&self) -> Result<String> {
        self.lock().told(None)
    }

    /// Sends what the outbox holds, oldest first, marks it as sent, and returns how many rows.
    pub fn relay(&self) -> Result<usize> {
        self.lock().relay(false)
    }

    /// As [`Shop::relay`], and the relay dies after its first send, before it could mark that row.
    pub fn relay_and_die(&self) -> Result<usize> {
        self.lock().relay(true)
    }

    /// Lets the billing service read on: one bill an event. Returns how many events it read.
    pub fn bill(&self) -> Result<usize> {
        self.lock().bill()
    }

    /// As [`Shop::bill`], from the first record of the topic: its offsets were lost.
    pub fn bill_from_the_start(&self) -> Result<usize> {
        let mut inside = self.lock();
        inside.reader = reader(&inside.cluster, &inside.topic)?;
        inside.bill()
    }

    /// Returns, for each order, how often each system has it: order, in_database, in_topic, bills.
    pub fn compare(&self) -> Result<DataFrame> {
        let inside = self.lock();
        let (rows, bills) = (inside.rows()?, inside.bills()?);
        let sent = inside.sent()?;
        let count = |of: &[(i64, i64)], number: i64| {
            let found = of.iter().find(|(it, _)| *it == number);
            found.map_or(0, |(_, count)| *count)
        };
        let numbers: Vec<i64> = (1..=inside.order.number).collect();
        let all = |of: &[(i64, i64)]| -> Vec<i64> {
            numbers.iter().map(|number| count(of, *number)).collect()
        };
        let (rows, sent, bills) = (all(&rows), all(&sent), all(&bills));
        Ok(df!("order" => numbers, "in_database" => rows, "in_topic" => sent, "bills" => bills)?)
    }

    /// Runs a query over the shop's tables `orders` and `outbox` and the billing service's
    /// `billing.bills` and `billing.inbox`.
    ///
    /// # Errors
    /// When SQLite does not understand it, or it would change something.
    pub fn sql(&self, query: &str) -> Result<DataFrame> {
        database::query(self.lock().folder.path(), query)
    }

    /// Shows how often each system has each order, as the value of a cell.
    pub fn evcxr_display(&self) {
        match self.compare() {
            Ok(frame) => headwater_streams::Show::show_result(&frame),
            Err(error) => super::show_text(&error.to_string()),
        }
    }

    /// As [`Shop::place`] or [`Shop::place_and_die`], for the runs.
    pub(super) fn take(&self, amount_eur: i64, dies_after: Option<usize>) -> Result<Answer> {
        let mut inside = self.lock();
        inside.new_order(amount_eur);
        inside.handle(dies_after)
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Inside {
    fn new_order(&mut self, amount_eur: i64) {
        let (minute, second) = (self.second.div_euclid(60), self.second.rem_euclid(60));
        let (hour, minute) = (minute.div_euclid(60), minute.rem_euclid(60));
        self.order = Order {
            number: self.order.number + 1,
            placed_at: format!("2026-01-01T{hour:02}:{minute:02}:{second:02}Z"),
            amount_eur,
        };
    }

    fn told(&mut self, dies_after: Option<usize>) -> Result<String> {
        let number = self.order.number;
        Ok(match self.handle(dies_after)? {
            Answer::Accepted => format!("order {number}: accepted"),
            Answer::Refused(why) => format!("order {number}: refused, {why}"),
            Answer::Silence(done) => format!("order {number}: no answer, the process died: {done}"),
        })
    }

    /// Deals with the newest order.
    fn handle(&mut self, dies_after: Option<usize>) -> Result<Answer> {
        let order = self.order.clone();
        match self.path {
            WritePath::DatabaseFirst => self.database_first(&order, dies_after),
            WritePath::TopicFirst => self.topic_first(&order, dies_after),
            WritePath::Outbox | WritePath::OutboxAndInbox => self.with_outbox(&order, dies_after),
        }
    }

    fn database_first(&mut self, order: &Order, dies_after: Option<usize>) -> Result<Answer> {
        if let Inserted::Refused(why) = database::insert_order(self.connection()?, order)? {
            return Ok(Answer::Refused(why));
        }
        if dies_after == Some(1) {
            return Ok(self.die("its row is committed, its event was never sent"));
        }
        self.send(order.number, &self.event(order))?;
        if dies_after == Some(2) {
            return Ok(self.die("its row is committed, its event is sent"));
        }
        Ok(Answer::Accepted)
    }

    fn topic_first(&mut self, order: &Order, dies_after: Option<usize>) -> Result<Answer> {
        self.send(order.number, &self.event(order))?;
        if dies_after == Some(1) {
            return Ok(self.die("its event is sent, its row was never committed"));
        }
        if let Inserted::Refused(why) = database::insert_order(self.connection()?, order)? {
            return Ok(Answer::Refused(why));
        }
        if dies_after == Some(2) {
            return Ok(self.die("its event is sent, its row is committed"));
        }
        Ok(Answer::Accepted)
    }

    fn with_outbox(&mut self, order: &Order, dies_after: Option<usize>) -> Result<Answer> {
        let event = self.event(order);
        let shop = self.connection()?;
        database::run(shop, "BEGIN IMMEDIATE")?;
        match database::insert_order(shop, order)? {
            Inserted::Refused(why) => {
                database::run(shop, "ROLLBACK")?;
                return Ok(Answer::Refused(why));
            }
            // The event of an order that is there was written with it.
            Inserted::Known => {}
            Inserted::New if dies_after == Some(1) => {
                return Ok(self.die("inside the transaction, which nobody will commit"));
            }
            Inserted::New => database::insert_outbox(shop, order.number, &event)?,
        }
        database::run(shop, "COMMIT")?;
        if dies_after == Some(2) {
            return Ok(self.die("row and event are committed"));
        }
        Ok(Answer::Accepted)
    }

    /// The process of the shop, which starts again if it is down.
    fn connection(&mut self) -> Result<&Connection> {
        if self.process.is_none() {
            self.process = Some(database::open_shop(self.folder.path())?);
        }
        Ok(self.process.as_ref().expect("it was opened above"))
    }

    /// Ends the process: memory and an open transaction go with its connection.
    fn die(&mut self, done: &'static str) -> Answer {
        self.process = None;
        Answer::Silence(done)
    }

    fn event(&self, order: &Order) -> String {
        let event = Event {
            event_id: format!("{}-{}", self.path.name(), order.number),
            order: order.number,
            path: self.path.name().into(),
            event_time: order.placed_at.clone(),
            amount_eur: order.amount_eur,
        };
        serde_json::to_string(&event).expect("text and numbers are JSON")
    }

    fn send(&self, number: i64, event: &str) -> Result<()> {
        let key = format!("order-{number}");
        self.producer.send(self.topic.name(), &key, event)
    }

    fn relay(&mut self, dies: bool) -> Result<usize> {
        if !self.path.has_outbox() {
            return Err(Error::new("this shop has no outbox to relay from")
                .have(format!("a shop that writes {}", self.path.name()))
                .hint("Shop::open(&cluster, &topic, WritePath::Outbox)?"));
        }
        let rows = database::unsent(self.connection()?)?;
        let mut sent = 0;
        for (id, number, event) in rows {
            self.send(number, &event)?;
            sent += 1;
            if dies {
                self.process = None;
                return Ok(sent);
            }
            database::mark_sent(self.connection()?, id)?;
        }
        Ok(sent)
    }

    fn bill(&mut self) -> Result<usize> {
        let events = self.reader.poll(usize::MAX)?;
        let with_inbox = self.path == WritePath::OutboxAndInbox;
        let mut read = 0;
        for value in events.column("value")?.str()?.iter().flatten() {
            let Some(event) = self.own(value) else {
                continue;
            };
            let (id, number) = (&event.event_id, event.order);
            database::bill(&mut self.billing, id, number, event.amount_eur, with_inbox)?;
            read += 1;
        }
        self.reader.commit()?;
        Ok(read)
    }

    /// Reads an event of this shop; another shop may use the same topic.
    fn own(&self, value: &str) -> Option<Event> {
        let event: Event = serde_json::from_str(value).ok()?;
        (event.path == self.path.name()).then_some(event)
    }

    fn sent(&self) -> Result<Vec<(i64, i64)>> {
        let events = reader(&self.cluster, &self.topic)?.poll(usize::MAX)?;
        let mut counts = std::collections::BTreeMap::new();
        for value in events.column("value")?.str()?.iter().flatten() {
            if let Some(event) = self.own(value) {
                *counts.entry(event.order).or_insert(0) += 1;
            }
        }
        Ok(counts.into_iter().collect())
    }

    fn rows(&self) -> Result<Vec<(i64, i64)>> {
        let shop = database::open_shop(self.folder.path())?;
        database::counts(&shop, "SELECT number, 1 FROM orders")
    }

    fn bills(&self) -> Result<Vec<(i64, i64)>> {
        let query = "SELECT order_number, count(*) FROM bills GROUP BY order_number";
        database::counts(&self.billing, query)
    }
}

/// A consumer of a group that nobody has used: it begins at the first record.
fn reader(cluster: &Cluster, topic: &Topic) -> Result<LabConsumer> {
    static GROUPS: AtomicUsize = AtomicUsize::new(0);
    let number = GROUPS.fetch_add(1, Ordering::Relaxed);
    LabConsumer::open(
        cluster,
        topic,
        &format!("billing-{}-{number}", process::id()),
    )
}
