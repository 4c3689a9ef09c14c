//! Lines of an HTTP answer that does not end: one record a line, or one a server-sent event.

mod lines;
mod read;

use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use super::feed::{Feed, Shared};
use super::rows::Rows;
use crate::format::Format;
use crate::topic::Topic;
use crate::worker::Worker;
use crate::{Error, Result};
use read::{Heard, Request};

/// How long to wait before the address is asked again, at first and at most.
const PAUSE: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(30)];

/// How many lines wait for the topic at most; then the server waits.
const WAITING: usize = 1024;

/// How often the source looks whether it is to stop.
const LOOK: Duration = Duration::from_millis(50);

/// An address whose answer is a stream of lines, as a source.
///
/// A line is a JSON object; through a handle `topic.text()` or `topic.raw()` any line is a record as it
/// is. Where the server sends events (`text/event-stream`), the data of each is a record.
///
/// # Example
/// ```no_run
/// use headwater_streams::prelude::*;
///
/// let levels = Cluster::embedded()?.topic("levels", partitions(3))?;
/// let feed = HttpLines::get("http://127.0.0.1:9000/levels").key("gauge").start(&levels)?;
/// feed.wait_for_records(100)?;
/// # Ok::<(), headwater_streams::Error>(())
/// ```
#[derive(Clone)]
pub struct HttpLines {
    url: String,
    key: Option<String>,
    headers: Vec<(String, String)>,
    again: bool,
}

impl HttpLines {
    /// Returns a source of the lines at this address (`http://`).
    pub fn get(url: &str) -> HttpLines {
        HttpLines {
            url: url.into(),
            key: None,
            headers: Vec::new(),
            again: false,
        }
    }

    /// Takes this field as the key of the records. Default: none.
    pub fn key(mut self, field: &str) -> HttpLines {
        self.key = Some(field.into());
        self
    }

    /// Sends this header with the request, for instance an API key.
    pub fn header(mut self, name: &str, value: &str) -> HttpLines {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Asks again when the answer ends or the server is away, with growing pauses of up to 30 s; after
    /// events with an id it says which was the last
    /// ([HTML standard](https://html.spec.whatwg.org/multipage/server-sent-events.html#the-last-event-id-header)).
    /// Default: the source ends with the answer. A server that does not know where it was sends lines
    /// again that were there already.
    pub fn reconnect(mut self) -> HttpLines {
        self.again = true;
        self
    }

    /// Starts to read.
    ///
    /// # Errors
    /// When the address is none, or a key is asked for through a handle that knows no fields. What the
    /// server says is the outcome of the feed.
    pub fn start(&self, topic: &Topic) -> Result<Feed> {
        if !self.url.starts_with("http://") {
            return Err(Error::new("this is no address that can be read")
                .have(self.url.clone())
                .hint(
                    "HttpLines::get(\"http://127.0.0.1:9000/levels\"); a local proxy can add TLS",
                ));
        }
        let is_text = matches!(topic.format(), Format::Text | Format::Raw);
        if let (Some(key), true) = (&self.key, is_text) {
            return Err(
                Error::new("text and bytes have no fields, so none can be the key")
                    .have(format!(".key(\"{key}\") on {topic:?}"))
                    .hint("the topic without .text() or .raw(), or the source without .key(..)"),
            );
        }
        let (source, target) = (self.clone(), topic.clone());
        Feed::start(self.url.clone(), topic, move |shared| {
            source.run(&target, is_text, shared)
        })
    }

    /// Shows the source as the value of a cell.
    pub fn evcxr_display(&self) {
        let text = format!("the lines at {}\n.start(&topic)? sends them", self.url);
        crate::display::result(crate::table::text(&text));
    }

    fn run(&self, topic: &Topic, is_text: bool, shared: &Shared) -> Result<()> {
        let mut rows = Rows::open(topic, self.key.as_deref())?;
        let (mut last_event, mut pause) = (None, PAUSE[0]);
        loop {
            let before = shared.sent();
            let outcome = self.follow(&mut rows, is_text, &mut last_event, shared);
            rows.flush()?;
            note(&mut rows, shared);
            if shared.is_stopped() || !self.again {
                return outcome;
            }
            if let Err(error) = outcome {
                if !error.is_unreachable() {
                    return Err(error);
                }
                shared.note_away(&error);
            }
            if shared.sent() > before {
                pause = PAUSE[0];
            }
            shared.pause(pause);
            pause = (pause * 2).min(PAUSE[1]);
        }
    }

    /// Reads one answer to its end.
    fn follow(
        &self,
        rows: &mut Rows,
        is_text: bool,
        last_event: &mut Option<String>,
        shared: &Shared,
    ) -> Result<()> {
        let (to, heard) = sync_channel(WAITING);
        let request = Request {
            url: self.url.clone(),
            headers: self.headers.clone(),
            last_event: last_event.clone(),
        };
        // A thread of its own: the server may be silent for long, and the source must still stop. Once
        // nobody listens it ends with the next line, or within seconds.
        let _reader = Worker::start("headwater-http", move || request.read(&to))?;
        let mut number = 0u64;
        while !shared.is_stopped() {
            match heard.recv_timeout(LOOK) {
                Ok(Heard::Nothing) => {}
                // Some servers send empty lines so that the connection is not taken for dead.
                Ok(Heard::Line(line)) if line.is_empty() && !is_text => {}
                Ok(Heard::Line(line)) => {
                    number += 1;
                    let place = format!("line {number} of {}", self.url);
                    match std::str::from_utf8(&line) {
                        _ if is_text => rows.send_bytes(&line)?,
                        Ok(line) => rows.send_line(line, &place)?,
                        Err(_) => rows.reject(place, "not UTF-8", &line),
                    }
                    note(rows, shared);
                }
                Ok(Heard::TooLong(beginning)) => {
                    number += 1;
                    let place = format!("line {number} of {}", self.url);
                    rows.reject(place, "a line of more than 1 MiB", &beginning);
                    note(rows, shared);
                }
                Ok(Heard::EventId(id)) => *last_event = Some(id),
                Ok(Heard::End(outcome)) => return outcome,
                Err(RecvTimeoutError::Timeout) => {
                    rows.finish_batch()?;
                    note(rows, shared);
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Error::new("the reader of the answer has ended")
                        .have(self.url.clone())
                        .hint("start the source again"));
                }
            }
        }
        Ok(())
    }
}

/// Counts what became of the last lines.
fn note(rows: &mut Rows, shared: &Shared) {
    let rejected = rows.take_rejected();
    shared.note_rejected(rejected.len() as u64, &rejected);
    shared.note_sent(rows.take_sent());
}

impl std::fmt::Debug for HttpLines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the lines at {}", self.url)
    }
}
