//! Topics made, described, grown and deleted through the admin client.

use rdkafka::admin::{AdminOptions, NewPartitions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::RDKafkaErrorCode;

use crate::clients::{
    PATIENCE, admin, client, create_topic, create_topic_with, eventually, send, start_broker,
    start_broker_with, wait,
};

#[test]
fn created_topic_is_in_metadata_with_its_partitions() {
    let server = start_broker();
    create_topic(&server, "flights", 6);
    let reader: BaseConsumer = client(&server).create().expect("a consumer");
    let metadata = reader.fetch_metadata(None, PATIENCE).expect("metadata");
    let topics: Vec<(&str, usize)> = metadata
        .topics()
        .iter()
        .map(|topic| (topic.name(), topic.partitions().len()))
        .collect();
    assert_eq!(topics, vec![("flights", 6)]);
    assert_eq!(metadata.brokers().len(), 1);
    assert_eq!(metadata.brokers()[0].host(), "127.0.0.1");
}

#[test]
fn creating_a_topic_again_says_that_it_exists() {
    let server = start_broker();
    create_topic(&server, "flights", 1);
    let topic = NewTopic::new("flights", 1, TopicReplication::Fixed(1));
    let results = wait(admin(&server).create_topics([&topic], &AdminOptions::new()));
    let expected = Err(("flights".to_owned(), RDKafkaErrorCode::TopicAlreadyExists));
    assert_eq!(results.expect("an answer"), vec![expected]);
}

#[test]
fn topics_that_cannot_be_are_refused() {
    let server = start_broker_with(|config| config.brokers.max_partitions = 100);
    let admin = admin(&server);
    let refused = |topic: NewTopic<'_>| {
        let results = wait(admin.create_topics([&topic], &AdminOptions::new()));
        let mut results = results.expect("an answer");
        results.remove(0).expect_err("a refusal").1
    };
    let one = || TopicReplication::Fixed(1);
    use RDKafkaErrorCode as Code;
    assert_eq!(
        refused(NewTopic::new("no spaces", 1, one())),
        Code::InvalidTopic
    );
    assert_eq!(
        refused(NewTopic::new("many", 101, one())),
        Code::InvalidPartitions
    );
    let three = TopicReplication::Fixed(3);
    assert_eq!(
        refused(NewTopic::new("t", 1, three)),
        Code::InvalidReplicationFactor
    );
    let unknown = NewTopic::new("t", 1, one()).set("retention.hours", "1");
    assert_eq!(refused(unknown), Code::InvalidConfig);
    let word = NewTopic::new("t", 1, one()).set("retention.ms", "a day");
    assert_eq!(refused(word), Code::InvalidConfig);
    assert!(server.describe().topics.is_empty());
}

#[test]
fn deleted_topic_is_gone_with_its_records() {
    let server = start_broker();
    create_topic(&server, "flights", 1);
    send(&server, "flights", &["a", "b"]);
    assert!(server.describe().bytes_held > 0);
    let results = wait(admin(&server).delete_topics(&["flights"], &AdminOptions::new()));
    assert_eq!(results.expect("an answer"), vec![Ok("flights".to_owned())]);
    let description = server.describe();
    assert_eq!(description.topics, vec![]);
    assert_eq!(description.bytes_held, 0);
    let again = wait(admin(&server).delete_topics(&["flights"], &AdminOptions::new()));
    let expected = Err((
        "flights".to_owned(),
        RDKafkaErrorCode::UnknownTopicOrPartition,
    ));
    assert_eq!(again.expect("an answer"), vec![expected]);
}

#[test]
fn topic_grows_and_never_shrinks() {
    let server = start_broker();
    create_topic(&server, "flights", 2);
    let grow = |count| {
        let wanted = NewPartitions::new("flights", count);
        let results = wait(admin(&server).create_partitions([&wanted], &AdminOptions::new()));
        results.expect("an answer").remove(0)
    };
    assert_eq!(grow(5), Ok("flights".to_owned()));
    assert_eq!(server.describe().topics[0].partitions.len(), 5);
    let refused = Err(("flights".to_owned(), RDKafkaErrorCode::InvalidPartitions));
    assert_eq!(grow(3), refused);
}

#[test]
fn configs_show_what_was_set_and_kafkas_defaults() {
    let server = start_broker();
    create_topic_with(&server, "flights", 1, &[("retention.ms", "123456")]);
    let topic = ResourceSpecifier::Topic("flights");
    let configs = wait(admin(&server).describe_configs([&topic], &AdminOptions::new()));
    let configs = configs.expect("an answer").remove(0).expect("configs");
    let value = |name: &str| configs.get(name).and_then(|entry| entry.value.clone());
    assert_eq!(value("retention.ms").as_deref(), Some("123456"));
    assert_eq!(value("cleanup.policy").as_deref(), Some("delete"));
    assert_eq!(value("segment.bytes").as_deref(), Some("1073741824"));
    assert_eq!(value("max.message.bytes").as_deref(), Some("1048588"));
}

#[test]
fn broker_configs_show_the_settings_in_force() {
    let server = start_broker_with(|config| config.brokers.partitions = 4);
    let broker = ResourceSpecifier::Broker(1);
    let configs = wait(admin(&server).describe_configs([&broker], &AdminOptions::new()));
    let configs = configs.expect("an answer").remove(0).expect("configs");
    let value = |name: &str| configs.get(name).and_then(|entry| entry.value.clone());
    assert_eq!(value("num.partitions").as_deref(), Some("4"));
    assert_eq!(value("auto.create.topics.enable").as_deref(), Some("true"));
}

#[test]
fn producing_to_an_unknown_topic_creates_it() {
    let server = start_broker();
    send(&server, "flights", &["a"]);
    let topics = server.describe().topics;
    assert_eq!(topics[0].name, "flights");
    assert_eq!(topics[0].partitions[0].latest, 1);
}

#[test]
fn reset_empties_the_cluster_and_clients_stay() {
    let server = start_broker();
    let reader: BaseConsumer = client(&server).create().expect("a consumer");
    send(&server, "flights", &["a"]);
    server.reset();
    let description = server.describe();
    assert_eq!((description.topics.len(), description.bytes_held), (0, 0));
    let topics = || {
        reader
            .fetch_metadata(None, PATIENCE)
            .ok()
            .map(|m| m.topics().len())
    };
    eventually("an empty cluster in metadata", || {
        topics().filter(|count| *count == 0)
    });
    send(&server, "flights", &["b"]);
    assert_eq!(server.describe().topics[0].partitions[0].latest, 1);
}

#[test]
fn server_that_is_dropped_frees_its_port() {
    let server = start_broker();
    let address = server.bootstrap();
    drop(server);
    std::net::TcpListener::bind(address).expect("the port is free again");
}
