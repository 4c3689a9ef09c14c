//! Logins: who may in, who may not, and what each is told.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use headwater_broker::Server;
use headwater_broker::security::hash::{Hash, xor};
use headwater_broker::security::{Mechanism, Security, Users};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::clients::{PATIENCE, client, eventually, start_broker, start_broker_with};
use crate::raw::{Answer, Raw, bytes, connect, string};

const METADATA: i16 = 3;
const HANDSHAKE: i16 = 17;
const API_VERSIONS: i16 = 18;
const AUTHENTICATE: i16 = 36;
const FAILED: i16 = 58;
const DELAY: Duration = Duration::from_millis(30);

pub fn with_ada() -> Security {
    let mut users = Users::new();
    users.add("ada", "engine").expect("a user");
    Security {
        users: Some(users),
        ..Security::default()
    }
}

fn guarded() -> Server {
    start_broker_with(|config| {
        config.security = with_ada();
        config.failed_login_delay = DELAY;
    })
}

/// The reply to SaslAuthenticate of version 1: error, message, bytes.
pub fn authenticate<S: Read + Write>(
    raw: &mut Raw<S>,
    message: &[u8],
) -> Option<(i16, String, Vec<u8>)> {
    let reply = raw.ask(AUTHENTICATE, 1, &bytes(message))?;
    let int16 = |at: usize| i16::from_be_bytes([reply[at], reply[at + 1]]);
    let length = usize::try_from(int16(2)).unwrap_or(0);
    let words = String::from_utf8_lossy(&reply[4..4 + length]).into_owned();
    Some((int16(0), words, reply[8 + length..reply.len() - 8].to_vec()))
}

fn error_of(answer: Answer) -> Option<i16> {
    answer.map(|reply| i16::from_be_bytes([reply[0], reply[1]]))
}

/// Logs in with SCRAM as RFC 5802 describes it; returns the error and its words.
pub fn scram<S: Read + Write>(
    raw: &mut Raw<S>,
    hash: Hash,
    user: &str,
    password: &str,
) -> Option<(i16, String)> {
    let mechanism = match hash {
        Hash::Sha256 => "SCRAM-SHA-256",
        Hash::Sha512 => "SCRAM-SHA-512",
    };
    assert_eq!(error_of(raw.ask(HANDSHAKE, 1, &string(mechanism))), Some(0));
    let bare = format!("n={user},r=clientnonce");
    let (error, words, first) = authenticate(raw, format!("n,,{bare}").as_bytes())?;
    assert_eq!((error, words.as_str()), (0, ""));
    let first = String::from_utf8(first).expect("text");
    let mut fields = first.splitn(3, ',').map(|field| &field[2..]);
    let (nonce, salt, iterations) = (fields.next()?, fields.next()?, fields.next()?);
    assert!(
        nonce.starts_with("clientnonce") && nonce.len() > 30,
        "{nonce}"
    );
    let iterations: u32 = iterations.parse().expect("a number");
    assert!(iterations >= 4096);
    let salt = STANDARD.decode(salt).expect("base64");
    let salted = hash.salted(
        password.as_bytes(),
        &salt,
        iterations.try_into().expect("not 0"),
    );
    let client_key = hash.hmac(&salted, b"Client Key");
    let signed = format!("{bare},{first},c=biws,r={nonce}");
    let signature = hash.hmac(&hash.digest(&client_key), signed.as_bytes());
    let proof = STANDARD.encode(xor(&client_key, &signature));
    let last = format!("c=biws,r={nonce},p={proof}");
    let (error, words, theirs) = authenticate(raw, last.as_bytes())?;
    if error == 0 {
        let expected = hash.hmac(&hash.hmac(&salted, b"Server Key"), signed.as_bytes());
        let expected = format!("v={}", STANDARD.encode(expected));
        assert_eq!(
            String::from_utf8_lossy(&theirs),
            expected,
            "the server knows the user too"
        );
    }
    Some((error, words))
}

/// Asks for all topics, which only those who are in are told.
pub fn is_in<S: Read + Write>(raw: &mut Raw<S>) -> bool {
    raw.ask(METADATA, 0, &0i32.to_be_bytes()).is_some()
}

#[test]
fn librdkafka_logs_in_with_plain() {
    let server = guarded();
    let mut config = client(&server);
    config
        .set("security.protocol", "sasl_plaintext")
        .set("sasl.mechanism", "PLAIN")
        .set("sasl.username", "ada")
        .set("sasl.password", "engine");
    let consumer: BaseConsumer = config.create().expect("a consumer");
    let metadata = consumer.fetch_metadata(None, PATIENCE).expect("metadata");
    assert_eq!(metadata.brokers().len(), 1);
}

#[test]
fn librdkafka_with_a_wrong_password_is_told_so() {
    let server = guarded();
    let mut config = client(&server);
    config
        .set("security.protocol", "sasl_plaintext")
        .set("sasl.mechanism", "PLAIN")
        .set("sasl.username", "ada")
        .set("sasl.password", "motor");
    let consumer: BaseConsumer = config.create().expect("a consumer");
    let failed = eventually("an error", || match consumer.poll(PATIENCE)? {
        Err(error) => Some(error),
        Ok(_) => panic!("a record without a login"),
    });
    let expected = RDKafkaErrorCode::Authentication;
    assert_eq!(failed, KafkaError::MessageConsumption(expected));
}

#[test]
fn scram_lets_in_who_knows_the_password() {
    let server = guarded();
    for hash in [Hash::Sha256, Hash::Sha512] {
        let mut raw = connect(&server);
        assert_eq!(
            scram(&mut raw, hash, "ada", "engine"),
            Some((0, String::new()))
        );
        assert!(is_in(&mut raw));
    }
}

#[test]
fn wrong_password_and_unknown_user_hear_the_same_after_a_while() {
    let server = guarded();
    let expected = "Authentication failed: the user name or the password is wrong";
    for (user, password) in [("ada", "motor"), ("bob", "engine")] {
        for hash in [Hash::Sha256, Hash::Sha512] {
            let mut raw = connect(&server);
            let started = Instant::now();
            let refused = scram(&mut raw, hash, user, password);
            assert_eq!(refused, Some((FAILED, expected.to_owned())));
            assert!(started.elapsed() >= DELAY);
            assert!(!is_in(&mut raw), "the connection was kept");
        }
        let mut raw = connect(&server);
        assert_eq!(error_of(raw.ask(HANDSHAKE, 1, &string("PLAIN"))), Some(0));
        let message = format!("\0{user}\0{password}");
        let started = Instant::now();
        let refused = authenticate(&mut raw, message.as_bytes());
        assert_eq!(refused, Some((FAILED, expected.to_owned(), Vec::new())));
        assert!(started.elapsed() >= DELAY);
        assert!(!is_in(&mut raw), "the connection was kept");
    }
}

#[test]
fn requests_before_a_login_close_the_connection() {
    let server = guarded();
    assert_eq!(connect(&server).ask(METADATA, 0, &0i32.to_be_bytes()), None);
    assert_eq!(
        connect(&server).ask(AUTHENTICATE, 1, &bytes(b"\0ada\0engine")),
        None
    );
    let mut raw = connect(&server);
    assert_eq!(error_of(raw.ask(API_VERSIONS, 0, &[])), Some(0));
    assert_eq!(error_of(raw.ask(HANDSHAKE, 1, &string("PLAIN"))), Some(0));
    assert_eq!(raw.ask(METADATA, 0, &0i32.to_be_bytes()), None);
}

#[test]
fn unknown_mechanism_is_told_the_offered_ones() {
    let server = start_broker_with(|config| {
        config.security = with_ada();
        config.security.mechanisms = vec![Mechanism::ScramSha512];
    });
    let mut raw = connect(&server);
    let reply = raw.ask(HANDSHAKE, 1, &string("PLAIN")).expect("an answer");
    let offered = [
        &33i16.to_be_bytes()[..],
        &1i32.to_be_bytes(),
        &string("SCRAM-SHA-512"),
    ];
    assert_eq!(
        reply,
        offered.concat(),
        "UNSUPPORTED_SASL_MECHANISM and the list"
    );
    assert_eq!(raw.receive(), None, "the connection was kept");
}

#[test]
fn messages_of_no_mechanism_are_refused() {
    let server = guarded();
    for (mechanism, message) in [("PLAIN", "ada engine"), ("SCRAM-SHA-256", "\0ada\0engine")] {
        let mut raw = connect(&server);
        assert_eq!(error_of(raw.ask(HANDSHAKE, 1, &string(mechanism))), Some(0));
        let (error, words, _) = authenticate(&mut raw, message.as_bytes()).expect("an answer");
        let expected = "Authentication failed: the message is none of this mechanism";
        assert_eq!((error, words.as_str()), (FAILED, expected));
    }
}

/// Before KIP-152 the messages of a mechanism went without a header.
#[test]
fn first_version_of_the_handshake_is_followed_by_bare_messages() {
    let server = guarded();
    let mut raw = connect(&server);
    assert_eq!(error_of(raw.ask(HANDSHAKE, 0, &string("PLAIN"))), Some(0));
    raw.send_frame(b"\0ada\0engine");
    assert_eq!(raw.receive(), Some(Vec::new()));
    assert!(is_in(&mut raw));
    let mut raw = connect(&server);
    assert_eq!(error_of(raw.ask(HANDSHAKE, 0, &string("PLAIN"))), Some(0));
    raw.send_frame(b"\0ada\0motor");
    assert_eq!(raw.receive(), None);
}

#[test]
fn login_where_none_is_asked_is_out_of_place() {
    let server = start_broker();
    let mut raw = connect(&server);
    let illegal_state = Some(34);
    assert_eq!(
        error_of(raw.ask(HANDSHAKE, 1, &string("PLAIN"))),
        illegal_state
    );
    assert_eq!(
        authenticate(&mut raw, b"\0ada\0engine").map(|answer| answer.0),
        illegal_state
    );
    assert!(is_in(&mut raw));
}

#[test]
fn frame_that_no_login_needs_closes_the_connection() {
    let server = guarded();
    let mut raw = connect(&server);
    let _ = raw.stream.write_all(&(512 * 1024 + 1i32).to_be_bytes());
    assert_eq!(raw.receive(), None);
}

#[test]
fn client_that_does_not_log_in_is_dropped() {
    let server = start_broker_with(|config| {
        config.security = with_ada();
        config.max_stall = Duration::from_millis(50);
    });
    assert_eq!(connect(&server).receive(), None);
    // Asking for versions over and over is no login either.
    let mut raw = connect(&server);
    eventually("an end", || match raw.ask(API_VERSIONS, 0, &[]) {
        Some(_) => None,
        None => Some(()),
    });
}

#[test]
fn printed_settings_hold_no_secret() {
    let printed = format!("{:?}", with_ada());
    assert!(printed.contains("ada") && printed.len() < 120, "{printed}");
}
