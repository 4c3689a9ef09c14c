//! The windowed join of exercise E2 in virtual time: the right version, and one for each fault.

/// One row that the join gave out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Joined {
    pub customer: String,
    /// The amount of the order.
    pub order: i64,
    /// The amount of the payment, or nothing where none came in time.
    pub payment: Option<i64>,
}

/// How far apart in event time an order and its payment may be (seconds).
const WITHIN_S: i64 = 10;
/// How long the join waits after that for late records (seconds).
const GRACE_S: i64 = 5;

/// Which version of the join a suite of tests is run with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    Right,
    /// Right, and gives the rows of one look out in another order.
    RightReversed,
    WindowEndLeftOut,
    WindowTooWide,
    GraceOffByOne,
    LateRecordKept,
    PaymentTriggersOnly,
    OneMatchOnly,
    NullCrash,
    EarlyEmit,
    UnmatchedDropped,
    MatchedAndUnmatched,
    NoRepartition,
    WallClock,
}

impl Version {
    pub const FAULTY: [Version; 12] = [
        Version::PaymentTriggersOnly,
        Version::NoRepartition,
        Version::OneMatchOnly,
        Version::WindowEndLeftOut,
        Version::WindowTooWide,
        Version::NullCrash,
        Version::UnmatchedDropped,
        Version::EarlyEmit,
        Version::MatchedAndUnmatched,
        Version::GraceOffByOne,
        Version::LateRecordKept,
        Version::WallClock,
    ];

    /// Says it as a row of a table.
    pub fn name(self) -> &'static str {
        match self {
            Version::Right => "right",
            Version::RightReversed => "right, rows in another order",
            Version::WindowEndLeftOut => "10 s apart is too far",
            Version::WindowTooWide => "11 s apart joins",
            Version::GraceOffByOne => "grace off by one",
            Version::LateRecordKept => "late records join",
            Version::PaymentTriggersOnly => "only a payment triggers",
            Version::OneMatchOnly => "one payment an order",
            Version::NullCrash => "crash at an empty value",
            Version::EarlyEmit => "unmatched too early",
            Version::UnmatchedDropped => "unmatched left out",
            Version::MatchedAndUnmatched => "matched and unmatched",
            Version::NoRepartition => "half of the keys never meet",
            Version::WallClock => "closes by the wall clock",
        }
    }
}

/// Hands out joins to be tested, each new and empty.
#[derive(Debug, Clone, Copy)]
pub struct JoinBench {
    version: Version,
}

impl JoinBench {
    /// Returns a bench with the join that is right.
    pub fn right() -> JoinBench {
        JoinBench::of(Version::Right)
    }

    pub(super) fn of(version: Version) -> JoinBench {
        JoinBench { version }
    }

    /// Returns a join that has seen nothing.
    ///
    /// # Example
    /// ```
    /// use headwater_course::prelude::*;
    ///
    /// let mut join = JoinBench::right().fresh();
    /// join.order("Ada", 100, Some(40));
    /// join.payment("Ada", 103, Some(39));
    /// let rows = join.rows();
    /// assert_eq!((rows[0].order, rows[0].payment), (40, Some(39)));
    /// ```
    pub fn fresh(&self) -> JoinUnderTest {
        JoinUnderTest {
            version: self.version,
            orders: Vec::new(),
            payments: Vec::new(),
            stream_s: i64::MIN,
            wall_s: i64::MIN,
            rows: Vec::new(),
        }
    }
}

/// Orders left-joined with payments in a window of event time. No broker, no threads, no clock of its own.
#[derive(Debug)]
pub struct JoinUnderTest {
    version: Version,
    orders: Vec<Order>,
    payments: Vec<Record>,
    /// The largest event time so far.
    stream_s: i64,
    wall_s: i64,
    rows: Vec<Joined>,
}

#[derive(Debug, Clone)]
struct Record {
    customer: String,
    at_s: i64,
    amount: i64,
}

#[derive(Debug)]
struct Order {
    record: Record,
    matched: bool,
    closed: bool,
}

impl JoinUnderTest {
    /// Takes in an order of `customer` with this event time; `None` is a record without a value.
    pub fn order(&mut self, customer: &str, at_s: i64, amount: Option<i64>) {
        let Some(record) = self.accept(customer, at_s, amount) else {
            return;
        };
        let mut matched = false;
        if self.version != Version::PaymentTriggersOnly {
            let meeting = self.payments.iter().filter(|it| self.meet(&record, it));
            let pairs: Vec<Joined> = meeting.map(|it| pair(&record, it)).collect();
            matched = !pairs.is_empty();
            self.rows.extend(pairs);
        }
        if self.version == Version::EarlyEmit && !matched {
            self.rows.push(alone(&record));
        }
        self.orders.push(Order {
            record,
            matched,
            closed: self.version == Version::EarlyEmit,
        });
        self.close();
    }

    /// Takes in a payment of `customer` with this event time; `None` is a record without a value.
    pub fn payment(&mut self, customer: &str, at_s: i64, amount: Option<i64>) {
        let Some(record) = self.accept(customer, at_s, amount) else {
            return;
        };
        for index in 0..self.orders.len() {
            let order = &self.orders[index];
            let taken = self.version == Version::OneMatchOnly && order.matched;
            if !taken && self.meet(&order.record, &record) {
                self.rows.push(pair(&order.record, &record));
                self.orders[index].matched = true;
            }
        }
        self.payments.push(record);
        self.close();
    }

    /// Lets the clock on the wall go on to this second; the right join does not look at it.
    pub fn wall_clock(&mut self, at_s: i64) {
        self.wall_s = self.wall_s.max(at_s);
        if self.version == Version::WallClock {
            self.stream_s = self.stream_s.max(at_s);
            self.close();
        }
    }

    /// Returns the rows given out since the last look, in no particular order.
    pub fn rows(&mut self) -> Vec<Joined> {
        let mut rows = std::mem::take(&mut self.rows);
        if self.version == Version::RightReversed {
            rows.reverse();
        }
        rows
    }

    /// Moves the stream's time; returns the record unless it is empty or late.
    fn accept(&mut self, customer: &str, at_s: i64, amount: Option<i64>) -> Option<Record> {
        if self.version == Version::NullCrash {
            assert!(amount.is_some(), "the value is null");
        }
        let amount = amount?;
        self.stream_s = self.stream_s.max(at_s);
        let behind_s = self.stream_s.saturating_sub(at_s);
        let is_late = match self.version {
            Version::GraceOffByOne => behind_s >= WITHIN_S + GRACE_S,
            Version::LateRecordKept => false,
            _ => behind_s > WITHIN_S + GRACE_S,
        };
        (!is_late).then(|| Record {
            customer: customer.to_owned(),
            at_s,
            amount,
        })
    }

    fn meet(&self, order: &Record, payment: &Record) -> bool {
        let apart_s = (order.at_s - payment.at_s).abs();
        let near = match self.version {
            Version::WindowEndLeftOut => apart_s < WITHIN_S,
            Version::WindowTooWide => apart_s <= WITHIN_S + 1,
            _ => apart_s <= WITHIN_S,
        };
        // Two topics with two partitions each, and one of them is partitioned by another hash.
        let hash: u32 = order.customer.bytes().map(u32::from).sum();
        let lost = self.version == Version::NoRepartition && hash % 2 == 1;
        near && !lost && order.customer == payment.customer
    }

    /// Gives out the orders whose time is over without a payment.
    fn close(&mut self) {
        if self.version == Version::UnmatchedDropped {
            return;
        }
        for order in &mut self.orders {
            let over = self.stream_s - order.record.at_s > WITHIN_S + GRACE_S;
            if over && !order.closed {
                order.closed = true;
                if !order.matched || self.version == Version::MatchedAndUnmatched {
                    self.rows.push(alone(&order.record));
                }
            }
        }
    }
}

fn pair(order: &Record, payment: &Record) -> Joined {
    Joined {
        payment: Some(payment.amount),
        ..alone(order)
    }
}

fn alone(order: &Record) -> Joined {
    Joined {
        customer: order.customer.clone(),
        order: order.amount,
        payment: None,
    }
}
