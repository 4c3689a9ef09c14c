//! The control channel, as a process that runs cells uses it.

use std::io::{Read, Write};
use std::net::TcpStream;

use headwater_broker::control::{ControlClient, ControlServer};

use crate::clients::PATIENCE;

fn start() -> (ControlServer, ControlClient) {
    let server = ControlServer::start().expect("a free port");
    let client = ControlClient::connect(&server.place()).expect("the right token");
    (server, client)
}

#[test]
fn cluster_is_opened_once_and_found_again_by_name() {
    let (server, mut client) = start();
    let first = client.open("lesson").expect("a cluster");
    assert_eq!(client.open("lesson").expect("the same"), first);
    assert_ne!(client.open("other").expect("another"), first);
    let mut second_client = ControlClient::connect(&server.place()).expect("the right token");
    assert_eq!(second_client.open("lesson").expect("the same"), first);
    let description = client.describe("lesson").expect("a description");
    assert_eq!(description.bootstrap, first);
}

#[test]
fn reset_over_the_channel_empties_the_cluster() {
    use rdkafka::ClientConfig;
    use rdkafka::producer::BaseRecord;
    let (_server, mut client) = start();
    let bootstrap = client.open("lesson").expect("a cluster");
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap);
    let producer = crate::clients::producer(&config);
    let record = BaseRecord::<(), str>::to("flights").payload("a");
    producer.send(record).expect("room in the queue");
    crate::clients::flush(&producer);
    let before = client.describe("lesson").expect("a description");
    assert_eq!(before.topics[0].partitions[0].latest, 1);
    client.reset("lesson").expect("emptied");
    let after = client.describe("lesson").expect("a description");
    assert_eq!((after.topics.len(), after.bytes_held), (0, 0));
}

#[test]
fn wrong_token_is_refused() {
    let server = ControlServer::start().expect("a free port");
    let place = server.place();
    let (address, token) = place.split_once('/').expect("address and token");
    let wrong = format!("{address}/{}", token.replace(|_: char| true, "0"));
    let Err(error) = ControlClient::connect(&wrong) else {
        panic!("let in with a wrong token");
    };
    assert!(error.is_refused(), "{error}");
    assert!(!error.to_string().contains(token), "{error}");
}

#[test]
fn unknown_cluster_is_refused() {
    let (_server, mut client) = start();
    let error = client.describe("nobody").expect_err("nothing to describe");
    assert!(error.is_refused());
    assert!(
        error.to_string().contains("no cluster `nobody` was opened"),
        "{error}"
    );
    assert!(
        client
            .reset("nobody")
            .is_err_and(|error| error.is_refused())
    );
    assert!(client.open("").is_err_and(|error| error.is_refused()));
}

#[test]
fn place_of_another_form_says_what_one_looks_like() {
    for place in ["", "127.0.0.1:1234", "localhost/abc"] {
        let Err(error) = ControlClient::connect(place) else {
            panic!("connected to `{place}`");
        };
        assert!(
            error.to_string().contains("try:  127.0.0.1:<port>/<token>"),
            "{error}"
        );
    }
}

#[test]
fn channel_that_is_gone_says_so() {
    let (server, mut client) = start();
    let place = server.place();
    drop(server);
    let error = client.open("lesson").expect_err("nobody there");
    assert!(
        error
            .to_string()
            .starts_with("no answer from the broker's control channel"),
        "{error}"
    );
    assert!(ControlClient::connect(&place).is_err());
}

#[test]
fn garbage_on_the_channel_ends_that_connection_only() {
    let (server, mut client) = start();
    let place = server.place();
    let address = place.split('/').next().expect("an address");
    for garbage in [
        &b"\xff\xff\xff\xff"[..],
        b"\0\0\0\x05hello",
        b"GET / HTTP/1.1\r\n\r\n",
    ] {
        let mut socket = TcpStream::connect(address).expect("a connection");
        socket.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        socket.write_all(garbage).expect("sent");
        assert_eq!(socket.read_to_end(&mut Vec::new()).unwrap_or(0), 0);
    }
    client.open("lesson").expect("still answering");
}
