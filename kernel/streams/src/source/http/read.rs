//! Reads an answer on a thread of its own.

use std::io;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use ureq::Agent;
use ureq::http::Response;

use super::lines::{Event, Line, Lines};
use crate::{Error, Result};

/// How long a connection may take, and the longest single wait for bytes: after it the thread looks
/// whether anybody still listens.
const PATIENCE: Duration = Duration::from_secs(5);

/// What to ask for.
pub(super) struct Request {
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub last_event: Option<String>,
}

/// What the answer brings.
pub(super) enum Heard {
    Line(Vec<u8>),
    /// The beginning of a line that is too long.
    TooLong(Vec<u8>),
    EventId(String),
    /// The server is silent; only asks whether anybody listens.
    Nothing,
    End(Result<()>),
}

impl Request {
    /// Reads the answer until it ends or nobody listens any more.
    pub fn read(&self, to: &SyncSender<Heard>) {
        let outcome = self.follow(to);
        // Whoever has stopped the source needs no outcome.
        let _ = to.send(Heard::End(outcome));
    }

    fn follow(&self, to: &SyncSender<Heard>) -> Result<()> {
        let answer = self.ask()?;
        let mime = answer.body().mime_type().unwrap_or_default().to_owned();
        let mut lines = Lines::of(answer.into_body().into_reader());
        let mut event = (mime == "text/event-stream").then(Event::default);
        loop {
            let line = match lines.next() {
                Ok(Some(line)) => line,
                Ok(None) => return Ok(()),
                // Nothing came for a while, which says nothing about the server.
                Err(cause) if cause.kind() == io::ErrorKind::TimedOut => {
                    if to.try_send(Heard::Nothing).is_err_and(is_gone) {
                        return Ok(());
                    }
                    continue;
                }
                Err(cause) => return Err(self.away(cause)),
            };
            let heard = match (line, &mut event) {
                (Line::TooLong(beginning), _) => Some(Heard::TooLong(beginning)),
                (Line::Whole(line), None) => Some(Heard::Line(line)),
                (Line::Whole(line), Some(event)) => match event.take(&line) {
                    None => None,
                    Some((data, id)) => {
                        if let Some(id) = id
                            && to.send(Heard::EventId(id)).is_err()
                        {
                            return Ok(());
                        }
                        Some(Heard::Line(data))
                    }
                },
            };
            if heard.is_some_and(|heard| to.send(heard).is_err()) {
                return Ok(());
            }
        }
    }

    fn ask(&self) -> Result<Response<ureq::Body>> {
        let config = Agent::config_builder()
            .timeout_connect(Some(PATIENCE))
            .timeout_per_read(Some(PATIENCE))
            .http_status_as_error(false);
        let agent: Agent = config.build().into();
        let mut request = agent.get(&self.url);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if let Some(id) = &self.last_event {
            request = request.header("Last-Event-ID", id);
        }
        let answer =
            request
                .header("Accept", "application/x-ndjson, text/event-stream, */*")
                .call()
                .map_err(|cause| match cause {
                    // Asking again would not help.
                    ureq::Error::Http(_) | ureq::Error::BadUri(_) => Error::new(
                        "this request cannot be made",
                    )
                    .have(format!("{}: {cause}", self.url))
                    .hint("HttpLines::get(\"http://host:port/path\").header(\"Name\", \"value\")"),
                    cause => self.away(cause.into_io()),
                })?;
        match answer.status().as_u16() {
            200..300 => Ok(answer),
            status @ (429 | 500..) => Err(self.away(io::Error::other(format!("status {status}")))),
            status => Err(Error::new("the server gives no lines")
                .have(format!("{}: status {status}", self.url))
                .hint("the address in a browser shows what it says; .header(\"Authorization\", \"..\") if it asks who you are")),
        }
    }

    fn away(&self, cause: io::Error) -> Error {
        Error::unreachable("the server does not answer".into())
            .have(format!("{}: {cause}", self.url))
            .hint(".reconnect() keeps on asking; curl with the address shows whether it is there")
    }
}

fn is_gone(error: std::sync::mpsc::TrySendError<Heard>) -> bool {
    matches!(error, std::sync::mpsc::TrySendError::Disconnected(_))
}
