use std::path::PathBuf;

use headwater_streams::prelude::*;
use polars::prelude::*;
use tempfile::TempDir;

use crate::{assert_says, times, topic};

/// A folder for a checkpoint and results.
pub struct Place(TempDir);

impl Place {
    pub fn new() -> Place {
        Place(tempfile::tempdir().unwrap())
    }

    pub fn of(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

/// Counts and sums per gauge and ten minutes, one minute late at most.
pub fn per_gauge(topic: &Topic) -> Query {
    topic
        .stream()
        .watermark("at", minutes(1))
        .group_by(["gauge"])
        .window(Tumbling::of(minutes(10)))
        .agg([len().alias("n"), col("level_cm").sum()])
        .unwrap()
}

/// One row a minute from `from` to `to`, for two gauges.
pub fn readings(from: i64, to: i64) -> DataFrame {
    let start = 1_360_314_000_000_000;
    let at: Vec<i64> = (from..to).map(|n| start + n * 60_000_000).collect();
    let utc = DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC));
    let at = Series::new("at".into(), at).cast(&utc).unwrap();
    let mut frame = df!(
        "gauge" => (from..to).map(|n| ["G01", "G02"][(n % 2) as usize]).collect::<Vec<_>>(),
        "level_cm" => (from..to).collect::<Vec<_>>(),
    )
    .unwrap();
    frame.with_column(at.into()).unwrap();
    frame
}

/// Returns every row as text, sorted: two frames with the same rows are equal. Values are owned
/// first: Polars names those of a frame with one row otherwise.
pub fn rows(frame: &DataFrame) -> Vec<String> {
    let mut rows: Vec<String> = (0..frame.height())
        .map(|row| {
            let cells = frame.columns().iter();
            let cells = cells.map(|column| format!("{:?}", column.get(row).unwrap().into_static()));
            cells.collect::<Vec<_>>().join(" | ")
        })
        .collect();
    rows.sort();
    rows
}

/// Returns the windows of a batch run that a stream with this watermark has let out.
pub fn oracle(query: &Query, topic: &Topic) -> Vec<String> {
    let read = topic.read(Earliest).unwrap();
    let newest = read.column("at").unwrap().cast(&DataType::Int64).unwrap();
    let watermark = newest.i64().unwrap().max().unwrap() - 60_000_000;
    let whole = query.run_local(&read).unwrap();
    let ends = whole.column("window_end").unwrap();
    let ends = ends.cast(&DataType::Int64).unwrap();
    let closed: BooleanChunked = ends
        .i64()
        .unwrap()
        .iter()
        .map(|end| end.unwrap() <= watermark)
        .collect();
    rows(&whole.filter(&closed).unwrap())
}

#[test]
fn a_job_gives_out_what_the_batch_run_does_and_goes_on_where_it_was() {
    let (topic, place) = (topic("job", 3), Place::new());
    let query = per_gauge(&topic);
    let results = Parquet::dir(place.of("results"));
    let job = query
        .to(&results)
        .checkpoint(place.of("checkpoint"))
        .most_records(40);
    assert_eq!(results.read().unwrap().width(), 0);
    for (from, to) in [(0, 100), (100, 101), (101, 250)] {
        topic.produce_keyed(&readings(from, to), "gauge").unwrap();
        let run = job.run_available().unwrap();
        assert!(!run.is_running());
        assert_eq!(rows(&results.read().unwrap()), oracle(&query, &topic));
    }
    let last = job.run_available().unwrap();
    assert!(last.last_progress().is_none(), "{:?}", last.last_progress());
    assert!(last.why().contains("250 rows in"), "{}", last.why());
}

#[test]
fn a_running_job_takes_in_what_comes_and_stops_on_drop() {
    let (topic, place) = (topic("jobrun", 2), Place::new());
    let query = per_gauge(&topic);
    let results = Parquet::dir(place.of("results"));
    let job = query.to(&results).checkpoint(place.of("checkpoint"));
    let run = job.start().unwrap();
    topic.produce(&readings(0, 60)).unwrap();
    run.until_caught_up().unwrap();
    assert_eq!(rows(&results.read().unwrap()), oracle(&query, &topic));
    assert!(run.is_running());
    drop(run);
    // The checkpoint is free again.
    let run = job.start().unwrap();
    topic.produce(&readings(60, 120)).unwrap();
    run.until_caught_up().unwrap();
    run.stop().unwrap();
    run.stop().unwrap();
    assert!(!run.is_running());
    assert_eq!(rows(&results.read().unwrap()), oracle(&query, &topic));
}

#[test]
fn catching_up_ends_although_records_keep_coming() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let (topic, place) = (topic("jobflood", 1), Place::new());
    topic.produce(&readings(0, 30)).unwrap();
    let run = per_gauge(&topic)
        .to(Parquet::dir(place.of("results")))
        .checkpoint(place.of("checkpoint"))
        .every(std::time::Duration::ZERO)
        .start()
        .unwrap();
    let enough = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut next = 30;
            while !enough.load(Ordering::SeqCst) {
                topic.produce(&readings(next, next + 1)).unwrap();
                next += 1;
            }
        });
        let caught_up = run.until_caught_up();
        enough.store(true, Ordering::SeqCst);
        caught_up.unwrap();
    });
    assert!(Parquet::dir(place.of("results")).read().unwrap().height() > 0);
}

#[test]
fn progress_has_one_record_a_batch_in_the_shape_of_spark() {
    let (topic, place) = (topic("jobprogress", 1), Place::new());
    topic.produce(&readings(0, 50)).unwrap();
    // Late by far, and no row at all.
    topic.produce(&readings(0, 1)).unwrap();
    topic.send("k", "[1]").unwrap();
    let job = per_gauge(&topic)
        .to(Parquet::dir(place.of("results")))
        .checkpoint(place.of("checkpoint"))
        .named("levels")
        .most_records(25);
    let run = job.run_available().unwrap();
    let progress = run.progress().unwrap();
    let column = |name: &str| -> Vec<i64> {
        let column = progress.column(name).unwrap().i64().unwrap();
        column.iter().map(Option::unwrap).collect()
    };
    // 52 records in batches of 25, and one without input for the last windows.
    assert_eq!(column("batch"), [0, 1, 2]);
    assert_eq!(column("input_rows"), [25, 25, 1]);
    assert_eq!(column("rejected_rows"), [0, 0, 1]);
    assert_eq!(column("sink_rows"), [0, 4, 4]);
    assert_eq!(column("late_rows"), [0, 0, 1]);
    assert_eq!(run.late().unwrap().height(), 1);
    assert_eq!(run.rejected().unwrap().height(), 1);
    let last: serde_json::Value =
        serde_json::from_str(&run.last_progress().unwrap().to_json()).unwrap();
    assert_eq!(last["name"], "levels");
    assert_eq!(last["batchId"], 2);
    assert_eq!(last["eventTime"]["watermark"], "2013-02-08T09:48:00.000Z");
    assert_eq!(last["stateOperators"][0]["numRowsRemoved"], 4);
    assert_eq!(last["sources"][0]["endOffset"]["jobprogress"]["0"], 52);
    assert_eq!(last["sink"]["numOutputRows"], 4);
}

#[test]
fn a_job_without_a_checkpoint_is_refused() {
    let topic = topic("jobless", 1);
    let job = per_gauge(&topic).to(Parquet::dir("nowhere"));
    let error = job.start().unwrap_err();
    assert_says(
        &error,
        &[
            "a job needs a checkpoint",
            "have: no folder",
            "try:  .checkpoint(\"checkpoints/jobless\")",
        ],
    );
    assert!(job.run_available().is_err());
}

#[test]
fn a_second_job_on_one_checkpoint_is_refused() {
    let (topic, place) = (topic("jobtwice", 1), Place::new());
    let job = per_gauge(&topic)
        .to(Parquet::dir(place.of("results")))
        .checkpoint(place.of("checkpoint"));
    let run = job.start().unwrap();
    let error = job.start().unwrap_err();
    assert_says(
        &error,
        &[
            "is in use by another job",
            "have: a job of this process since ",
            "try:  job.stop()?",
        ],
    );
    run.stop().unwrap();
    job.start().unwrap();
}

#[test]
fn a_changed_query_is_refused_with_what_changed() {
    let (topic, place) = (topic("jobchanged", 1), Place::new());
    topic.produce(&readings(0, 5)).unwrap();
    let query = |minutes_late| {
        let stream = topic.stream().watermark("at", minutes(minutes_late));
        let stream = stream.group_by(["gauge"]).window(Tumbling::of(minutes(10)));
        stream.agg([len().alias("n")]).unwrap()
    };
    let job = |query: &Query| {
        let results = Parquet::dir(place.of("results"));
        query.to(results).checkpoint(place.of("checkpoint"))
    };
    job(&query(1)).run_available().unwrap();
    let error = job(&query(2)).run_available().unwrap_err();
    assert_says(
        &error,
        &[
            "belongs to another query",
            "have: watermark: was 1 min behind, is 2 min behind",
            "try:  the query and sink as they were",
        ],
    );
    let elsewhere = query(1)
        .to(Parquet::dir(place.of("elsewhere")))
        .checkpoint(place.of("checkpoint"));
    assert_says(
        &elsewhere.run_available().unwrap_err(),
        &["belongs to another sink", "results, is Parquet folder"],
    );
    job(&query(1)).run_available().unwrap();
}

#[test]
fn a_topic_that_was_made_anew_is_refused() {
    let (topic, place) = (topic("jobanew", 1), Place::new());
    topic.produce(&readings(0, 30)).unwrap();
    let job = per_gauge(&topic)
        .to(Parquet::dir(place.of("results")))
        .checkpoint(place.of("checkpoint"));
    job.run_available().unwrap();
    topic.clear().unwrap();
    // As many records as before and more: the offsets alone would not tell.
    topic.produce(&readings(0, 60)).unwrap();
    let error = job.run_available().unwrap_err();
    assert_says(
        &error,
        &[
            "topic `jobanew` was emptied or made anew",
            "have: topic id: was ",
            "try:  a new checkpoint folder",
        ],
    );
}

#[test]
fn a_topic_that_is_emptied_under_a_running_job_ends_it_with_the_reason() {
    let (topic, place) = (topic("jobemptied", 1), Place::new());
    topic.produce(&readings(0, 30)).unwrap();
    let job = per_gauge(&topic)
        .to(Parquet::dir(place.of("results")))
        .checkpoint(place.of("checkpoint"));
    let run = job.start().unwrap();
    run.until_caught_up().unwrap();
    topic.clear().unwrap();
    topic.produce(&readings(0, 60)).unwrap();
    crate::until("the end of the job", || !run.is_running());
    let error = run.stop().unwrap_err();
    let text = error.to_string();
    assert!(
        error.is_unknown_topic() || text.contains("was emptied or made anew"),
        "{text}"
    );
    assert!(run.why().contains("failed"), "{}", run.why());
}

#[test]
fn records_that_are_gone_before_they_were_read_are_an_error() {
    let (topic, place) = (topic("jobtrimmed", 1), Place::new());
    topic.produce(&readings(0, 30)).unwrap();
    let job = per_gauge(&topic)
        .to(Parquet::dir(place.of("results")))
        .checkpoint(place.of("checkpoint"));
    job.run_available().unwrap();
    topic.produce(&readings(30, 90)).unwrap();
    trim(&topic, 35);
    let error = job.run_available().unwrap_err();
    assert_says(
        &error,
        &[
            "topic `jobtrimmed` no longer holds records that the job has not read",
            "have: partition 0 begins at offset 35, the job has read up to 30: 5 records are lost",
        ],
    );
}

/// Deletes the records of partition 0 before `offset`.
fn trim(topic: &Topic, offset: i64) {
    use rdkafka::admin::{AdminClient, AdminOptions};
    use rdkafka::{Offset, TopicPartitionList};
    let bootstrap = Cluster::embedded().unwrap().bootstrap().to_owned();
    let admin: AdminClient<_> = rdkafka::ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        .create()
        .unwrap();
    let mut to = TopicPartitionList::new();
    to.add_partition_offset(topic.name(), 0, Offset::Offset(offset))
        .unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime
        .block_on(admin.delete_records(&to, &AdminOptions::new()))
        .unwrap();
}

#[test]
fn a_checkpoint_that_cannot_be_read_or_written_says_so() {
    let (topic, place) = (topic("jobbroken", 1), Place::new());
    let job = |folder: &str| {
        let results = Parquet::dir(place.of("results"));
        per_gauge(&topic).to(results).checkpoint(place.of(folder))
    };
    std::fs::create_dir(place.of("torn")).unwrap();
    std::fs::write(place.of("torn").join("checkpoint.redb"), "nonsense").unwrap();
    let error = job("torn").start().unwrap_err();
    assert_says(&error, &["cannot be read", "try:  a copy of the folder"]);
    std::fs::create_dir(place.of("newer")).unwrap();
    let newer = redb::Database::create(place.of("newer").join("checkpoint.redb")).unwrap();
    let facts = redb::TableDefinition::<&str, &[u8]>::new("facts");
    let write = newer.begin_write().unwrap();
    write
        .open_table(facts)
        .unwrap()
        .insert("version", &[99][..])
        .unwrap();
    write.commit().unwrap();
    drop(newer);
    let error = job("newer").start().unwrap_err();
    assert_says(
        &error,
        &["of another version of this library", "have: version 99"],
    );
    std::fs::write(place.of("file"), "not a folder").unwrap();
    let error = job("file").start().unwrap_err();
    assert_says(
        &error,
        &["cannot be used", "a folder that you may write to"],
    );
}

#[test]
fn a_state_over_its_limit_ends_the_job_before_the_batch_counts() {
    let (topic, place) = (topic("joblimit", 1), Place::new());
    topic.produce(&readings(0, 30)).unwrap();
    let job = |query: Query| {
        query
            .to(Parquet::dir(place.of("results")))
            .checkpoint(place.of("checkpoint"))
    };
    let query = per_gauge(&topic);
    let error = job(query.clone().state_at_most(0))
        .run_available()
        .unwrap_err();
    assert_says(&error, &["the state of the query has outgrown its limit"]);
    let run = job(query).run_available().unwrap();
    assert_eq!(run.progress_records()[0].batch, 0);
}

#[test]
fn a_column_that_the_records_lack_stops_the_first_start() {
    let (topic, place) = (topic("joblacking", 1), Place::new());
    topic.produce(&readings(0, 3)).unwrap();
    let query = topic
        .stream()
        .watermark("at", minutes(1))
        .group_by(["guage"])
        .window(Tumbling::of(minutes(10)))
        .agg([len().alias("n")])
        .unwrap();
    let job = query
        .to(Parquet::dir(place.of("results")))
        .checkpoint(place.of("checkpoint"));
    assert_says(
        &job.start().unwrap_err(),
        &["no column `guage` in topic joblacking", "\"gauge\""],
    );
}

#[test]
fn dtypes_that_earlier_batches_settled_hold_after_a_restart() {
    let (topic, place) = (topic("jobdtypes", 1), Place::new());
    let send = |at: &str, level: &str| {
        let json = format!("{{\"at\":\"2013-02-08T{at}Z\",\"gauge\":\"G\",\"level_cm\":{level}}}");
        topic.send("G", &json).unwrap();
    };
    let sink = FrameSink::new();
    let job = per_gauge(&topic)
        .to(&sink)
        .checkpoint(place.of("checkpoint"));
    send("10:00:00", "1");
    job.run_available().unwrap();
    // Text where there were numbers: rejected, as it would be without the restart.
    send("10:00:01", "\"two\"");
    send("10:20:00", "3");
    let run = job.run_available().unwrap();
    assert_eq!(run.rejected().unwrap().height(), 1);
    assert_eq!(rows(&sink.frame().unwrap()).len(), 1);
}

#[test]
fn a_frame_with_null_times_counts_them() {
    let (topic, place) = (topic("jobnull", 1), Place::new());
    let mut frame = df!("gauge" => ["G", "G"], "level_cm" => [1i64, 2]).unwrap();
    frame
        .with_column(times("at", &[Some("2013-02-08 10:00:00"), None]))
        .unwrap();
    topic.produce(&frame).unwrap();
    let job = per_gauge(&topic)
        .to(FrameSink::new())
        .checkpoint(place.of("checkpoint"));
    let run = job.run_available().unwrap();
    assert_eq!(run.last_progress().map(|last| last.without_time), Some(0));
    assert!(run.why().contains("1 without event time"), "{}", run.why());
}

/// Runs a test of this file that is left out otherwise, in a process of its own.
fn alone(test: &str) {
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--include-ignored", "--nocapture"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn an_interrupt_stops_a_job_and_loses_nothing() {
    // The flag belongs to the whole process.
    alone("job::interrupted");
}

#[test]
#[ignore = "a part of an_interrupt_stops_a_job_and_loses_nothing"]
fn interrupted() {
    use headwater_streams::interrupt;
    let (topic, place) = (topic("jobinterrupt", 1), Place::new());
    topic.produce(&readings(0, 60)).unwrap();
    let query = per_gauge(&topic);
    let results = Parquet::dir(place.of("results"));
    let job = query
        .to(&results)
        .checkpoint(place.of("checkpoint"))
        .most_records(10);
    interrupt::raise();
    assert!(job.run_available().unwrap_err().is_interrupted());
    interrupt::clear();
    let run = job.start().unwrap();
    interrupt::raise();
    assert!(run.until_caught_up().unwrap_err().is_interrupted());
    crate::until("the end of the job", || !run.is_running());
    interrupt::clear();
    run.stop().unwrap();
    job.run_available().unwrap();
    assert_eq!(rows(&results.read().unwrap()), oracle(&query, &topic));
}

#[test]
fn a_job_in_another_process_keeps_the_checkpoint() {
    use std::io::{BufRead, BufReader};
    let (topic, place) = (topic("jobelsewhere", 1), Place::new());
    topic.produce(&readings(0, 3)).unwrap();
    let mut other = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["job::holds_a_checkpoint", "--exact", "--include-ignored"])
        .arg("--nocapture")
        .env("HEADWATER_TEST_PLACE", place.of(""))
        .env(
            "HEADWATER_TEST_CLUSTER",
            Cluster::embedded().unwrap().bootstrap(),
        )
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(other.stdout.take().unwrap()).lines();
    assert!(
        lines
            .map_while(Result::ok)
            .any(|line| line.contains("it is held"))
    );
    let job = per_gauge(&topic)
        .to(Parquet::dir(place.of("results")))
        .checkpoint(place.of("checkpoint"));
    let error = job.run_available().unwrap_err();
    let process = other.id();
    assert_says(
        &error,
        &[
            "is in use by another job",
            &format!("have: process {process} (streams-"),
            &format!("or `kill {process}` in a terminal"),
        ],
    );
    // Killed, it holds nothing any more.
    other.kill().unwrap();
    other.wait().unwrap();
    job.run_available().unwrap();
}

#[test]
#[ignore = "a part of a_job_in_another_process_keeps_the_checkpoint"]
fn holds_a_checkpoint() {
    let Ok(place) = std::env::var("HEADWATER_TEST_PLACE") else {
        return;
    };
    let place = PathBuf::from(place);
    let cluster = Cluster::connect(&std::env::var("HEADWATER_TEST_CLUSTER").unwrap()).unwrap();
    let topic = cluster.topic("jobelsewhere", partitions(1)).unwrap();
    let run = per_gauge(&topic)
        .to(Parquet::dir(place.join("results")))
        .checkpoint(place.join("checkpoint"))
        .start()
        .unwrap();
    println!("it is held");
    // Until the parent ends this process, or itself.
    for _ in std::io::stdin().lines() {}
    drop(run);
}

#[test]
fn partitions_that_were_added_are_read_from_their_start() {
    let (topic, place) = (topic("jobgrows", 1), Place::new());
    topic.produce(&readings(0, 40)).unwrap();
    let results = Parquet::dir(place.of("results"));
    let run = |topic: &Topic| {
        per_gauge(topic)
            .to(&results)
            .checkpoint(place.of("checkpoint"))
            .run_available()
            .unwrap()
    };
    run(&topic);
    grow(&topic, 3);
    let wider = crate::topic("jobgrows", 3);
    wider.produce(&readings(40, 140)).unwrap();
    let last = run(&wider).last_progress().unwrap();
    assert_eq!(last.end_offsets.iter().sum::<i64>(), 140);
    assert_eq!(
        rows(&results.read().unwrap()),
        oracle(&per_gauge(&wider), &wider)
    );
}

#[test]
fn a_topic_that_grows_under_a_running_job_ends_it_with_what_to_type() {
    let (topic, place) = (topic("jobgrown", 1), Place::new());
    topic.produce(&readings(0, 40)).unwrap();
    let run = per_gauge(&topic)
        .to(Parquet::dir(place.of("results")))
        .checkpoint(place.of("checkpoint"))
        .start()
        .unwrap();
    run.until_caught_up().unwrap();
    grow(&topic, 2);
    // Nothing new comes to the partition that the job reads.
    crate::until("the end of the job", || !run.is_running());
    assert_says(
        &run.stop().unwrap_err(),
        &[
            "topic `jobgrown` has more partitions than the job reads",
            "have: 2 partitions, the job reads 1",
            "try:  cluster.topic(\"jobgrown\", partitions(2))?",
        ],
    );
}

#[test]
fn a_job_outlives_a_broker_that_is_away_for_a_moment() {
    let cluster = Cluster::embedded_with(nodes(1).session_timeout(seconds(7))).unwrap();
    let (topic, place) = (
        cluster.topic("jobaway", partitions(1)).unwrap(),
        Place::new(),
    );
    let query = per_gauge(&topic);
    let results = Parquet::dir(place.of("results"));
    let run = query
        .to(&results)
        .checkpoint(place.of("checkpoint"))
        .start()
        .unwrap();
    topic.produce(&readings(0, 40)).unwrap();
    run.until_caught_up().unwrap();
    let node = cluster.node(1).unwrap();
    node.stop().unwrap();
    // The length of the outage: longer than one question to the broker takes to fail.
    run.wait_at_most(seconds(2)).unwrap();
    assert!(run.is_running());
    node.start().unwrap();
    topic.produce(&readings(40, 100)).unwrap();
    run.until_caught_up().unwrap();
    assert_eq!(rows(&results.read().unwrap()), oracle(&query, &topic));
    // Stopped while the broker is away, it has nothing to complain about.
    node.stop().unwrap();
    run.stop().unwrap();
    assert!(run.why().contains("stopped"), "{}", run.why());
}

/// What the batches of a job did: number, rows in and out, watermark, late, dropped, state.
type Account = Vec<(u64, usize, usize, Option<i64>, usize, usize, [usize; 3])>;

/// Runs a job batch by batch and returns its account and its results; each batch fails once before
/// it is done, where `failing`, so that every one begins from the checkpoint.
fn account(topic: &Topic, place: &Place, failing: bool) -> (Account, Vec<String>) {
    use std::sync::{Arc, Mutex};
    let seen: Arc<Mutex<Vec<(u64, DataFrame)>>> = Arc::default();
    let failed = Arc::new(Mutex::new(std::collections::HashSet::new()));
    let noted = seen.clone();
    let sink = EachBatch::call(move |batch, rows| {
        if failing && failed.lock().unwrap().insert(batch) {
            return Err(headwater_streams::Error::new("not at the first time"));
        }
        noted.lock().unwrap().push((batch, rows.clone()));
        Ok(())
    });
    let job = per_gauge(topic)
        .to(sink)
        .checkpoint(place.of(if failing { "failing" } else { "whole" }))
        .most_records(40)
        .every(std::time::Duration::ZERO);
    let mut account = Account::new();
    loop {
        let run = job.start().unwrap();
        let ended = run.until_caught_up();
        account.extend(run.progress_records().iter().map(|record| {
            (
                record.batch,
                record.input_rows,
                record.sink_rows,
                record.watermark,
                record.late_rows,
                record.dropped_groups,
                [record.state_rows, record.updated, record.removed],
            )
        }));
        if ended.is_ok() {
            break;
        }
    }
    let seen = seen.lock().unwrap();
    let results = seen.iter().flat_map(|(batch, rows)| {
        let rows = crate::job::rows(rows).into_iter();
        rows.map(move |row| format!("{batch}: {row}"))
    });
    (account, results.collect())
}

#[test]
fn a_restart_before_every_batch_changes_no_watermark_count_or_row() {
    let (topic, place) = (topic("jobrestarts", 1), Place::new());
    for (from, to) in [(0, 100), (0, 20), (100, 230), (150, 160)] {
        topic.produce(&readings(from, to)).unwrap();
    }
    let whole = account(&topic, &place, false);
    let failing = account(&topic, &place, true);
    assert!(whole.0.len() > 6 && whole.0.iter().any(|batch| batch.4 > 0));
    assert_eq!(failing, whole);
}

#[test]
fn where_a_job_begins_is_settled_by_its_first_start() {
    let (topic, place) = (topic("jobfrom", 1), Place::new());
    topic.produce(&readings(0, 30)).unwrap();
    let sink = FrameSink::new();
    let run = |from: Position| {
        let query = per_gauge(&topic).output(Complete).from(from);
        let job = query.to(&sink).checkpoint(place.of("checkpoint"));
        job.run_available().unwrap();
        let counted = sink.frame().unwrap();
        match counted.width() {
            0 => 0,
            _ => counted.column("n").unwrap().i64().unwrap().sum().unwrap(),
        }
    };
    assert_eq!(run(Latest), 0);
    topic.produce(&readings(30, 40)).unwrap();
    assert_eq!(run(Latest), 10);
    topic.produce(&readings(40, 45)).unwrap();
    assert_eq!(run(Earliest), 15);
}

#[test]
fn duplicates_are_known_after_a_restart() {
    let (topic, place) = (topic("jobdup", 1), Place::new());
    let query = topic
        .stream()
        .watermark("at", minutes(1))
        .drop_duplicates(["level_cm"])
        .window(Tumbling::of(minutes(10)))
        .agg([len().alias("n")])
        .unwrap()
        .output(Complete);
    let sink = FrameSink::new();
    let job = query.to(&sink).checkpoint(place.of("checkpoint"));
    topic.produce(&readings(0, 30)).unwrap();
    job.run_available().unwrap();
    topic.produce(&readings(20, 40)).unwrap();
    let run = job.run_available().unwrap();
    let record = &run.progress_records()[0];
    assert_eq!((record.duplicates, record.remembered), (10, 40));
    assert!(record.to_json().contains("dedupe"));
    let counted = sink
        .frame()
        .unwrap()
        .column("n")
        .unwrap()
        .i64()
        .unwrap()
        .sum();
    assert_eq!(counted, Some(40));
}

/// Gives a topic more partitions.
fn grow(topic: &Topic, count: usize) {
    use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions};
    let bootstrap = Cluster::embedded().unwrap().bootstrap().to_owned();
    let admin: AdminClient<_> = rdkafka::ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        .create()
        .unwrap();
    let more = NewPartitions::new(topic.name(), count);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime
        .block_on(admin.create_partitions(&[more], &AdminOptions::new()))
        .unwrap();
}
