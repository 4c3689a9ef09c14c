//! A data directory after a crash, and after somebody's hand was in it.

use std::fs;
use std::path::Path;

use headwater_broker::storage::{DiskRef, Storage};
use headwater_broker::{Error, Flush};

use crate::on_disk::{OnDisk, copy, segment};
use crate::stepped::Batch;

fn open(dir: &Path) -> Result<Storage, Error> {
    Storage::open(dir, Flush::None, DiskRef::default())
}

fn refusal(dir: &Path) -> String {
    match open(dir) {
        Ok(_) => panic!("the directory was opened"),
        Err(error) => error.to_string(),
    }
}

/// Writes batches of one to three records and returns the size of the log after each of them.
fn write_batches(disk: &mut OnDisk, count: usize, dir: &Path) -> Vec<u64> {
    let mut sizes = vec![0];
    for number in 0..count {
        let values = ["one", "two", "three"];
        let batch = Batch::of(&values[..=number % 3]);
        assert_eq!(disk.stepped.produce(batch.bytes()).error_code, 0);
        disk.write();
        sizes.push(fs::metadata(segment(dir, 0, "log")).expect("a log").len());
    }
    sizes
}

/// A directory as a killed broker leaves it, and the size of its log after each of its batches.
fn crashed(batches: usize) -> (tempfile::TempDir, Vec<u64>) {
    let live = tempfile::tempdir().expect("a directory");
    let mut disk = OnDisk::open(live.path());
    disk.stepped.create("flights", &[]);
    disk.write();
    let sizes = write_batches(&mut disk, batches, live.path());
    let left = tempfile::tempdir().expect("a directory");
    copy(live.path(), left.path());
    (left, sizes)
}

/// Returns how many records a directory gives back.
fn records(storage: &Storage) -> (u64, i64) {
    let log = storage.stored.logs.values().next();
    (
        storage.recovery.records,
        log.map_or(0, |log| log.next_offset()),
    )
}

#[test]
fn torn_tail_is_cut_at_every_byte() {
    let (left, sizes) = crashed(5);
    let log = segment(left.path(), 0, "log");
    let whole = fs::read(&log).expect("a log");
    let offsets = [0, 1, 3, 6, 7, 9];
    for length in 0..=whole.len() {
        fs::write(&log, &whole[..length]).expect("written");
        let storage = open(left.path()).expect("a torn tail is no damage");
        let batches = sizes.iter().rposition(|&size| size <= length as u64);
        let batches = batches.expect("zero fits always");
        assert_eq!(records(&storage).1, offsets[batches], "cut at {length}");
        let torn = length as u64 - sizes[batches];
        assert_eq!(storage.recovery.truncated_bytes, torn, "cut at {length}");
        assert_eq!(storage.recovery.truncated.len(), usize::from(torn > 0));
        assert_eq!(fs::metadata(&log).expect("a log").len(), sizes[batches]);
    }
}

#[test]
fn flipped_bit_never_gives_another_record() {
    let (left, _) = crashed(3);
    let log = segment(left.path(), 0, "log");
    let whole = fs::read(&log).expect("a log");
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        fs::write(&log, &bytes).expect("written");
        let storage = open(left.path()).expect("the tail is cut");
        let stored = storage.stored.logs.values().next().expect("a log");
        let kept: Vec<u8> = stored
            .segments
            .iter()
            .flat_map(|s| &s.pieces)
            .flatten()
            .copied()
            .collect();
        // The leader epoch (bytes 12 to 15) is the one field that no checksum covers.
        if kept.len() == whole.len() {
            let epochs = [0, 1, 2].map(|batch| batch_at(&whole, batch) + 12);
            assert!(
                epochs.iter().any(|start| (*start..start + 4).contains(&at)),
                "byte {at}"
            );
        } else {
            assert_eq!(kept, whole[..kept.len()], "byte {at}");
            assert!(storage.recovery.truncated_bytes > 0, "byte {at}");
        }
    }
}

fn batch_at(log: &[u8], number: usize) -> usize {
    let mut at = 0;
    for _ in 0..number {
        let length = u32::from_be_bytes(log[at + 8..at + 12].try_into().expect("four bytes"));
        at += length as usize + 12;
    }
    at
}

#[test]
fn torn_journal_is_cut_and_everything_before_it_stands() {
    let (left, _) = crashed(1);
    let journal = left.path().join("facts/00000000000000000000.log");
    let mut bytes = fs::read(&journal).expect("a journal");
    bytes.extend_from_within(..40);
    fs::write(&journal, &bytes).expect("written");
    let storage = open(left.path()).expect("a torn tail is no damage");
    assert_eq!(storage.recovery.truncated_bytes, 40);
    assert_eq!(records(&storage).0, 1);
}

/// A directory with several closed segments, cleanly closed.
fn closed_segments() -> (tempfile::TempDir, Vec<i64>) {
    let dir = tempfile::tempdir().expect("a directory");
    let mut disk = OnDisk::open(dir.path());
    disk.stepped.create("flights", &[("segment.bytes", "200")]);
    disk.write();
    for _ in 0..6 {
        let batch = Batch::of(&["a value of some length", "and another one of these"]);
        disk.stepped.produce(batch.bytes());
        disk.write();
    }
    disk.close();
    let names = fs::read_dir(dir.path().join("node-1/flights-0")).expect("a directory");
    let names = names.map(|entry| entry.expect("an entry").file_name());
    let mut bases: Vec<i64> = names
        .filter_map(|name| name.to_str()?.strip_suffix(".log")?.parse().ok())
        .collect();
    bases.sort_unstable();
    assert!(bases.len() >= 3, "{bases:?}");
    (dir, bases)
}

#[test]
fn damage_in_a_closed_segment_is_refused_and_named() {
    let (dir, bases) = closed_segments();
    let log = segment(dir.path(), bases[1], "log");
    let mut bytes = fs::read(&log).expect("a log");
    let at = bytes.len() - 5;
    bytes[at] ^= 1;
    fs::write(&log, &bytes).expect("written");
    let why = refusal(dir.path());
    let named = format!(
        "{:020}.log, offset {}, byte 0: the checksum",
        bases[1], bases[1]
    );
    assert!(why.contains(&named), "{why}");
    assert!(why.contains("try:"), "{why}");
}

#[test]
fn missing_segment_is_refused_and_named() {
    let (dir, bases) = closed_segments();
    fs::remove_file(segment(dir.path(), bases[1], "log")).expect("removed");
    let why = refusal(dir.path());
    assert!(
        why.contains(&format!("records from {} on are missing", bases[1])),
        "{why}"
    );
}

#[test]
fn missing_last_segment_is_refused() {
    let (dir, bases) = closed_segments();
    let last = bases.last().expect("segments");
    fs::remove_file(segment(dir.path(), *last, "log")).expect("removed");
    let why = refusal(dir.path());
    assert!(why.contains("is known to have been longer"), "{why}");
}

#[test]
fn tail_that_was_good_and_is_gone_is_no_torn_tail() {
    let (dir, bases) = closed_segments();
    fs::remove_file(dir.path().join(".kafka_cleanshutdown")).expect("removed");
    let last = segment(dir.path(), *bases.last().expect("segments"), "log");
    let mut bytes = fs::read(&last).expect("a log");
    bytes.pop();
    fs::write(&last, &bytes).expect("written");
    let why = refusal(dir.path());
    assert!(why.contains("the file ends within a batch"), "{why}");
}

#[test]
fn unknown_file_in_a_log_is_refused_and_named() {
    let (dir, _) = closed_segments();
    fs::write(dir.path().join("node-1/flights-0/notes.txt"), "mine").expect("written");
    let why = refusal(dir.path());
    assert!(why.contains("notes.txt"), "{why}");
}

#[test]
fn missing_and_wrong_indexes_are_written_again() {
    let (dir, bases) = closed_segments();
    let index = segment(dir.path(), bases[1], "index");
    let times = segment(dir.path(), bases[0], "timeindex");
    let before = (
        fs::read(&index).expect("an index"),
        fs::read(&times).expect("times"),
    );
    assert_eq!(before.1.len(), 12);
    fs::remove_file(&index).expect("removed");
    fs::write(&times, [7; 5]).expect("written");
    let storage = open(dir.path()).expect("indexes can be worked out");
    assert_eq!(storage.recovery.rebuilt_indexes, 2);
    let after = (
        fs::read(&index).expect("an index"),
        fs::read(&times).expect("times"),
    );
    assert_eq!(after, before);
}

#[test]
fn index_has_an_entry_every_interval_in_kafkas_format() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut disk = OnDisk::open(dir.path());
    disk.stepped
        .create("flights", &[("index.interval.bytes", "100")]);
    disk.write();
    let mut size = 0;
    for number in 0..4 {
        let batch = Batch::of(&["a value of some length", "and another"]).at(&[1000 + number, 900]);
        size = batch.bytes().len() as u32;
        disk.stepped.produce(batch.bytes());
        disk.write();
    }
    assert!((101..200).contains(&size), "{size}");
    disk.close();
    let index = fs::read(segment(dir.path(), 0, "index")).expect("an index");
    let entries: Vec<u32> = index
        .chunks(4)
        .map(|four| u32::from_be_bytes(four.try_into().expect("four bytes")))
        .collect();
    assert_eq!(entries, [3, size, 5, 2 * size, 7, 3 * size]);
    let times = fs::read(segment(dir.path(), 0, "timeindex")).expect("times");
    let entry = |at: usize| {
        let time = i64::from_be_bytes(times[at..at + 8].try_into().expect("eight bytes"));
        (
            time,
            u32::from_be_bytes(times[at + 8..at + 12].try_into().expect("four bytes")),
        )
    };
    assert_eq!(
        [entry(0), entry(12), entry(24)],
        [(1001, 3), (1002, 5), (1003, 7)]
    );
}

#[test]
fn missing_journal_is_refused_and_nothing_deleted() {
    let (dir, bases) = closed_segments();
    fs::remove_file(dir.path().join("facts/00000000000000000000.log")).expect("removed");
    let why = refusal(dir.path());
    assert!(why.contains("the journal of facts is not there"), "{why}");
    assert!(segment(dir.path(), bases[0], "log").exists());
}

#[test]
fn directory_in_use_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let _first = open(dir.path()).expect("a new directory");
    let why = refusal(dir.path());
    assert!(
        why.contains("in use") && why.contains("try:  stopping that broker"),
        "{why}"
    );
}

#[test]
fn directory_of_something_else_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().expect("a directory");
    fs::write(dir.path().join("thesis.tex"), "mine").expect("written");
    assert!(refusal(dir.path()).contains("thesis.tex"));
    let names: Vec<_> = fs::read_dir(dir.path()).expect("a directory").collect();
    assert_eq!(names.len(), 1, "{names:?}");
}

#[test]
fn directory_of_another_version_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    drop(open(dir.path()).expect("a new directory"));
    fs::write(dir.path().join("meta.properties"), "version=2\n").expect("written");
    let why = refusal(dir.path());
    assert!(
        why.contains("another format") && why.contains("version=2"),
        "{why}"
    );
}

#[test]
fn empty_file_after_a_crash_is_an_empty_segment() {
    let (left, _) = crashed(0);
    fs::write(segment(left.path(), 0, "log"), []).expect("written");
    let storage = open(left.path()).expect("an empty file is no damage");
    assert_eq!(records(&storage), (0, 0));
}

#[test]
fn deleted_topic_leaves_no_files() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut disk = OnDisk::open(dir.path());
    disk.stepped.create("flights", &[]);
    disk.stepped.produce(Batch::of(&["a"]).bytes());
    disk.write();
    let outputs = disk.stepped.brokers.reset(disk.stepped.now_ms);
    disk.write_changes(outputs.changes);
    let left: Vec<_> = fs::read_dir(dir.path().join("node-1"))
        .expect("a directory")
        .collect();
    assert!(left.is_empty(), "{left:?}");
    disk.close();
    assert_eq!(open(dir.path()).expect("a directory").stored.logs.len(), 0);
}
