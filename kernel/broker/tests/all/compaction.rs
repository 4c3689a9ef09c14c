//! Compaction: which records stay, at which offsets, and when.

use std::collections::BTreeMap;

use bytes::Bytes;
use headwater_broker::log::codec::Codec;
use headwater_broker::log::{Appending, BatchHeader, CompactionRules, PartitionLog, Verdict};
use proptest::prelude::*;

use crate::keyed::{Keyed, headers, records};

const NOW_MS: i64 = 1_700_000_000_000;
const CODECS: [Codec; 5] = [
    Codec::Plain,
    Codec::Gzip,
    Codec::Snappy,
    Codec::Lz4,
    Codec::Zstd,
];

fn how(segment_bytes: usize) -> Appending {
    Appending {
        now_ms: NOW_MS,
        segment_bytes,
        segment_ms: i64::MAX,
        append_time: false,
    }
}

/// Rules under which everything dirty is cleaned, and nothing is too young.
fn rules(log: &PartitionLog) -> CompactionRules {
    CompactionRules {
        now_ms: NOW_MS,
        stable_offset: log.latest(),
        dirty_ratio: 0.0,
        min_lag_ms: 0,
        max_lag_ms: i64::MAX,
        delete_retention_ms: 1000,
        segment_bytes: 1 << 20,
    }
}

fn append(log: &mut PartitionLog, batch: &Keyed<'_>) -> i64 {
    let bytes = batch.bytes();
    let header = BatchHeader::parse(&bytes).expect("a whole batch");
    log.append(&bytes, &header, how(1))
}

/// A log in which every batch is a segment, and the last one is nobody's concern.
fn log_of(batches: &[Keyed<'_>]) -> PartitionLog {
    let mut log = PartitionLog::new();
    for batch in batches {
        append(&mut log, batch);
    }
    append(&mut log, &Keyed::values(&[("last", "one")]));
    log
}

fn stored(log: &PartitionLog) -> Bytes {
    let mut all = Vec::new();
    let mut at = log.earliest();
    while at < log.latest() {
        let read = log.read(at, i64::MAX, usize::MAX, true).expect("in range");
        let Some(last) = headers(&read).last().copied() else {
            break;
        };
        at = last.last_offset() + 1;
        all.extend_from_slice(&read);
    }
    Bytes::from(all)
}

fn left(log: &PartitionLog) -> Vec<(i64, String, Option<String>)> {
    let mut left = records(&stored(log));
    left.pop_if(|(_, key, _)| key == "last");
    left
}

fn row(offset: i64, key: &str, value: &str) -> (i64, String, Option<String>) {
    (offset, key.to_owned(), Some(value.to_owned()))
}

#[test]
fn newest_record_of_a_key_stays_at_its_offset_whatever_the_codec() {
    for codec in CODECS {
        let mut log = log_of(&[
            Keyed::values(&[("a", "1"), ("b", "1"), ("c", "1")]).codec(codec),
            Keyed::values(&[("b", "2"), ("a", "2")]).codec(codec),
            Keyed::values(&[("b", "3")]).codec(codec),
        ]);
        let report = log.compact(&rules(&log)).expect("a cleaning");
        let expected = [row(2, "c", "1"), row(4, "a", "2"), row(5, "b", "3")];
        assert_eq!(left(&log), expected, "{codec:?}");
        assert_eq!((report.first_dirty, report.end), (0, 6));
        assert_eq!((report.records_before, report.records_after), (6, 3));
        assert_eq!(report.records_removed(), 3);
        assert_eq!((report.segments_before, report.segments_after), (3, 1));
        // The codec is kept, and so is the offset at which each batch ends.
        let batches = headers(&stored(&log));
        let compressed = |header: &BatchHeader| header.is_compressed();
        assert!(
            batches[..3]
                .iter()
                .all(|h| compressed(h) == (codec != Codec::Plain))
        );
        let ends: Vec<i64> = batches.iter().map(BatchHeader::last_offset).collect();
        assert_eq!(ends, [2, 4, 5, 6]);
        assert_eq!((log.earliest(), log.latest()), (0, 7));
    }
}

#[test]
fn reading_from_a_hole_goes_on_at_the_next_record() {
    let mut log = log_of(&[
        Keyed::values(&[("a", "1")]),
        Keyed::values(&[("a", "2")]),
        Keyed::values(&[("b", "1")]),
    ]);
    log.compact(&rules(&log)).expect("a cleaning");
    for offset in 0..2 {
        let read = log.read(offset, i64::MAX, 1, true).expect("in range");
        assert_eq!(records(&read), [row(1, "a", "2")]);
    }
}

#[test]
fn segment_that_grows_is_not_cleaned() {
    let mut log = PartitionLog::new();
    for value in ["1", "2", "3"] {
        let bytes = Keyed::values(&[("a", value)]).bytes();
        let header = BatchHeader::parse(&bytes).expect("a whole batch");
        log.append(&bytes, &header, how(1 << 20));
    }
    assert!(!log.has_dirty_segments());
    assert_eq!(log.compaction_due(&rules(&log)), None);
    assert_eq!(log.compact(&rules(&log)), None);
    assert_eq!(records(&stored(&log)).len(), 3);
}

#[test]
fn tombstone_stays_for_a_while_and_then_goes() {
    for codec in CODECS {
        let mut log = log_of(&[
            Keyed::values(&[("a", "1"), ("b", "1")]).codec(codec),
            Keyed::of(&[(Some("a"), None), (Some("c"), Some("1"))]).codec(codec),
        ]);
        let report = log.compact(&rules(&log)).expect("a cleaning");
        let gone = (2, "a".to_owned(), None);
        let expected = [row(1, "b", "1"), gone, row(3, "c", "1")];
        assert_eq!(left(&log), expected, "{codec:?}");
        assert_eq!((report.tombstones, report.tombstones_removed), (1, 0));
        // The timestamps are as they were, though the batch now carries its end.
        let times: Vec<i64> = [1001, 1000, 1001].to_vec();
        let found = (0..3).map(|index| time_of(&log, index)).collect::<Vec<_>>();
        assert_eq!(found, times, "{codec:?}");
        let again = |log: &mut PartitionLog, now_ms: i64| {
            append(log, &Keyed::values(&[("last", "one")]));
            let rules = CompactionRules {
                now_ms,
                ..rules(log)
            };
            log.compact(&rules).expect("a cleaning")
        };
        assert_eq!(again(&mut log, NOW_MS + 999).tombstones, 1);
        let last = again(&mut log, NOW_MS + 1000);
        assert_eq!((last.tombstones, last.tombstones_removed), (0, 1));
        let kept = left(&log);
        assert_eq!(kept[..2], [row(1, "b", "1"), row(3, "c", "1")], "{codec:?}");
    }
}

fn time_of(log: &PartitionLog, index: usize) -> i64 {
    let stored = stored(log);
    let mut rest = &stored[..];
    let mut times = Vec::new();
    while let Some(header) = BatchHeader::parse(rest) {
        let records = headwater_broker::log::records::record_times(rest);
        times.extend(records.into_iter().map(|time| time.timestamp_ms));
        rest = &rest[header.size..];
    }
    times[index]
}

#[test]
fn deleted_key_that_is_written_again_lives() {
    let mut log = log_of(&[
        Keyed::values(&[("a", "1")]),
        Keyed::tombstone("a"),
        Keyed::values(&[("a", "2")]),
    ]);
    log.compact(&rules(&log)).expect("a cleaning");
    assert_eq!(left(&log), [row(2, "a", "2")]);
}

#[test]
fn log_is_cleaned_when_it_is_dirty_enough() {
    let mut log = log_of(&[Keyed::values(&[("a", "1")]), Keyed::values(&[("b", "1")])]);
    log.compact(&rules(&log)).expect("a cleaning");
    append(&mut log, &Keyed::values(&[("a", "2")]));
    // One segment in three is dirty, the one that had been growing.
    let half = CompactionRules {
        dirty_ratio: 0.5,
        ..rules(&log)
    };
    assert_eq!(log.compaction_due(&half), None);
    let third = CompactionRules {
        dirty_ratio: 0.3,
        ..half
    };
    let ratio = log.compaction_due(&third).expect("due");
    assert!((0.3..0.4).contains(&ratio), "{ratio}");
    // However clean it is, a record waits no longer than it may.
    let late = CompactionRules {
        max_lag_ms: NOW_MS - 1001,
        ..half
    };
    assert!(log.compaction_due(&late).is_some());
    let in_time = CompactionRules {
        max_lag_ms: NOW_MS - 1000,
        ..half
    };
    assert_eq!(log.compaction_due(&in_time), None);
}

#[test]
fn young_records_are_left_alone() {
    let mut log = log_of(&[
        Keyed::values(&[("a", "1")]).at(NOW_MS - 5000),
        Keyed::values(&[("a", "2")]).at(NOW_MS - 4000),
        Keyed::values(&[("a", "3")]).at(NOW_MS - 500),
    ]);
    let rules = CompactionRules {
        min_lag_ms: 1000,
        ..rules(&log)
    };
    let report = log.compact(&rules).expect("a cleaning");
    assert_eq!(report.end, 2);
    assert_eq!(left(&log), [row(1, "a", "2"), row(2, "a", "3")]);
}

#[test]
fn nothing_beyond_the_last_stable_offset_is_cleaned() {
    let mut log = log_of(&[
        Keyed::values(&[("a", "1")]),
        Keyed::values(&[("a", "2")]),
        Keyed::values(&[("a", "3")]).from(7, 0).in_transaction(),
        Keyed::values(&[("a", "4")]),
    ]);
    let rules = CompactionRules {
        stable_offset: 2,
        ..rules(&log)
    };
    log.compact(&rules).expect("a cleaning");
    assert_eq!(
        left(&log),
        [row(1, "a", "2"), row(2, "a", "3"), row(3, "a", "4")]
    );
}

#[test]
fn aborted_records_go_and_replace_nothing() {
    let mut log = log_of(&[
        Keyed::values(&[("a", "1"), ("b", "1")]),
        Keyed::values(&[("a", "aborted")])
            .from(7, 0)
            .in_transaction(),
        Keyed::values(&[("b", "committed")])
            .from(8, 0)
            .in_transaction(),
        Keyed::marker(7, false),
        Keyed::marker(8, true),
        Keyed::values(&[("c", "later")]).from(7, 1).in_transaction(),
        Keyed::marker(7, true),
    ]);
    let told = |log: &PartitionLog| log.aborted_in(0, &stored(log)).len();
    assert_eq!(told(&log), 1);
    let report = log.compact(&rules(&log)).expect("a cleaning");
    // Readers are told of no aborted records: they would leave out what comes later from there.
    assert_eq!(told(&log), 0);
    let expected = [
        row(0, "a", "1"),
        row(3, "b", "committed"),
        row(6, "c", "later"),
    ];
    assert_eq!(left(&log), expected);
    assert_eq!(report.aborted_removed, 1);
    // The markers stay: readers may still be inside the transactions.
    let markers = |log: &PartitionLog| -> Vec<i64> {
        let batches = headers(&stored(log)).into_iter();
        batches
            .filter(BatchHeader::is_control)
            .map(|h| h.base_offset)
            .collect()
    };
    assert_eq!(markers(&log), [4, 5, 7]);
    // Without records before it, the first one goes too, after its time.
    for now_ms in [NOW_MS, NOW_MS + 1000] {
        append(&mut log, &Keyed::values(&[("last", "one")]));
        log.compact(&CompactionRules {
            now_ms,
            ..rules(&log)
        })
        .expect("a cleaning");
    }
    assert_eq!(markers(&log), [5, 7]);
}

#[test]
fn last_batch_of_a_producer_leaves_its_header() {
    let mut log = log_of(&[
        Keyed::values(&[("a", "1")]).from(7, 0),
        Keyed::values(&[("a", "2")]).from(7, 1),
        Keyed::values(&[("a", "3")]),
    ]);
    log.compact(&rules(&log)).expect("a cleaning");
    assert_eq!(left(&log), [row(2, "a", "3")]);
    let empty = headers(&stored(&log))[0];
    assert_eq!(
        (empty.base_offset, empty.records, empty.base_sequence),
        (1, 0, 1)
    );
    // A repeated batch is still recognised, and a gap too.
    let check = |batch: Keyed<'_>| {
        log.producers
            .check(&BatchHeader::parse(&batch.bytes()).expect("a batch"))
    };
    let again = check(Keyed::values(&[("a", "2")]).from(7, 1));
    assert_eq!(again, Ok(Verdict::Duplicate { base_offset: 1 }));
    assert!(check(Keyed::values(&[("a", "5")]).from(7, 5)).is_err());
}

#[test]
fn unreadable_batch_is_kept() {
    let mut log = PartitionLog::new();
    let mut broken = Keyed::values(&[("a", "1")])
        .codec(Codec::Lz4)
        .bytes()
        .to_vec();
    let end = broken.len();
    broken[end - 20..].fill(0xff);
    let header = BatchHeader::parse(&broken).expect("a header");
    log.append(&broken, &header, how(1));
    append(&mut log, &Keyed::values(&[("a", "2")]));
    append(&mut log, &Keyed::values(&[("b", "1")]));
    let report = log.compact(&rules(&log)).expect("a cleaning");
    assert_eq!((report.records_before, report.records_after), (2, 2));
}

/// One record of a random history: key, whether it has a value, codec.
fn history() -> impl Strategy<Value = Vec<Vec<(u8, bool, u8)>>> {
    let record = (0..6u8, prop::bool::weighted(0.8), 0..5u8);
    prop::collection::vec(prop::collection::vec(record, 1..6), 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]
    #[test]
    fn any_history_gives_the_same_table_before_and_after(
        history in history(),
        segment_bytes in 1..600usize,
        cleanings in prop::collection::vec(any::<bool>(), 12),
    ) {
        let mut log = PartitionLog::new();
        let mut all = Vec::new();
        for (number, batch) in history.iter().enumerate() {
            let texts: Vec<(String, Option<String>)> = batch.iter().enumerate().map(|(index, (key, lives, _))| {
                (format!("k{key}"), lives.then(|| format!("{number}-{index}")))
            }).collect();
            let pairs: Vec<_> = texts.iter().map(|(k, v)| (Some(k.as_str()), v.as_deref())).collect();
            let bytes = Keyed::of(&pairs).codec(CODECS[usize::from(batch[0].2)]).bytes();
            let header = BatchHeader::parse(&bytes).expect("a whole batch");
            let base = log.append(&bytes, &header, how(segment_bytes));
            all.extend((base..).zip(texts).map(|(offset, (key, value))| (offset, key, value)));
            if cleanings[number] {
                let rules = CompactionRules { delete_retention_ms: i64::MAX, segment_bytes, ..rules(&log) };
                log.compact(&rules);
            }
        }
        let kept = records(&stored(&log));
        prop_assert!(kept.iter().all(|record| all.contains(record)), "offsets or values changed");
        let table = |records: &[(i64, String, Option<String>)]| -> BTreeMap<String, (i64, Option<String>)> {
            records.iter().map(|(offset, key, value)| (key.clone(), (*offset, value.clone()))).collect()
        };
        prop_assert_eq!(table(&kept), table(&all));
        prop_assert_eq!(log.latest(), all.len() as i64);
        let bytes: u64 = headers(&stored(&log)).iter().map(|h| h.size as u64).sum();
        prop_assert_eq!(log.bytes(), bytes);
    }
}
