//! Wrong solutions of lesson 5.3: joins.

use std::collections::HashMap;

use super::Specimen;
use crate::lesson_5_3::joins::{check_for, stream_right, table_right};
use crate::lesson_5_3::{JoinRecord, JoinRow, Lane};

pub(super) const SPECIMENS: &[Specimen] = &[
    Specimen {
        exercise: "5.3 E5",
        name: "table side triggers output",
        hint: "The table side only updates the table",
        check: |learner| check_for(learner, table_triggers, stream_right),
    },
    Specimen {
        exercise: "5.3 E5",
        name: "table joined partition by partition, 12 against 6",
        hint: "some keys always find null",
        check: |learner| check_for(learner, table_by_partition, stream_right),
    },
    Specimen {
        exercise: "5.3 E5",
        name: "price as of the order's event time",
        hint: "that is a versioned table",
        check: |learner| check_for(learner, table_as_of, stream_right),
    },
    Specimen {
        exercise: "5.3 E5",
        name: "table loaded before the stream",
        hint: "an order sees only what had arrived before it",
        check: |learner| check_for(learner, table_first, stream_right),
    },
    Specimen {
        exercise: "5.3 E5",
        name: "left join emits null at once",
        hint: "cannot be called back",
        check: |learner| check_for(learner, table_right, null_at_once),
    },
    Specimen {
        exercise: "5.3 E5",
        name: "window closed on wall time",
        hint: "your windows close by `arrived_s`",
        check: |learner| check_for(learner, table_right, wall_clock),
    },
    Specimen {
        exercise: "5.3 E5",
        name: "streams joined partition by partition, 12 against 6",
        hint: "some keys join and others never do",
        check: |learner| check_for(learner, table_right, by_partition),
    },
    Specimen {
        exercise: "5.3 E5",
        name: "window one-sided",
        hint: "your window looks only forward",
        check: |learner| check_for(learner, table_right, forward_only),
    },
    Specimen {
        exercise: "5.3 E5",
        name: "late rows kept",
        hint: "is late and takes no part",
        check: |learner| check_for(learner, table_right, late_kept),
    },
    Specimen {
        exercise: "5.3 E5",
        name: "null row also for matched",
        hint: "remember which have",
        check: |learner| check_for(learner, table_right, null_for_all),
    },
    Specimen {
        exercise: "5.3 E5",
        name: "open orders put out at the end of the input",
        hint: "A stream has no last record",
        check: |learner| check_for(learner, table_right, flushed),
    },
    Specimen {
        exercise: "5.3 E5",
        name: "closed at the end of the window, without grace",
        hint: "it closes the grace later",
        check: |learner| check_for(learner, table_right, without_grace),
    },
];

fn row(left: &JoinRecord, right: Option<&JoinRecord>) -> JoinRow {
    JoinRow {
        key: left.key.clone(),
        left: left.value.clone(),
        right: right.map(|it| it.value.clone()),
    }
}

fn table_triggers(records: &[JoinRecord]) -> Vec<JoinRow> {
    let mut newest: HashMap<(bool, &str), &JoinRecord> = HashMap::new();
    let mut rows = Vec::new();
    for record in records {
        let is_left = record.lane == Lane::Left;
        let other = newest.get(&(!is_left, record.key.as_str())).copied();
        if is_left {
            rows.push(row(record, other));
        } else if let Some(left) = other {
            rows.push(row(left, Some(record)));
        }
        newest.insert((is_left, &record.key), record);
    }
    rows
}

fn table_by_partition(records: &[JoinRecord]) -> Vec<JoinRow> {
    let mut tables: HashMap<(u32, &str), &JoinRecord> = HashMap::new();
    let mut rows = Vec::new();
    for record in records {
        let place = (record.partition, record.key.as_str());
        if record.lane == Lane::Right {
            tables.insert(place, record);
        } else {
            rows.push(row(record, tables.get(&place).copied()));
        }
    }
    rows
}

fn table_as_of(records: &[JoinRecord]) -> Vec<JoinRow> {
    let mut versions: Vec<&JoinRecord> = Vec::new();
    let mut rows = Vec::new();
    for record in records {
        if record.lane == Lane::Right {
            versions.push(record);
            versions.sort_by_key(|version| version.time_s);
            continue;
        }
        let mut valid = versions.iter().rev();
        let version = valid.find(|it| it.key == record.key && it.time_s <= record.time_s);
        rows.push(row(record, version.copied()));
    }
    rows
}

fn table_first(records: &[JoinRecord]) -> Vec<JoinRow> {
    let (orders, prices): (Vec<_>, Vec<_>) = records.iter().partition(|it| it.lane == Lane::Left);
    let table: HashMap<&str, &JoinRecord> = prices
        .into_iter()
        .map(|price| (price.key.as_str(), price))
        .collect();
    let joined = orders
        .into_iter()
        .map(|order| row(order, table.get(order.key.as_str()).copied()));
    joined.collect()
}

/// Joins what `joins` says, drops what `drops` says (record, clock), and hands what is open to `closes`
/// (order, whether it matched, clock), which says `None` for "not yet" or else whether a null row comes.
fn streams(
    records: &[JoinRecord],
    clock_of: impl Fn(&JoinRecord) -> i64,
    drops: impl Fn(&JoinRecord, i64) -> bool,
    joins: impl Fn(&JoinRecord, &JoinRecord) -> bool,
    closes: impl Fn(&JoinRecord, bool, i64) -> Option<bool>,
) -> Vec<JoinRow> {
    let (mut lefts, mut rights): (Vec<(&JoinRecord, bool, bool)>, Vec<&JoinRecord>) =
        Default::default();
    let mut rows = Vec::new();
    let mut clock = i64::MIN / 2;
    for record in records {
        if drops(record, clock) {
            continue;
        }
        clock = clock.max(clock_of(record));
        if record.lane == Lane::Left {
            let fits: Vec<_> = rights.iter().filter(|right| joins(record, right)).collect();
            rows.extend(fits.iter().map(|right| row(record, Some(right))));
            lefts.push((record, !fits.is_empty(), false));
        } else {
            for (left, matched, _) in lefts.iter_mut().filter(|(left, ..)| joins(left, record)) {
                rows.push(row(left, Some(record)));
                *matched = true;
            }
            rights.push(record);
        }
        for (left, matched, done) in &mut lefts {
            if *done {
                continue;
            }
            if let Some(null) = closes(left, *matched, clock) {
                *done = true;
                rows.extend(null.then(|| row(left, None)));
            }
        }
    }
    rows
}

fn near(left: &JoinRecord, right: &JoinRecord, window_s: i64) -> bool {
    left.key == right.key && (left.time_s - right.time_s).abs() <= window_s
}

/// As [`streams`], by event time and without late records.
fn timely(
    records: &[JoinRecord],
    grace_s: i64,
    joins: impl Fn(&JoinRecord, &JoinRecord) -> bool,
    closes: impl Fn(&JoinRecord, bool, i64) -> Option<bool>,
) -> Vec<JoinRow> {
    let is_late = |it: &JoinRecord, clock| it.time_s < clock - grace_s;
    streams(records, |it| it.time_s, is_late, joins, closes)
}

/// A null row for an order that has waited so long without a match.
fn unless_matched(wait_s: i64) -> impl Fn(&JoinRecord, bool, i64) -> Option<bool> {
    move |it, matched, clock| (clock > it.time_s + wait_s).then_some(!matched)
}

fn null_at_once(records: &[JoinRecord], window_s: i64, grace_s: i64) -> Vec<JoinRow> {
    timely(
        records,
        grace_s,
        |left, right| near(left, right, window_s),
        |_, matched, _| Some(!matched),
    )
}

fn wall_clock(records: &[JoinRecord], window_s: i64, grace_s: i64) -> Vec<JoinRow> {
    streams(
        records,
        |it| it.arrived_s,
        |it, _| it.arrived_s - it.time_s > grace_s,
        |left, right| near(left, right, window_s),
        unless_matched(window_s + grace_s),
    )
}

fn by_partition(records: &[JoinRecord], window_s: i64, grace_s: i64) -> Vec<JoinRow> {
    timely(
        records,
        grace_s,
        |left, right| left.partition == right.partition && near(left, right, window_s),
        unless_matched(window_s + grace_s),
    )
}

fn forward_only(records: &[JoinRecord], window_s: i64, grace_s: i64) -> Vec<JoinRow> {
    timely(
        records,
        grace_s,
        |left, right| left.time_s <= right.time_s && near(left, right, window_s),
        unless_matched(window_s + grace_s),
    )
}

fn late_kept(records: &[JoinRecord], window_s: i64, grace_s: i64) -> Vec<JoinRow> {
    streams(
        records,
        |it| it.time_s,
        |_, _| false,
        |left, right| near(left, right, window_s),
        unless_matched(window_s + grace_s),
    )
}

fn null_for_all(records: &[JoinRecord], window_s: i64, grace_s: i64) -> Vec<JoinRow> {
    timely(
        records,
        grace_s,
        |left, right| near(left, right, window_s),
        |it, _, clock| (clock > it.time_s + window_s + grace_s).then_some(true),
    )
}

fn without_grace(records: &[JoinRecord], window_s: i64, grace_s: i64) -> Vec<JoinRow> {
    timely(
        records,
        grace_s,
        |left, right| near(left, right, window_s),
        unless_matched(window_s),
    )
}

fn flushed(records: &[JoinRecord], window_s: i64, grace_s: i64) -> Vec<JoinRow> {
    let mut rows = stream_right(records, window_s, grace_s);
    let mut newest = i64::MIN / 2;
    for order in records {
        let is_late = order.time_s < newest - grace_s;
        newest = newest.max(order.time_s);
        let is_out = rows.iter().any(|row| row.left == order.value);
        if order.lane == Lane::Left && !is_late && !is_out {
            rows.push(row(order, None));
        }
    }
    rows
}
