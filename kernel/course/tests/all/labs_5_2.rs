//! The labs of lesson 5.2, through real clients and the embedded broker.

use headwater_course::lesson_5_2::{LabConsumer, LabProducer, Stage, Tape, gauge_readings};
use headwater_streams::prelude::*;

#[test]
fn same_key_stays_on_one_tape_at_the_offsets_of_the_reports() {
    let cluster = Cluster::embedded().expect("a cluster");
    let topic = cluster.topic("lab-tape", partitions(6)).expect("a topic");
    topic.clear().expect("empty");
    let frame = gauge_readings(10).expect("readings");
    let reports = LabProducer::new(&cluster)
        .send(&topic, &frame, Some("gauge"))
        .expect("reports");
    assert_eq!(reports.height(), 60);
    assert_eq!(reports.column("error").expect("it").null_count(), 60);
    let tape = Tape::of(&topic).expect("a tape").drawing();
    assert!(
        tape.text()
            .contains("60 records on 6 tapes; 6 keys, 0 of them on more than one")
    );
    assert!(tape.svg().contains("<title>") && tape.svg().len() < 30_000);
}

#[test]
fn null_keys_stick_and_then_move() {
    let cluster = Cluster::embedded().expect("a cluster");
    let topic = cluster.topic("lab-sticky", partitions(6)).expect("a topic");
    topic.clear().expect("empty");
    let reports = LabProducer::new(&cluster)
        .set("sticky.partitioning.linger.ms", "30")
        .pause(std::time::Duration::from_millis(3))
        .send(&topic, &gauge_readings(20).expect("readings"), None)
        .expect("reports");
    let partitions = reports
        .column("partition")
        .expect("it")
        .i64()
        .expect("numbers")
        .clone();
    let partitions: Vec<i64> = partitions.iter().flatten().collect();
    let moves = partitions
        .windows(2)
        .filter(|pair| pair[0] != pair[1])
        .count();
    assert!((1..60).contains(&moves), "{moves} moves in {partitions:?}");
}

#[test]
fn new_consumer_starts_at_what_the_group_committed() {
    let cluster = Cluster::embedded().expect("a cluster");
    let topic = cluster.topic("lab-reader", partitions(2)).expect("a topic");
    topic.clear().expect("empty");
    topic
        .produce(&gauge_readings(5).expect("readings"))
        .expect("sent");
    let open = || LabConsumer::open(&cluster, &topic, "lab-group").expect("a reader");
    let first = open();
    assert_eq!(first.poll(10).expect("records").height(), 10);
    first.commit().expect("committed");
    assert_eq!(first.poll(5).expect("records").height(), 5);
    assert_eq!(open().poll(100).expect("records").height(), 20);
    assert_eq!(topic.records().expect("a count"), 30);
}

#[test]
fn unknown_setting_and_column_are_named() {
    let cluster = Cluster::embedded().expect("a cluster");
    let topic = cluster.topic("lab-errors", partitions(1)).expect("a topic");
    let frame = gauge_readings(1).expect("readings");
    let producer = LabProducer::new(&cluster);
    let error = producer.set("linger", "5").send(&topic, &frame, None);
    assert!(
        error
            .expect_err("no such setting")
            .to_string()
            .contains("linger.ms")
    );
    let error = producer.send(&topic, &frame, Some("gauges"));
    assert!(
        error
            .expect_err("no such column")
            .to_string()
            .contains("no column `gauges`")
    );
}

#[test]
fn unclean_election_loses_what_acks_1_had_accepted_and_a_clean_one_nothing() {
    let stage = Stage::open().expect("three nodes");
    stage.send("all", 2).expect("sent");
    stage.cut_follower().expect("one follower cut");
    let waited = stage.send("all", 1).expect("sent");
    assert!(
        waited.text().contains("acks=all: accepted"),
        "{}",
        waited.text()
    );
    stage.cut_follower().expect("the other one cut");
    let refused = stage.send("all", 2).expect("sent");
    assert!(
        refused.text().contains("NOT_ENOUGH_REPLICAS"),
        "{}",
        refused.text()
    );
    let alone = stage.send("1", 3).expect("sent");
    assert_eq!(
        alone.text().matches("acks=1: accepted").count(),
        3,
        "{}",
        alone.text()
    );
    let error = stage.cut_follower().expect_err("no follower is left");
    assert!(
        error.to_string().contains("no follower in sync now"),
        "{error}"
    );
    let error = stage.send("2", 1).expect_err("no such setting");
    assert!(
        error.to_string().contains("stage.send(\"all\", 1)?"),
        "{error}"
    );
    let dead = stage.leader_dies().expect("killed");
    let error = stage.leader_dies().expect_err("nobody is left to kill");
    assert!(
        error.to_string().contains("stage.leader_returns()?"),
        "{error}"
    );
    assert!(dead.text().contains("nobody leads"), "{}", dead.text());
    let back = stage.leader_returns().expect("started");
    assert_eq!(stage.lost().expect("a count"), 0, "{}", back.text());
    stage.leader_dies().expect("killed");
    let unclean = stage.elect_unclean().expect("elected");
    // The three of acks=1; and one of acks=all where the copy that leads had left the set first.
    let lost = stage.lost().expect("a count");
    assert!((3..=4).contains(&lost), "{}", unclean.text());
    let healed = stage.heal().expect("healed");
    assert!(
        healed.text().contains("In sync: 1, 2, 3"),
        "{}",
        healed.text()
    );
}
