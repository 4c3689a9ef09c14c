//! Joins that people often write, each wrong in one way.

use super::join_record::{JoinRecord, JoinRow, Lane};
use super::joins::{Came, Script, came, came_table};
use crate::trial::Misconception;

/// A join of two streams, with what one may get wrong about it.
#[derive(Clone, Copy)]
pub(super) struct Way {
    /// Whether the clock is the largest event time, or the clock on the wall.
    event_time: bool,
    drops_late: bool,
    /// Whether a null row waits until no match can come any more.
    null_waits: bool,
    waits_for_grace: bool,
    /// Whether matched orders have no null row.
    null_for_unmatched_only: bool,
    two_sided: bool,
    across_partitions: bool,
    /// Whether what is open in the end stays open.
    leaves_open: bool,
    /// Whether unmatched orders come out at all.
    outer: bool,
}

impl Way {
    pub const RIGHT: Way = Way {
        event_time: true,
        drops_late: true,
        null_waits: true,
        waits_for_grace: true,
        null_for_unmatched_only: true,
        two_sided: true,
        across_partitions: true,
        leaves_open: true,
        outer: true,
    };

    /// Joins orders with prices.
    pub fn join(&self, records: &[JoinRecord], window_s: i64, grace_s: i64) -> Vec<JoinRow> {
        let mut rows = Vec::new();
        let mut kept: Vec<&JoinRecord> = Vec::new();
        // Orders that wait, each with whether it has met a price.
        let mut open: Vec<(&JoinRecord, bool)> = Vec::new();
        let mut now = i64::MIN;
        let wait_s = window_s + if self.waits_for_grace { grace_s } else { 0 };
        for record in records {
            let clock = if self.event_time {
                record.time_s
            } else {
                record.arrived_s
            };
            let is_late = match self.event_time {
                true => record.time_s < now.saturating_sub(grace_s),
                false => record.time_s < clock - grace_s,
            };
            if self.drops_late && is_late {
                continue;
            }
            now = now.max(clock);
            let mut met = false;
            for other in kept.iter().filter(|it| self.meets(it, record, window_s)) {
                let [left, right] = match record.lane {
                    Lane::Left => [record, other],
                    Lane::Right => [other, record],
                };
                rows.push(JoinRow::new(left, Some(right)));
                met = true;
                let mut waiting = open.iter_mut();
                if let Some((_, met)) = waiting.find(|(it, _)| it.value == left.value) {
                    *met = true;
                }
            }
            kept.push(record);
            match record.lane {
                Lane::Left if self.null_waits => open.push((record, met)),
                Lane::Left if !met => rows.push(JoinRow::new(record, None)),
                _ => {}
            }
            open.retain(|(left, met)| {
                let closed = left.time_s + wait_s < now;
                if closed && self.outer && !(*met && self.null_for_unmatched_only) {
                    rows.push(JoinRow::new(left, None));
                }
                !closed
            });
        }
        if !self.leaves_open {
            let unmatched = open.iter().filter(|(_, met)| !met);
            rows.extend(unmatched.map(|(left, _)| JoinRow::new(left, None)));
        }
        rows
    }

    fn meets(&self, one: &JoinRecord, other: &JoinRecord, window_s: i64) -> bool {
        let after = match one.lane {
            Lane::Left => other.time_s - one.time_s,
            Lane::Right => one.time_s - other.time_s,
        };
        one.lane != other.lane
            && one.key == other.key
            && (self.across_partitions || one.partition == other.partition)
            && after <= window_s
            && after >= if self.two_sided { -window_s } else { 0 }
    }
}

/// What the join gives that does one thing less than the right one.
macro_rules! without {
    ($what:ident) => {
        |it| {
            came(it, |records, window_s, grace_s| {
                let way = Way {
                    $what: false,
                    ..Way::RIGHT
                };
                way.join(records, window_s, grace_s)
            })
        }
    };
}

pub(super) const STREAM: &[Misconception<Script, Came>] = &[
    Misconception {
        name: "left join emits null at once",
        wrong: without!(null_waits),
        hint: "you put the null row out as the order arrives, and its price may still come: what has gone downstream \
               cannot be called back. Wait until stream time has passed time + window + grace",
    },
    Misconception {
        name: "closed on wall time",
        wrong: without!(event_time),
        hint: "your windows close by `arrived_s`: read the same topic tomorrow and everything is late. The clock of a \
               join is stream time, the largest `time_s` so far",
    },
    Misconception {
        name: "joined partition by partition",
        wrong: without!(across_partitions),
        hint: "some keys join and others never do: 12 partitions on the left, 6 on the right, so one key may lie in \
               partition 11 here and 5 there. Join by key, as if both had been repartitioned",
    },
    Misconception {
        name: "window on one side",
        wrong: without!(two_sided),
        hint: "your window looks only forward: a price up to `window_s` before the order matches as well as one after it",
    },
    Misconception {
        name: "late records kept",
        wrong: without!(drops_late),
        hint: "a record that is more than the grace behind stream time is late and takes no part: its partner may be \
               out already, with null",
    },
    Misconception {
        name: "null also for matched",
        wrong: without!(null_for_unmatched_only),
        hint: "when a window closes, an order that has met a price has said all it had to say: remember which have \
               matched, and put null out only for the others",
    },
    Misconception {
        name: "flushed at the end",
        wrong: without!(leaves_open),
        hint: "after the last record you put out what is still open. A stream has no last record: what stream time has \
               not closed stays open",
    },
    Misconception {
        name: "closed without the grace",
        wrong: without!(waits_for_grace),
        hint: "your null row comes when the window ends, and a price within the grace may still match it: it closes the \
               grace later",
    },
    Misconception {
        name: "inner join",
        wrong: without!(outer),
        hint: "an order that found no price is missing: a left join has a row for each order, with null once its window \
               and the grace are over",
    },
];

pub(super) const TABLE: &[Misconception<Script, Came>] = &[
    Misconception {
        name: "table side triggers",
        wrong: |it| {
            came_table(it, |records| {
                let mut rows = Vec::new();
                for (at, record) in records.iter().enumerate() {
                    let mut before = records[..at].iter().rev();
                    let other = before.find(|it| it.lane != record.lane && it.key == record.key);
                    match (record.lane, other) {
                        (Lane::Left, price) => rows.push(JoinRow::new(record, price)),
                        (Lane::Right, Some(order)) => rows.push(JoinRow::new(order, Some(record))),
                        (Lane::Right, None) => {}
                    }
                }
                rows
            })
        },
        hint: "a new price makes a row come out of your join. The table side only updates the table; the stream side \
               triggers, and an order that is through is through",
    },
    Misconception {
        name: "joined partition by partition",
        wrong: |it| {
            came_table(it, |records| {
                by(records, |order, price, at_order, at_price| {
                    at_price < at_order && price.partition == order.partition
                })
            })
        },
        hint: "some keys always find null: 12 partitions on the left, 6 on the right, so one key may lie in partition 11 \
               here and 5 there. Join by key, as if both had been repartitioned",
    },
    Misconception {
        name: "table as of event time",
        wrong: |it| {
            came_table(it, |records| {
                let mut rows = Vec::new();
                for (at, order) in records.iter().enumerate() {
                    if order.lane == Lane::Left {
                        let prices = records[..at].iter();
                        let known = prices.filter(|it| {
                            it.lane == Lane::Right
                                && it.key == order.key
                                && it.time_s <= order.time_s
                        });
                        rows.push(JoinRow::new(order, known.max_by_key(|it| it.time_s)));
                    }
                }
                rows
            })
        },
        hint: "you choose the price by its event time: that is a versioned table. A plain one knows only what arrived \
               last, whatever its time",
    },
    Misconception {
        name: "the whole table is read first",
        wrong: |it| came_table(it, |records| by(records, |_, _, _, _| true)),
        hint: "your order meets prices that arrive after it: a table is built as its records arrive, so an order sees \
               only what had arrived before it",
    },
    Misconception {
        name: "inner join",
        wrong: |it| {
            came_table(it, |records| {
                let rows = by(records, |_, _, at_order, at_price| at_price < at_order);
                rows.into_iter().filter(|row| row.right.is_some()).collect()
            })
        },
        hint: "an order without a price is missing: a left join puts it out with null, at once",
    },
];

/// Joins each order with the last price of its key for which `sees` holds.
fn by(
    records: &[JoinRecord],
    sees: fn(&JoinRecord, &JoinRecord, usize, usize) -> bool,
) -> Vec<JoinRow> {
    let numbered = || records.iter().enumerate();
    let orders = numbered().filter(|(_, it)| it.lane == Lane::Left);
    orders
        .map(|(at, order)| {
            let mut prices = numbered().rev().filter(|(_, it)| it.lane == Lane::Right);
            let price =
                prices.find(|(there, it)| it.key == order.key && sees(order, it, at, *there));
            JoinRow::new(order, price.map(|(_, it)| it))
        })
        .collect()
}
