//! Lines over HTTP as a source.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};

use headwater_streams::prelude::*;
use polars::prelude::*;

use crate::{assert_says, topic, until};

/// Serves one connection after the other, each by the next script.
struct Server {
    url: String,
    /// The header lines of each request.
    requests: Receiver<Vec<String>>,
}

/// What a connection gets, with its stream at hand.
type Script = Box<dyn FnOnce(&mut TcpStream) + Send>;

impl Server {
    fn start(scripts: Vec<Script>) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/levels", listener.local_addr().unwrap());
        let (to, requests) = channel();
        std::thread::spawn(move || {
            for script in scripts {
                let (mut stream, _) = listener.accept().unwrap();
                let reader = BufReader::new(stream.try_clone().unwrap());
                let lines = reader.lines().map_while(Result::ok);
                let header = lines.take_while(|line| !line.is_empty()).collect();
                // The test may have ended.
                let _ = to.send(header);
                script(&mut stream);
            }
        });
        Server { url, requests }
    }
}

/// Answers with these bytes behind the header, then ends.
fn says(header: &'static str, body: &'static str) -> Script {
    Box::new(move |stream| {
        let text = format!("HTTP/1.1 {header}\r\nConnection: close\r\n\r\n{body}");
        stream.write_all(text.as_bytes()).unwrap();
    })
}

const OK: &str = "200 OK\r\nContent-Type: application/x-ndjson";
const EVENTS: &str = "200 OK\r\nContent-Type: text/event-stream";

#[test]
fn lines_are_records_and_others_are_rejected_with_their_place() {
    let body =
        "{\"gauge\":\"G07\",\"cm\":1}\n\nnonsense\n[1]\n{\"cm\":2}\r\n{\"gauge\":8,\"cm\":3}";
    let server = Server::start(vec![says(OK, body)]);
    let topic = topic("http-lines", 1);
    let source = HttpLines::get(&server.url)
        .key("gauge")
        .header("X-Key", "secret");
    let feed = source.start(&topic).unwrap();
    feed.wait().unwrap();
    let rows = topic.read_with_metadata(Earliest).unwrap();
    let keys = rows.column("_key").unwrap().str().unwrap();
    assert_eq!(keys.iter().flatten().collect::<Vec<_>>(), ["G07", "8"]);
    let rejected = feed.rejected().unwrap();
    let reasons = crate::formats::reasons(&rejected);
    assert!(reasons[0].starts_with("not JSON: "), "{reasons:?}");
    assert_eq!(reasons[1..], ["not a JSON object", "no field `gauge`"]);
    let places = rejected.column("record").unwrap().str().unwrap();
    assert_eq!(
        places.get(0),
        Some(format!("line 2 of {}", server.url).as_str())
    );
    let counts = feed.counts();
    assert_eq!((counts.sent, counts.rejected, counts.ended), (2, 3, true));
    let request = server.requests.recv().unwrap();
    assert_eq!(request[0], "GET /levels HTTP/1.1");
    assert!(
        request
            .iter()
            .any(|line| line.eq_ignore_ascii_case("x-key: secret"))
    );
}

#[test]
fn any_line_is_a_record_of_a_text_topic() {
    let server = Server::start(vec![says(OK, "one\n\nthree")]);
    let text = topic("http-text", 1).text();
    HttpLines::get(&server.url)
        .start(&text)
        .unwrap()
        .wait()
        .unwrap();
    let read = text.read(Earliest).unwrap();
    assert!(
        read.equals(&df!("value" => ["one", "", "three"]).unwrap()),
        "{read}"
    );
    let error = HttpLines::get(&server.url)
        .key("gauge")
        .start(&text)
        .err()
        .unwrap();
    assert_says(
        &error,
        &[
            "text and bytes have no fields",
            ".key(\"gauge\")",
            "without .key(..)",
        ],
    );
}

#[test]
fn lines_go_into_a_topic_with_a_schema() {
    let server = Server::start(vec![says(
        OK,
        "{\"cm\":1}\n{\"cm\":\"high\"}\n{\"cm\":2}\n",
    )]);
    let registry = Registry::in_topic(&Cluster::embedded().unwrap()).unwrap();
    let avro = topic("http-avro", 1).avro(&registry);
    avro.produce(&df!("cm" => [0i64]).unwrap()).unwrap();
    let feed = HttpLines::get(&server.url).start(&avro).unwrap();
    // The column becomes text with the second line, which the schema does not allow.
    let error = feed.wait().unwrap_err();
    assert_says(&error, &["with the new schema of http-avro-value"]);
    let server = Server::start(vec![says(OK, "{\"cm\":1}\n{\"cm\":2}\n")]);
    HttpLines::get(&server.url)
        .start(&avro)
        .unwrap()
        .wait()
        .unwrap();
    let read = avro.read(Earliest).unwrap();
    assert!(read.equals(&df!("cm" => [0i64, 1, 2]).unwrap()), "{read}");
}

#[test]
fn events_go_on_where_they_were_after_the_server_was_away() {
    let drop_it: Script = Box::new(|stream| {
        stream
            .write_all(b"HTTP/1.1 503 x\r\nContent-Length: 0\r\n\r\n")
            .unwrap()
    });
    let server = Server::start(vec![
        says(
            EVENTS,
            "id: 1\ndata: {\"n\":1}\n\nid: 2\ndata: {\"n\":2}\n\n",
        ),
        drop_it,
        says(EVENTS, ": again\n\nid: 3\ndata: {\"n\":3}\n\n"),
    ]);
    let topic = topic("http-events", 1);
    let feed = HttpLines::get(&server.url)
        .reconnect()
        .start(&topic)
        .unwrap();
    feed.wait_for_records(3).unwrap();
    until("the server was away once", || feed.counts().away >= 1);
    feed.stop().unwrap();
    let requests: Vec<_> = server.requests.iter().take(3).collect();
    let last = |request: &[String]| {
        let header = |line: &String| {
            line.to_lowercase()
                .strip_prefix("last-event-id: ")
                .map(String::from)
        };
        request.iter().find_map(header)
    };
    let ids: Vec<_> = requests.iter().map(|request| last(request)).collect();
    assert_eq!(ids, [None, Some("2".into()), Some("2".into())]);
    let read = topic.read(Earliest).unwrap();
    assert!(read.equals(&df!("n" => [1i64, 2, 3]).unwrap()), "{read}");
    assert!(
        format!("{feed:?}").contains("times away; the last: have:"),
        "{feed:?}"
    );
}

#[test]
fn a_source_stops_although_the_server_is_silent() {
    let (over, wait) = channel::<()>();
    let silent: Script = Box::new(move |stream| {
        stream
            .write_all(b"HTTP/1.1 200 OK\r\n\r\n{\"n\":1}\n{\"n\":")
            .unwrap();
        // Until the test has ended.
        let _ = wait.recv();
    });
    let server = Server::start(vec![silent]);
    let topic = topic("http-silent", 1);
    let feed = HttpLines::get(&server.url).start(&topic).unwrap();
    feed.wait_for_records(1).unwrap();
    feed.stop().unwrap();
    assert!(feed.counts().ended);
    assert_eq!(topic.records().unwrap(), 1);
    drop(over);
}

#[test]
fn an_address_that_gives_no_lines_says_what_to_do() {
    let topic = topic("http-wrong", 1);
    let error = HttpLines::get("https://example.org")
        .start(&topic)
        .err()
        .unwrap();
    assert_says(
        &error,
        &[
            "this is no address that can be read",
            "https://example.org",
            "add TLS",
        ],
    );
    let server = Server::start(vec![says("404 Not Found", "")]);
    let feed = HttpLines::get(&server.url)
        .reconnect()
        .start(&topic)
        .unwrap();
    assert_says(
        &feed.wait().unwrap_err(),
        &["the server gives no lines", "status 404", "in a browser"],
    );
    let odd = HttpLines::get(&server.url)
        .header("a name", "x")
        .reconnect();
    let error = odd.start(&topic).unwrap().wait().unwrap_err();
    assert_says(
        &error,
        &[
            "this request cannot be made",
            ".header(\"Name\", \"value\")",
        ],
    );
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let error = HttpLines::get(&url)
        .start(&topic)
        .unwrap()
        .wait()
        .unwrap_err();
    assert!(error.is_unreachable());
    assert_says(
        &error,
        &[
            "the server does not answer",
            &url,
            ".reconnect() keeps on asking",
        ],
    );
}
