//! Whatever bytes come in, the server goes on.

use std::io::{Read, Write};
use std::net::TcpStream;

use bytes::Bytes;
use headwater_broker::Server;
use headwater_broker::wire::frame::decode;
use headwater_broker::wire::shapes::Walk;
use headwater_broker::wire::{APIS, Request};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::clients::{PATIENCE, create_topic, send, start_broker};

/// Sends bytes and returns all that comes back until the server closes.
fn exchange(server: &Server, bytes: &[u8]) -> Vec<u8> {
    let mut socket = TcpStream::connect(server.bootstrap()).expect("a connection");
    socket.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    // The server may close before it has read everything.
    let _ = socket.write_all(bytes);
    let _ = socket.shutdown(std::net::Shutdown::Write);
    let mut back = Vec::new();
    let _ = socket.read_to_end(&mut back);
    back
}

fn framed(body: &[u8]) -> Vec<u8> {
    [&(body.len() as i32).to_be_bytes()[..], body].concat()
}

#[test]
fn garbage_closes_its_connection_and_nothing_else() {
    let server = start_broker();
    create_topic(&server, "flights", 1);
    let cases = [
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        vec![0xff; 1000],
        vec![0; 1000],
        framed(&[]),
        framed(&[0, 3]),
        // An API that does not exist, and a version of Metadata that does not.
        framed(&[0x7f, 0xff, 0, 0, 0, 0, 0, 1, 0xff, 0xff]),
        framed(&[0, 3, 0x7f, 0xff, 0, 0, 0, 1, 0xff, 0xff]),
    ];
    for case in cases {
        assert_eq!(exchange(&server, &case), b"", "{case:?}");
    }
    send(&server, "flights", &["still there"]);
    assert_eq!(server.describe().topics[0].partitions[0].latest, 1);
}

#[test]
fn array_of_two_thousand_million_elements_reserves_nothing() {
    // Metadata version 1: an array length, and no elements behind it.
    let header = [0, 3, 0, 1, 0, 0, 0, 1, 0xff, 0xff];
    let frame = [&header[..], &i32::MAX.to_be_bytes()].concat();
    assert!(decode(Bytes::from(frame.clone())).is_err());
    let server = start_broker();
    assert_eq!(exchange(&server, &framed(&frame)), b"");
    send(&server, "flights", &["still there"]);
}

#[test]
fn unknown_version_of_api_versions_is_told_the_known_ones() {
    let server = start_broker();
    let reply = exchange(&server, &framed(&[0, 18, 0, 99, 0, 0, 0, 7, 0xff, 0xff]));
    assert_eq!(reply[4..8], [0, 0, 0, 7]);
    assert_eq!(reply[8..10], [0, 35], "UNSUPPORTED_VERSION");
    let count = i32::from_be_bytes(reply[10..14].try_into().expect("four bytes"));
    assert_eq!(count as usize, APIS.len());
}

/// A shape that differs from the decoder would let forged lengths through.
#[test]
fn shapes_and_decoders_read_the_same_bytes() {
    let mut runner = TestRunner::deterministic();
    // Mostly zeros, so that lengths of four bytes are short ones.
    let byte = prop_oneof![8 => Just(0u8), 1 => Just(1), 1 => Just(2)];
    let bodies = proptest::collection::vec(byte, 0..160);
    for spec in APIS {
        for version in spec.oldest..=spec.newest {
            let flexible = version >= spec.flexible;
            let (mut agreed, mut tried) = (0, 0);
            // Requests with many strings are rarely hit upon.
            while tried < 300 || (agreed == 0 && tried < 200_000) {
                tried += 1;
                let body = bodies.new_tree(&mut runner).expect("bytes").current();
                let walk = Walk::over(&body, version, flexible);
                let Some(left) = walk.finish(spec.fields()) else {
                    continue;
                };
                let mut rest = Bytes::from(body.clone());
                // Nulls where none may be are the decoder's to refuse.
                if Request::decode(spec.key, version, &mut rest).is_none() {
                    continue;
                }
                // The decoder reads the tags of Fetch that it knows without their sizes.
                let known_tags = spec.name == "Fetch" && flexible;
                assert!(
                    known_tags || rest.len() == left,
                    "{} {version}: {body:?}",
                    spec.name
                );
                agreed += 1;
            }
            assert!(agreed > 0, "{} {version} was never decoded", spec.name);
        }
    }
}

proptest! {
    #[test]
    fn no_frame_makes_the_decoder_panic(
        api in 0..APIS.len(),
        version in 0i16..18,
        body in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let header = [APIS[api].key.to_be_bytes(), version.to_be_bytes()].concat();
        let _ = decode(Bytes::from([header, body].concat()));
    }

    #[test]
    fn small_lengths_reach_deep_into_the_decoder(
        api in 0..APIS.len(),
        version in 0i16..18,
        body in proptest::collection::vec(0u8..4, 0..200),
    ) {
        let header = [&APIS[api].key.to_be_bytes()[..], &version.to_be_bytes(), &[0, 0, 0, 1, 0xff, 0xff, 0]].concat();
        let _ = decode(Bytes::from([header, body].concat()));
    }
}
