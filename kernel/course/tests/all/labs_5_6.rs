//! The labs of lesson 5.6, through real clients, the embedded broker and SQLite.

use headwater_course::lesson_5_2::{LabConsumer, LabProducer};
use headwater_course::lesson_5_6::{
    ErrorPolicy, Outcomes, PolicyRun, Shop, WritePath, hot_readings, order_rows, policy_picture,
};
use headwater_streams::prelude::*;

fn shop(name: &str, path: WritePath) -> (Shop, Topic) {
    let cluster = Cluster::embedded().expect("a cluster");
    let topic = cluster.topic(name, partitions(1)).expect("a topic");
    topic.clear().expect("empty");
    let shop = Shop::open(&cluster, &topic, path).expect("a shop");
    (shop, topic)
}

/// Returns in_database, in_topic and bills of each order.
fn compared(shop: &Shop) -> Vec<[i64; 3]> {
    let frame = shop.compare().expect("a frame");
    let columns = ["in_database", "in_topic", "bills"].map(|name| {
        let column = frame.column(name).expect("it").i64().expect("numbers");
        column.iter().flatten().collect::<Vec<i64>>()
    });
    let rows = (0..frame.height()).map(|row| [columns[0][row], columns[1][row], columns[2][row]]);
    rows.collect()
}

#[test]
fn crash_between_two_systems_leaves_them_apart() {
    let (shop, _) = shop("lab-dual", WritePath::DatabaseFirst);
    assert_eq!(shop.place(40).expect("taken"), "order 1: accepted");
    let told = shop.place_and_die(25, 1).expect("taken");
    assert!(told.contains("its event was never sent"), "{told}");
    shop.place_and_die(30, 2).expect("taken");
    assert_eq!(shop.ask_again().expect("taken"), "order 3: accepted");
    let refused = shop.place(0).expect("an answer");
    assert!(refused.contains("CHECK constraint failed"), "{refused}");
    assert_eq!(shop.bill().expect("read"), 3);
    assert_eq!(
        compared(&shop),
        [[1, 1, 1], [1, 0, 0], [1, 2, 2], [0, 0, 0]]
    );
}

#[test]
fn topic_first_bills_what_the_database_refused() {
    let (shop, _) = shop("lab-topic-first", WritePath::TopicFirst);
    shop.place(0).expect("an answer");
    shop.place_and_die(25, 1).expect("taken");
    shop.bill().expect("read");
    assert_eq!(compared(&shop), [[0, 1, 1], [0, 1, 1]]);
}

#[test]
fn outbox_loses_nothing_and_repeats_what_was_not_marked() {
    let (shop, _) = shop("lab-outbox", WritePath::Outbox);
    shop.place_and_die(25, 1).expect("taken");
    shop.place_and_die(30, 2).expect("taken");
    shop.place(40).expect("taken");
    assert_eq!(shop.relay_and_die().expect("sent"), 1);
    assert_eq!(shop.relay().expect("sent"), 2);
    assert_eq!(shop.relay().expect("nothing is left"), 0);
    shop.bill().expect("read");
    assert_eq!(compared(&shop), [[0, 0, 0], [1, 2, 2], [1, 1, 1]]);
    let left = shop.sql("SELECT * FROM outbox WHERE sent = 0");
    assert_eq!(left.expect("rows").height(), 0);
}

#[test]
fn inbox_bills_once_even_if_the_topic_is_read_again() {
    let (shop, _) = shop("lab-inbox", WritePath::OutboxAndInbox);
    shop.place(25).expect("taken");
    shop.place(30).expect("taken");
    shop.relay_and_die().expect("sent");
    shop.relay().expect("sent");
    assert_eq!(shop.bill().expect("read"), 3);
    assert_eq!(shop.bill_from_the_start().expect("read"), 3);
    assert_eq!(compared(&shop), [[1, 2, 1], [1, 1, 1]]);
    let sum = shop
        .sql("SELECT sum(amount_eur) AS eur FROM billing.bills")
        .expect("a row");
    let sum = sum
        .column("eur")
        .expect("it")
        .i64()
        .expect("a number")
        .get(0);
    assert_eq!(sum, Some(55));
}

#[test]
fn each_way_has_the_outcomes_that_its_steps_allow() {
    let cluster = Cluster::embedded().expect("a cluster");
    let topic = cluster.topic("lab-outcomes", partitions(1)).expect("it");
    let outcomes = Outcomes::of(&cluster, &topic, 60).expect("counts");
    let frame = outcomes.frame().expect("a frame");
    let orders = frame.column("orders").expect("it").i64().expect("numbers");
    let orders: Vec<i64> = orders.iter().flatten().collect();
    let possible: Vec<bool> = orders.iter().map(|count| *count > 0).collect();
    // same, order without bill, bill without order, billed twice
    let expected = [
        [true, true, false, true],
        [true, false, true, true],
        [true, false, false, true],
        [true, false, false, false],
    ];
    assert_eq!(possible, expected.concat(), "{orders:?}");
    assert!(orders.chunks(4).all(|way| way.iter().sum::<i64>() == 60));
    let drawing = outcomes.drawing();
    assert!(
        drawing.text().contains("outbox and inbox: same in both 60"),
        "{}",
        drawing.text()
    );
    assert!(drawing.svg().contains("role=\"img\""));
}

#[test]
fn wrong_calls_of_the_shop_say_what_to_type() {
    let (shop, _) = shop("lab-shop-errors", WritePath::DatabaseFirst);
    let error = shop.place_and_die(5, 3).expect_err("two steps only");
    assert!(error.to_string().contains("shop.place_and_die(40, 1)?"));
    let error = shop.relay().expect_err("no outbox");
    assert!(error.to_string().contains("WritePath::Outbox"), "{error}");
    for query in ["SELECT * FROM order", "DELETE FROM orders"] {
        let error = shop.sql(query).expect_err("no query");
        assert!(
            error.to_string().contains("SELECT * FROM orders"),
            "{error}"
        );
    }
}

#[test]
fn shop_takes_its_files_with_it() {
    let (shop, _) = shop("lab-files", WritePath::Outbox);
    let folder = shop.sql("SELECT file FROM pragma_database_list WHERE name = 'main'");
    let folder = folder.expect("a row");
    let file = folder.column("file").expect("it").str().expect("text");
    let file = file.get(0).expect("a file").to_owned();
    assert!(std::path::Path::new(&file).is_file());
    drop(shop);
    assert!(!std::path::Path::new(&file).exists());
}

/// The two minutes of orders with one record that is none, through a real topic.
fn policy_runs(name: &str) -> [PolicyRun; 4] {
    let cluster = Cluster::embedded().expect("a cluster");
    let orders = cluster.topic(name, partitions(3)).expect("a topic");
    orders.clear().expect("empty");
    let (rows, producer) = (order_rows().expect("rows"), LabProducer::new(&cluster));
    let send = |rows| producer.send(&orders, &rows, Some("customer"));
    send(rows.head(Some(120))).expect("sent");
    orders.send("Ada", "\"forty euros, please\"").expect("sent");
    send(rows.slice(120, 240)).expect("sent");
    let reader = LabConsumer::open(&cluster, &orders, name).expect("a reader");
    let records = reader.poll(1_000).expect("records");
    assert_eq!(records.height(), 361);
    ErrorPolicy::ALL.map(|policy| policy.run(&records).expect("a run"))
}

/// Returns max_lag, lag_at_end, overtaken, dead and parked.
fn summary(run: &PolicyRun) -> [i64; 5] {
    let frame = run.summary().expect("a row");
    ["max_lag", "lag_at_end", "overtaken", "dead", "parked"].map(|name| {
        let column = frame.column(name).expect("it").i64().expect("numbers");
        column.get(0).expect("a row")
    })
}

#[test]
fn bad_record_blocks_or_overtakes_or_is_parked_by_policy() {
    let runs = policy_runs("lab-policies");
    let [block, in_place, topics, park] = runs.each_ref().map(summary);
    assert!(block[1] > 60 && block[2] == 0 && block[3] == 0, "{block:?}");
    assert!(
        in_place[0] > 15 && in_place[1] < 5 && in_place[2] == 0 && in_place[3] == 1,
        "{in_place:?}"
    );
    assert!(
        topics[0] < 5 && topics[2] > 0 && topics[3] == 1 && topics[4] == 0,
        "{topics:?}"
    );
    assert!(
        park[0] < 5 && park[2] == 0 && park[3] == 1 && park[4] > 0,
        "{park:?}"
    );
    // All that is no dead letter is dealt with in the end, where nothing blocks.
    for run in &runs[1..] {
        assert_eq!(run.done().expect("rows").height(), 360, "{run:?}");
    }
}

#[test]
fn dead_letter_names_its_origin_and_its_error() {
    let [.., park] = policy_runs("lab-dead-letters");
    let dead = park.dead_letters().expect("rows");
    let text = |name: &str| {
        let column = dead.column(name).expect("it").str().expect("text");
        column.get(0).expect("a row").to_owned()
    };
    assert_eq!((dead.height(), text("customer").as_str()), (1, "Ada"));
    assert_eq!(text("value"), "\"forty euros, please\"");
    assert!(text("error").contains("invalid type"), "{}", text("error"));
}

#[test]
fn policy_picture_says_what_it_draws() {
    let runs = policy_runs("lab-policy-picture");
    let drawing = policy_picture(&runs);
    for wanted in ["block: lag of", "retry in place: lag", "park the key: lag"] {
        assert!(drawing.text().contains(wanted), "{}", drawing.text());
    }
    assert!(drawing.svg().contains("<polyline") && drawing.svg().len() < 60_000);
    let error = ErrorPolicy::Block.run(&polars::prelude::DataFrame::empty());
    let error = error.expect_err("no rows").to_string();
    assert!(error.contains("poll(1000)?"), "{error}");
}

#[test]
fn half_of_the_readings_are_of_one_gauge_and_salt_spreads_them() {
    use polars::prelude::{DataType, IntoLazy, col, lit};
    let cluster = Cluster::embedded().expect("a cluster");
    let topic = cluster.topic("lab-hot", partitions(6)).expect("a topic");
    topic.clear().expect("empty");
    let readings = hot_readings(1_200).expect("rows");
    let salt = (col("seq") / lit(2) % lit(8)).cast(DataType::String);
    let salted = readings.lazy();
    let salted = salted.with_columns([(col("gauge") + lit("#") + salt).alias("salted")]);
    let salted = salted.collect().expect("rows");
    let busiest = |key: &str| {
        let reports = LabProducer::new(&cluster).send(&topic, &salted, Some(key));
        let reports = reports.expect("reports");
        let partitions = reports
            .column("partition")
            .expect("it")
            .i64()
            .expect("it")
            .clone();
        let mut loads = [0; 6];
        for partition in partitions.iter().flatten() {
            loads[partition as usize] += 1;
        }
        loads.into_iter().max().expect("six")
    };
    let (by_gauge, by_salt) = (busiest("gauge"), busiest("salted"));
    assert!(by_gauge >= 600, "{by_gauge}");
    assert!(by_salt * 3 < by_gauge * 2, "{by_salt} of {by_gauge}");
}

#[test]
fn folder_that_an_ended_session_left_goes_with_the_next_shop() {
    let mut child = std::process::Command::new("true").spawn().expect("started");
    let gone = child.id();
    child.wait().expect("ended");
    let folder_of = |process: u32| {
        let name = format!("headwater-5-6-{process}-test");
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).expect("made");
        folder
    };
    let (gone, own) = (folder_of(gone), folder_of(std::process::id()));
    let _shop = shop("lab-sweep", WritePath::Outbox);
    assert!(!gone.exists() && own.exists());
    std::fs::remove_dir_all(&own).expect("removed");
}
