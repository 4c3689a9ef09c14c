use std::sync::{Arc, Mutex};

use headwater_streams::prelude::*;
use headwater_streams::{Error, Sink};
use polars::prelude::*;

use crate::job::{Place, oracle, per_gauge, readings, rows};
use crate::kill_nine::postgres::Server;
use crate::{assert_says, topic};

/// Runs the query in this mode into `sink`, in three runs with records in between.
fn run_in_parts(topic: &Topic, mode: OutputMode, sink: impl Into<Sink>, place: &Place) {
    let job = per_gauge(topic)
        .output(mode)
        .to(sink)
        .checkpoint(place.of("checkpoint"))
        .most_records(30);
    for (from, to) in [(0, 70), (70, 71), (71, 200)] {
        topic.produce_keyed(&readings(from, to), "gauge").unwrap();
        job.run_available().unwrap();
    }
}

/// Returns every window of a batch run.
fn all_windows(topic: &Topic) -> Vec<String> {
    let read = topic.read(Earliest).unwrap();
    rows(&per_gauge(topic).run_local(&read).unwrap())
}

/// Checks one sink in the modes that replace rows, and in append mode.
fn check_modes<S: Into<Sink>>(
    name: &str,
    make: impl Fn(&Place) -> S,
    read: impl Fn(&Place) -> DataFrame,
) {
    for mode in [Append, Update, Complete] {
        let topic = topic(&format!("{name}-{mode:?}").to_lowercase(), 2);
        let place = Place::new();
        run_in_parts(&topic, mode, make(&place), &place);
        let expected = match mode {
            Append => oracle(&per_gauge(&topic), &topic),
            _ => all_windows(&topic),
        };
        assert_eq!(rows(&read(&place)), expected, "{name} in mode {mode:?}");
    }
}

#[test]
fn a_frame_holds_the_results_in_every_mode() {
    let sinks = Mutex::new(FrameSink::new());
    check_modes(
        "sink-frame",
        |_| {
            let mut sink = sinks.lock().unwrap();
            *sink = FrameSink::new();
            sink.clone()
        },
        |_| sinks.lock().unwrap().frame().unwrap(),
    );
}

#[test]
fn a_sqlite_table_holds_the_results_in_every_mode() {
    let sink = |place: &Place| Sqlite::file(place.of("results.db")).table("per gauge");
    check_modes("sink-sqlite", sink, |place| sink(place).read().unwrap());
}

#[test]
fn a_sqlite_table_keeps_null_keys_dates_lists_and_truth_values() {
    let (topic, place) = (topic("sqlitekinds", 1), Place::new());
    for (at, gauge, ok) in [("10:00", "null", "true"), ("10:01", "null", "false")] {
        let json = format!(
            r#"{{"at":"2013-02-08T{at}:00.25Z","gauge":{gauge},"ok":{ok},"level_cm":1.5}}"#
        );
        topic.send("k", &json).unwrap();
    }
    let query = topic
        .stream()
        .watermark("at", minutes(1))
        .with_columns([col("at").cast(DataType::Date).alias("day")])
        .group_by(["gauge", "day"])
        .window(Tumbling::of(minutes(10)))
        .agg([
            col("ok").last(),
            col("level_cm").mean(),
            collect_distinct("level_cm").alias("levels"),
            col("at").max().alias("newest"),
        ])
        .unwrap()
        .output(Update);
    let sink = Sqlite::file(place.of("results.db"));
    assert_eq!(sink.read().unwrap().width(), 0);
    let job = query
        .to(&sink)
        .checkpoint(place.of("checkpoint"))
        .most_records(1);
    job.run_available().unwrap();
    let read = sink.read().unwrap();
    // Two batches with the same null key: one row.
    assert_eq!(read.height(), 1, "{read}");
    let text = rows(&read).remove(0);
    for part in [
        "DatetimeOwned(1360317600000000, Microseconds, Some(\"UTC\"))",
        "DatetimeOwned(1360317660250000, Microseconds, Some(\"UTC\"))",
        "Date(15744)",
        "Boolean(false)",
        "[1.5]",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    // A key that was null so far gets its column when its dtype is known.
    topic
        .send("k", r#"{"at":"2013-02-08T10:02:00Z","gauge":"G"}"#)
        .unwrap();
    job.run_available().unwrap();
    assert_eq!(sink.read().unwrap().height(), 2);
}

#[test]
fn a_sqlite_table_of_another_job_or_of_nobody_is_refused() {
    let (topic, place) = (topic("sqliteother", 1), Place::new());
    topic.produce(&readings(0, 30)).unwrap();
    let sink = Sqlite::file(place.of("results.db"));
    let job = |checkpoint: &str| per_gauge(&topic).to(&sink).checkpoint(place.of(checkpoint));
    job("one").run_available().unwrap();
    assert_says(
        &job("two").run_available().unwrap_err(),
        &[
            "holds results of another job",
            "try:  another place for the results",
        ],
    );
    let own = rusqlite::Connection::open(place.of("own.db")).unwrap();
    own.execute_batch("CREATE TABLE results (precious TEXT)")
        .unwrap();
    let error = per_gauge(&topic)
        .to(Sqlite::file(place.of("own.db")))
        .checkpoint(place.of("three"))
        .run_available()
        .unwrap_err();
    assert_says(
        &error,
        &["belongs to no job", "try:  .table(\"another_name\")"],
    );
    // The file is gone, the checkpoint goes on: its results would be missing.
    std::fs::remove_file(place.of("results.db")).unwrap();
    assert_says(
        &job("one").run_available().unwrap_err(),
        &["is empty, but the job has written to it before"],
    );
}

#[test]
fn a_sqlite_file_that_cannot_be_opened_says_so() {
    let (topic, place) = (topic("sqliteunusable", 1), Place::new());
    topic.produce(&readings(0, 3)).unwrap();
    std::fs::create_dir(place.of("folder.db")).unwrap();
    let error = per_gauge(&topic)
        .to(Sqlite::file(place.of("folder.db")))
        .checkpoint(place.of("checkpoint"))
        .start()
        .unwrap_err();
    assert_says(&error, &["cannot be used as a sink", "try:  Sqlite::file"]);
}

#[test]
fn a_parquet_folder_takes_final_windows_only() {
    let (topic, place) = (topic("parquetmode", 1), Place::new());
    let job = per_gauge(&topic)
        .output(Update)
        .to(Parquet::dir(place.of("results")))
        .checkpoint(place.of("checkpoint"));
    assert_says(
        &job.start().unwrap_err(),
        &[
            "a Parquet folder takes windows that are final",
            "have: output Update",
            "try:  .output(Append)",
        ],
    );
}

#[test]
fn a_parquet_folder_loses_its_unfinished_files_and_keeps_others() {
    let (topic, place) = (topic("parquetstray", 1), Place::new());
    topic.produce(&readings(0, 30)).unwrap();
    let folder = place.of("results");
    std::fs::create_dir(&folder).unwrap();
    let (stray, own) = (
        folder.join(".unfinished-batch-00000007.parquet"),
        folder.join("notes.txt"),
    );
    std::fs::write(&stray, "half a file").unwrap();
    std::fs::write(&own, "mine").unwrap();
    per_gauge(&topic)
        .to(Parquet::dir(&folder))
        .checkpoint(place.of("checkpoint"))
        .run_available()
        .unwrap();
    assert!(!stray.exists() && own.exists());
    let results = Parquet::dir(&folder).read().unwrap();
    assert_eq!(rows(&results), oracle(&per_gauge(&topic), &topic));
}

#[test]
fn a_parquet_folder_of_another_job_is_refused() {
    let (topic, place) = (topic("parquetother", 1), Place::new());
    topic.produce(&readings(0, 30)).unwrap();
    let results = Parquet::dir(place.of("results"));
    let job = |checkpoint: &str| {
        per_gauge(&topic)
            .to(&results)
            .checkpoint(place.of(checkpoint))
    };
    job("one").run_available().unwrap();
    let error = job("two").run_available().unwrap_err();
    assert_says(&error, &["holds results of another job"]);
    std::fs::remove_dir_all(place.of("results")).unwrap();
    let error = job("one").run_available().unwrap_err();
    assert_says(
        &error,
        &[
            "is empty, but the job has written to it before",
            "batches in the checkpoint",
        ],
    );
    std::fs::remove_dir(place.of("results")).unwrap();
    std::fs::write(place.of("results"), "a file").unwrap();
    let error = job("three").run_available().unwrap_err();
    assert_says(&error, &["cannot be used as a sink", "Parquet::dir"]);
}

#[test]
fn a_function_gets_every_batch_and_again_the_one_that_it_refused() {
    let (topic, place) = (topic("eachbatch", 1), Place::new());
    topic.produce(&readings(0, 50)).unwrap();
    let seen: Arc<Mutex<Vec<(u64, usize)>>> = Arc::default();
    let refuse = Arc::new(Mutex::new(true));
    let (noted, refusing) = (seen.clone(), refuse.clone());
    let each = EachBatch::call(move |batch, rows| {
        noted.lock().unwrap().push((batch, rows.height()));
        match batch == 1 && *refusing.lock().unwrap() {
            true => Err(Error::new("no room").hint("more room")),
            false => Ok(()),
        }
    });
    let job = per_gauge(&topic)
        .to(each)
        .checkpoint(place.of("checkpoint"))
        .most_records(25);
    assert_says(&job.run_available().unwrap_err(), &["no room"]);
    *refuse.lock().unwrap() = false;
    job.run_available().unwrap();
    assert_eq!(*seen.lock().unwrap(), [(0, 0), (1, 4), (1, 4), (2, 4)]);
}

#[test]
fn a_function_that_panics_ends_the_job_with_the_reason() {
    let (topic, place) = (topic("eachpanic", 1), Place::new());
    topic.produce(&readings(0, 3)).unwrap();
    let run = per_gauge(&topic)
        .to(EachBatch::call(|batch, _| {
            panic!("no idea what to do with {batch}")
        }))
        .checkpoint(place.of("checkpoint"))
        .start()
        .unwrap();
    assert_says(
        &run.until_caught_up().unwrap_err(),
        &[
            "the job has panicked",
            "have: no idea what to do with 0",
            "try:  repair the function",
        ],
    );
    assert!(!run.is_running());
}

#[test]
fn a_frame_that_is_gone_is_refused() {
    let (topic, place) = (topic("framegone", 1), Place::new());
    topic.produce(&readings(0, 30)).unwrap();
    let job = |sink: &FrameSink| {
        per_gauge(&topic)
            .to(sink)
            .checkpoint(place.of("checkpoint"))
    };
    job(&FrameSink::new()).run_available().unwrap();
    assert_says(
        &job(&FrameSink::new()).run_available().unwrap_err(),
        &["a frame in memory is empty, but the job has written to it"],
    );
}

#[test]
fn a_topic_holds_the_results_and_the_offsets_of_its_input() {
    let (input, place) = (topic("txnin", 2), Place::new());
    let results = topic("txnout", 2);
    run_in_parts(&input, Append, results.exactly_once("txn-job"), &place);
    let read = results.read_with_metadata(Earliest).unwrap();
    let names = ["_partition", "_offset", "_timestamp", "_key"];
    assert_eq!(
        rows(&read.drop_many(names)),
        oracle(&per_gauge(&input), &input)
    );
    let keys = read.column("_key").unwrap().str().unwrap().clone();
    assert!(
        keys.iter()
            .any(|key| key == Some("2013-02-08 09:00:00|G01"))
    );
    let lag = Cluster::embedded().unwrap().lag("txn-job").unwrap();
    let lag: Vec<i64> = lag
        .column("lag_records")
        .unwrap()
        .i64()
        .unwrap()
        .iter()
        .map(Option::unwrap)
        .collect();
    assert_eq!(lag, [0, 0]);
}

#[test]
fn a_job_reads_what_another_job_writes_in_transactions() {
    let (input, between, place) = (topic("chainin", 1), topic("chainmid", 1), Place::new());
    input.produce(&readings(0, 100)).unwrap();
    per_gauge(&input)
        .to(between.exactly_once("chain"))
        .checkpoint(place.of("first"))
        .most_records(30)
        .run_available()
        .unwrap();
    let per_hour = between
        .stream()
        .watermark("window_start", minutes(10))
        .window(Tumbling::of(hours(1)))
        .agg([col("n").sum()])
        .unwrap()
        .output(Complete);
    let sink = FrameSink::new();
    let job = per_hour.to(&sink).checkpoint(place.of("second"));
    job.clone().most_records(5).run_available().unwrap();
    let read = between.read(Earliest).unwrap();
    assert_eq!(
        rows(&sink.frame().unwrap()),
        rows(&per_hour.run_local(&read).unwrap())
    );
    assert!(job.run_available().unwrap().last_progress().is_none());
}

#[test]
fn a_topic_sink_says_what_it_cannot_do() {
    let (input, place) = (topic("txnwrong", 1), Place::new());
    input.produce(&readings(0, 3)).unwrap();
    let start = |sink: Sink, checkpoint: &str| {
        let job = per_gauge(&input).to(sink).checkpoint(place.of(checkpoint));
        job.run_available()
    };
    let same = start(input.exactly_once("same").into(), "one").unwrap_err();
    assert_says(&same, &["cannot write to the topic that it reads"]);
    let other = Cluster::embedded_with(nodes(1)).unwrap();
    let far = other.topic("txnfar", partitions(1)).unwrap();
    let far = start(far.exactly_once("far").into(), "two").unwrap_err();
    assert_says(&far, &["one transaction cannot reach two clusters"]);
    let results = topic("txnwrongout", 1);
    let nameless = start(results.exactly_once(" ").into(), "three").unwrap_err();
    assert_says(&nameless, &["needs a name of its own"]);
    start(results.exactly_once("taken").into(), "four").unwrap();
    let taken = start(results.exactly_once("taken").into(), "five").unwrap_err();
    assert_says(&taken, &["holds results of another job"]);
}

#[test]
fn a_job_whose_name_another_producer_takes_ends_with_the_reason() {
    use rdkafka::producer::{BaseProducer, Producer};
    let (input, results, place) = (topic("fencedin", 1), topic("fencedout", 1), Place::new());
    input.produce(&readings(0, 30)).unwrap();
    let job = per_gauge(&input)
        .to(results.exactly_once("fenced"))
        .checkpoint(place.of("checkpoint"));
    let run = job.start().unwrap();
    run.until_caught_up().unwrap();
    let other: BaseProducer = rdkafka::ClientConfig::new()
        .set(
            "bootstrap.servers",
            Cluster::embedded().unwrap().bootstrap(),
        )
        .set("transactional.id", "fenced")
        .create()
        .unwrap();
    other
        .init_transactions(std::time::Duration::from_secs(10))
        .unwrap();
    input.produce(&readings(30, 90)).unwrap();
    crate::until("the end of the job", || !run.is_running());
    assert_says(
        &run.stop().unwrap_err(),
        &[
            "a transaction of job `fenced` did not succeed",
            "try:  a name that no other running job has",
        ],
    );
    drop(other);
    job.run_available().unwrap();
    assert_eq!(
        rows(&results.read(Earliest).unwrap()),
        oracle(&per_gauge(&input), &input)
    );
}

#[test]
fn a_postgres_table_holds_the_results_in_every_mode() {
    let Some(server) = Server::shared() else {
        return;
    };
    let tables = Mutex::new(0);
    let sink = || Postgres::at(server.url()).table(&format!("per \"{}\"", tables.lock().unwrap()));
    check_modes(
        "sink-postgres",
        |_| {
            *tables.lock().unwrap() += 1;
            sink()
        },
        |_| sink().read().unwrap(),
    );
}

#[test]
fn a_postgres_table_keeps_null_keys_dates_lists_and_widens_numbers() {
    let Some(server) = Server::shared() else {
        return;
    };
    let (topic, place) = (topic("postgreskinds", 1), Place::new());
    let send = |at: &str, gauge: &str, level: &str| {
        let json = format!(
            r#"{{"at":"2013-02-08T{at}:00.25Z","gauge":{gauge},"ok":true,"level_cm":{level}}}"#
        );
        topic.send("k", &json).unwrap();
    };
    send("10:00", "null", "1");
    send("10:01", "null", "2");
    let query = topic
        .stream()
        .watermark("at", minutes(1))
        .with_columns([col("at").cast(DataType::Date).alias("day")])
        .group_by(["gauge", "day"])
        .window(Tumbling::of(minutes(10)))
        .agg([
            col("ok").last(),
            col("level_cm").max(),
            collect_distinct("gauge").alias("gauges"),
            col("at").max().alias("newest"),
        ])
        .unwrap()
        .output(Update);
    let sink = Postgres::at(server.url()).table("kinds");
    let job = query
        .to(&sink)
        .checkpoint(place.of("checkpoint"))
        .most_records(1);
    job.run_available().unwrap();
    let read = sink.read().unwrap();
    assert_eq!(read.height(), 1, "{read}");
    let text = rows(&read).remove(0);
    for part in [
        "DatetimeOwned(1360317600000000, Microseconds, Some(\"UTC\"))",
        "DatetimeOwned(1360317660250000, Microseconds, Some(\"UTC\"))",
        "Date(15744)",
        "Boolean(true)",
        "Int64(2)",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    send("10:02", "\"G\"", "2.5");
    job.run_available().unwrap();
    let read = sink.read().unwrap();
    assert_eq!(read.height(), 2);
    assert_eq!(read.column("level_cm").unwrap().dtype(), &DataType::Float64);
    let other = query.to(&sink).checkpoint(place.of("other"));
    assert_says(
        &other.run_available().unwrap_err(),
        &["holds results of another job"],
    );
    let mut client = postgres::Client::connect(server.url(), postgres::NoTls).unwrap();
    let mut alter = |how: &str| {
        client
            .batch_execute(&format!("ALTER TABLE kinds {how}"))
            .unwrap()
    };
    alter("ALTER COLUMN ok TYPE text");
    send("10:03", "\"G\"", "3");
    assert_says(
        &job.run_available().unwrap_err(),
        &[
            "column `ok` of PostgreSQL table kinds",
            "have: text there, boolean here",
            "try:  ALTER TABLE",
        ],
    );
    alter("RENAME TO elsewhere");
    assert_says(
        &job.run_available().unwrap_err(),
        &["did not take the results", "\"kinds\" does not exist"],
    );
    // Repaired, it takes the batch that it refused.
    alter_back(&mut client);
    job.run_available().unwrap();
    let most = sink
        .read()
        .unwrap()
        .column("level_cm")
        .unwrap()
        .f64()
        .unwrap()
        .max();
    assert_eq!(most, Some(3.0));
}

fn alter_back(client: &mut postgres::Client) {
    client
        .batch_execute(
            "ALTER TABLE elsewhere RENAME TO kinds;
            ALTER TABLE kinds ALTER COLUMN ok TYPE boolean USING ok::boolean",
        )
        .unwrap();
}

#[test]
fn a_postgres_that_is_not_there_or_not_ours_says_so() {
    let (topic, place) = (topic("postgreswrong", 1), Place::new());
    topic.produce(&readings(0, 3)).unwrap();
    let start = |sink: Postgres, checkpoint: &str| {
        let job = per_gauge(&topic).to(sink).checkpoint(place.of(checkpoint));
        job.run_available().unwrap_err()
    };
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = closed.local_addr().unwrap().port();
    drop(closed);
    let url = format!("postgres://me:secret@127.0.0.1:{port}/trips");
    let gone = start(Postgres::at(&url), "one");
    assert!(gone.is_unreachable());
    assert_says(
        &gone,
        &[
            "PostgreSQL table results in database trips at 127.0.0.1",
            "try:  start the server",
        ],
    );
    assert!(!gone.to_string().contains("secret"));
    let nonsense = start(Postgres::at("nonsense"), "two");
    assert_says(&nonsense, &["not the address of a PostgreSQL database"]);
    let Some(server) = Server::shared() else {
        return;
    };
    let mut client = postgres::Client::connect(server.url(), postgres::NoTls).unwrap();
    client
        .batch_execute("CREATE TABLE precious (thing TEXT)")
        .unwrap();
    let taken = start(Postgres::at(server.url()).table("precious"), "three");
    assert_says(
        &taken,
        &["belongs to no job", "try:  .table(\"another_name\")"],
    );
}
