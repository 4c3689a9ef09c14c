//! Records that are no rows, kept in a topic of their own.

use headwater_streams::prelude::*;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Headers, Message};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use std::time::Duration;

use crate::formats::bytes;
use crate::job::{Place, per_gauge, readings};
use crate::{assert_says, topic, until};

/// A record: key, bytes, and headers.
type Letter = (Option<String>, Vec<u8>, Vec<(String, String)>);

/// Returns every letter, read by the Kafka client alone.
fn letters(topic: &Topic) -> Vec<Letter> {
    let cluster = Cluster::embedded().unwrap();
    let consumer: BaseConsumer = rdkafka::ClientConfig::new()
        .set("bootstrap.servers", cluster.bootstrap())
        .set("group.id", "letters")
        .create()
        .unwrap();
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic.name(), 0, Offset::Beginning)
        .unwrap();
    consumer.assign(&list).unwrap();
    let mut letters = Vec::new();
    while (letters.len() as u64) < topic.records().unwrap() {
        let Some(message) = consumer.poll(Duration::from_secs(5)) else {
            continue;
        };
        let message = message.unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let headers = message.headers().unwrap().iter();
        let headers = headers.map(|header| (header.key.to_owned(), text(header.value.unwrap())));
        letters.push((
            message.key().map(text),
            message.payload().unwrap().to_vec(),
            headers.collect(),
        ));
    }
    letters
}

#[test]
fn a_job_sends_what_is_no_row_with_its_place_and_reason() {
    let levels = topic("letters-levels", 1);
    let dead = topic("letters-dead", 1);
    levels.produce(&readings(0, 30)).unwrap();
    levels.text().send("G09", "{\"gauge\":").unwrap();
    levels.raw().produce(&bytes(&[b"\xff\xfe"])).unwrap();
    let place = Place::new();
    let sink = FrameSink::new();
    let job = || {
        let query = per_gauge(&levels).dead_letters(&dead);
        query.to(&sink).checkpoint(place.of("checkpoint"))
    };
    job().run_available().unwrap();
    // What is done is not sent again.
    levels.produce(&readings(30, 40)).unwrap();
    job().run_available().unwrap();
    let found = letters(&dead);
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].0.as_deref(), Some("G09"));
    assert_eq!(found[0].1, b"{\"gauge\":");
    let header = |index: usize| (found[0].2[index].0.as_str(), found[0].2[index].1.as_str());
    assert_eq!(header(0), ("__connect.errors.topic", "letters-levels"));
    assert_eq!(header(1), ("__connect.errors.partition", "0"));
    assert_eq!(header(2), ("__connect.errors.offset", "30"));
    assert!(
        header(3).1.starts_with("not a JSON object"),
        "{:?}",
        header(3)
    );
    assert_eq!(
        (found[1].0.as_deref(), found[1].1.as_slice()),
        (None, &b"\xff\xfe"[..])
    );
    let read = dead.raw().read(Earliest).unwrap();
    assert!(
        read.equals(&bytes(&[b"{\"gauge\":", b"\xff\xfe"])),
        "{read}"
    );
}

#[test]
fn a_live_query_sends_them_as_they_come() {
    let levels = topic("letters-live", 1);
    let dead = topic("letters-live-dead", 1);
    levels.produce(&readings(0, 30)).unwrap();
    let chart = Chart::line("window_start", "n").by("gauge");
    let live = per_gauge(&levels)
        .dead_letters(&dead)
        .chart(chart)
        .start()
        .unwrap();
    levels.text().send("G09", "level?").unwrap();
    until("the letter is there", || dead.records().unwrap() == 1);
    // A topic that is emptied is read anew, and its letters still go their way.
    levels.clear().unwrap();
    levels.text().send("G09", "again?").unwrap();
    until("the second letter is there", || {
        dead.records().unwrap() == 2
    });
    live.stop().unwrap();
    assert_eq!(live.rejected().unwrap().height(), 1);
    assert_eq!(letters(&dead)[0].1, b"level?");
}

#[test]
fn letters_need_a_topic_of_their_own() {
    let levels = topic("letters-own", 1);
    levels.produce(&readings(0, 2)).unwrap();
    let place = Place::new();
    let query = per_gauge(&levels).dead_letters(&levels);
    let job = query
        .to(FrameSink::new())
        .checkpoint(place.of("checkpoint"));
    let error = job.run_available().unwrap_err();
    assert_says(
        &error,
        &[
            "dead letters need a topic of their own",
            "topic letters-own on both sides",
            "letters-own-dead",
        ],
    );
}
