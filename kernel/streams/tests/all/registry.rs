//! Registries: the one in a topic, and one that answers Confluent's REST calls.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use headwater_streams::prelude::*;
use polars::prelude::*;
use serde_json::{Value, json};

use crate::{assert_says, topic};

const LEVEL: &str =
    r#"{"type":"record","name":"Level","fields":[{"name":"level_cm","type":"double"}]}"#;

/// The calls of a registry that this library makes, as the reference describes them
/// (<https://docs.confluent.io/platform/current/schema-registry/develop/api.html>).
#[derive(Default)]
struct Served {
    /// Subject and schema; the place is the id less one.
    schemas: Vec<(String, String)>,
    /// Method and path of every call.
    calls: Vec<String>,
    /// What the calls said for their authorization.
    logins: Vec<String>,
    /// What to answer instead, for one call.
    next: Option<(u16, String)>,
}

struct Server {
    url: String,
    served: Arc<Mutex<Served>>,
}

impl Server {
    /// Answers until the test ends; the thread waits for a call that never comes.
    fn start() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let served = Arc::new(Mutex::new(Served::default()));
        let ours = served.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let ours = ours.clone();
                std::thread::spawn(move || answer(stream, &ours));
            }
        });
        Server { url, served }
    }

    fn next(&self, status: u16, body: Value) {
        self.served.lock().unwrap().next = Some((status, body.to_string()));
    }
}

/// Answers the calls on one connection.
fn answer(mut stream: TcpStream, served: &Mutex<Served>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let mut words = line.split_whitespace();
        let (method, path) = (
            words.next().unwrap().to_owned(),
            words.next().unwrap().to_owned(),
        );
        let (mut length, mut login) = (0, None);
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).unwrap();
            let Some((name, value)) = header.trim().split_once(": ") else {
                break;
            };
            match name.to_lowercase().as_str() {
                "content-length" => length = value.parse().unwrap(),
                "authorization" => login = Some(value.to_owned()),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let mut served = served.lock().unwrap();
        served.calls.push(format!("{method} {path}"));
        served.logins.extend(login);
        let (status, body) = match served.next.take() {
            Some(next) => next,
            None => respond(&mut served.schemas, &method, &path, &body),
        };
        let text = format!(
            "HTTP/1.1 {status} x\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(text.as_bytes()).unwrap();
    }
}

fn respond(
    schemas: &mut Vec<(String, String)>,
    method: &str,
    path: &str,
    body: &[u8],
) -> (u16, String) {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let missing = || {
        (
            404,
            json!({"error_code": 40401, "message": "not found"}).to_string(),
        )
    };
    match (method, &parts[..]) {
        ("GET", ["subjects"]) => {
            let mut subjects: Vec<&str> = schemas
                .iter()
                .map(|(subject, _)| subject.as_str())
                .collect();
            subjects.sort();
            subjects.dedup();
            (200, json!(subjects).to_string())
        }
        ("GET", ["schemas", "ids", id]) => {
            let index = id.parse::<usize>().unwrap().wrapping_sub(1);
            schemas.get(index).map_or_else(missing, |(_, schema)| {
                (200, json!({"schema": schema}).to_string())
            })
        }
        ("GET", ["subjects", subject, "versions", "latest"]) => {
            let version = schemas.iter().filter(|(known, _)| known == subject).count();
            let newest = (1..)
                .zip(schemas.iter())
                .filter(|(_, (known, _))| known == subject)
                .last();
            newest.map_or_else(missing, |(id, (_, schema))| {
                let found =
                    json!({"subject": subject, "version": version, "id": id, "schema": schema});
                (200, found.to_string())
            })
        }
        ("POST", ["subjects", subject, "versions"]) => {
            let body: Value = serde_json::from_slice(body).unwrap();
            let schema = body["schema"].as_str().unwrap().to_owned();
            let known = schemas
                .iter()
                .position(|known| *known == ((*subject).to_owned(), schema.clone()));
            let id = known.unwrap_or_else(|| {
                schemas.push(((*subject).to_owned(), schema));
                schemas.len() - 1
            });
            (200, json!({"id": id + 1}).to_string())
        }
        _ => missing(),
    }
}

#[test]
fn a_registry_over_http_gives_ids_and_schemas() {
    let server = Server::start();
    let registry = Registry::connect(&server.url).unwrap();
    let levels = topic("registry-http", 1).avro(&registry);
    let sent = df!("gauge" => ["G07", "G08"], "level_cm" => [412.5, 388.0]).unwrap();
    levels.produce(&sent).unwrap();
    // Another handle, which must ask for the schema.
    let reader = Registry::connect(&format!("{}/", server.url)).unwrap();
    let read = topic("registry-http", 1)
        .avro(&reader)
        .read(Earliest)
        .unwrap();
    assert!(read.equals(&sent));
    let subjects = reader.subjects().unwrap();
    assert_eq!(subjects.height(), 1);
    let calls = server.served.lock().unwrap().calls.clone();
    for call in [
        "GET /subjects/registry-http-value/versions/latest",
        "POST /subjects/registry-http-value/versions",
        "GET /schemas/ids/1",
    ] {
        assert!(calls.iter().any(|made| made == call), "{calls:?}");
    }
    assert!(format!("{reader:?}").contains("the registry at http://127.0.0.1:"));
}

#[test]
fn a_name_and_password_go_along_and_a_refusal_says_what_was_said() {
    let server = Server::start();
    let address = server.url.trim_start_matches("http://").to_owned();
    server.next(401, json!({"error_code": 401, "message": "who are you"}));
    let error = Registry::connect(&server.url).unwrap_err();
    assert_says(
        &error,
        &[
            "the schema registry refuses",
            "status 401: who are you",
            "user:password@host",
        ],
    );
    let registry = Registry::connect(&format!("http://ada:secret@{address}")).unwrap();
    assert_eq!(
        server.served.lock().unwrap().logins,
        ["Basic YWRhOnNlY3JldA=="]
    );
    assert!(!format!("{registry:?}").contains("secret"));
    server.next(
        404,
        json!({"error_code": 40403, "message": "no such schema"}),
    );
    let error = registry.schema(7).unwrap_err();
    assert_says(
        &error,
        &["no schema 7", "the registry at", "registry.subjects()?"],
    );
    server.next(
        200,
        json!({"schema": "message M {}", "schemaType": "PROTOBUF"}),
    );
    let error = registry.schema(8).unwrap_err();
    assert_says(
        &error,
        &[
            "a schema of this registry is not Avro",
            "PROTOBUF",
            "topic.protobuf(",
        ],
    );
    server.next(200, json!("<html>"));
    let error = registry.schema(9).unwrap_err();
    assert_says(
        &error,
        &[
            "this is not the answer of a schema registry",
            "Registry::connect(",
        ],
    );
}

#[test]
fn a_schema_that_the_registry_finds_incompatible_is_an_error_with_its_reason() {
    let server = Server::start();
    let registry = Registry::connect(&server.url).unwrap();
    server
        .served
        .lock()
        .unwrap()
        .schemas
        .push(("registry-409-value".into(), LEVEL.into()));
    let ours = registry
        .register("registry-409-value", r#"{"type":"string"}"#)
        .unwrap_err();
    assert_says(
        &ours,
        &[
            "with the new schema of registry-409-value",
            "try:  new columns may be added",
        ],
    );
    // What passes here may be refused there, by a stricter rule.
    let more = LEVEL.replace(
        "]}",
        r#",{"name":"b","type":["null","long"],"default":null}]}"#,
    );
    server.next(
        200,
        json!({"schema": LEVEL, "subject": "x", "version": 1, "id": 1}),
    );
    assert_eq!(registry.register("registry-409-value", &more).unwrap(), 2);
}

#[test]
fn records_wait_for_a_registry_that_does_not_answer() {
    let server = Server::start();
    let registry = Registry::connect(&server.url).unwrap();
    let name = "registry-silent";
    let levels = topic(name, 1).avro(&registry);
    levels.produce(&df!("level_cm" => [1.0]).unwrap()).unwrap();
    let fresh = Registry::connect(&server.url).unwrap();
    server.next(
        500,
        json!({"error_code": 50001, "message": "the store is away"}),
    );
    // The record may be right: it is no rejected one, the read fails.
    let error = topic(name, 1).avro(&fresh).read(Earliest).unwrap_err();
    assert_says(
        &error,
        &[
            "the schema registry refuses",
            "status 500: the store is away",
        ],
    );
    assert_eq!(
        topic(name, 1).avro(&fresh).read(Earliest).unwrap().height(),
        1
    );
}

#[test]
fn a_table_says_that_the_registry_does_not_answer() {
    let server = Server::start();
    let registry = Registry::connect(&server.url).unwrap();
    let levels = topic("registry-table", 1).avro(&registry);
    levels
        .produce(&df!("gauge" => ["G07"], "level_cm" => [1.0]).unwrap())
        .unwrap();
    let fresh = Registry::connect(&server.url).unwrap();
    server.next(
        500,
        json!({"error_code": 50001, "message": "the store is away"}),
    );
    let table = KTable::new(["gauge"]);
    let error = table
        .read(&topic("registry-table", 1).avro(&fresh))
        .unwrap_err();
    assert_says(
        &error,
        &["the schema registry refuses", "the store is away"],
    );
    table
        .read(&topic("registry-table", 1).avro(&fresh))
        .unwrap();
    assert_eq!(table.len(), 1);
}

#[test]
fn an_address_without_a_registry_says_so() {
    for (url, part) in [
        ("localhost:8081", "have: localhost:8081"),
        ("http://", "have: http://"),
        ("https://ada:secret@registry", "this build speaks http"),
    ] {
        let error = Registry::connect(url).unwrap_err();
        assert!(!error.to_string().contains("secret"));
        assert_says(
            &error,
            &[
                "this is no address of a schema registry",
                part,
                "http://localhost:8081",
            ],
        );
    }
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let error = Registry::connect(&url).unwrap_err();
    assert!(error.is_unreachable());
    assert_says(
        &error,
        &[
            "the schema registry does not answer",
            &url,
            "Registry::in_topic(&cluster)?",
        ],
    );
}

#[test]
fn many_who_add_at_once_get_ids_of_their_own() {
    let cluster = Cluster::embedded().unwrap();
    let ids: Vec<i32> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..6)
            .map(|thread| {
                let cluster = &cluster;
                scope.spawn(move || {
                    let registry = Registry::in_topic(cluster).unwrap();
                    let schema = LEVEL.replace("Level", &format!("Level{thread}"));
                    registry
                        .register(&format!("registry-at-once-{thread}"), &schema)
                        .unwrap()
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    let mut sorted = ids.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!(sorted.len(), ids.len(), "{ids:?}");
    let registry = Registry::in_topic(&cluster).unwrap();
    for (thread, id) in ids.into_iter().enumerate() {
        assert!(
            registry
                .schema(id)
                .unwrap()
                .contains(&format!("Level{thread}"))
        );
        // The same schema again keeps its id.
        let schema = LEVEL.replace("Level", &format!("Level{thread}"));
        assert_eq!(
            registry
                .register(&format!("registry-at-once-{thread}"), &schema)
                .unwrap(),
            id
        );
    }
    let error = registry.register("registry-no-schema", "{}").unwrap_err();
    assert_says(&error, &["this is no Avro schema", "\"type\": \"record\""]);
}
