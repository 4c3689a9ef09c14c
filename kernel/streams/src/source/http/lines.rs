//! Bytes as lines, and lines as events.

use std::io::{self, BufRead, BufReader, Read};

/// The longest line that is kept.
const LONGEST: usize = 1 << 20;

/// Cuts bytes into lines. An error of the source loses nothing: the next call goes on.
pub(super) struct Lines {
    reader: BufReader<Box<dyn Read + Send>>,
    line: Vec<u8>,
    is_too_long: bool,
}

/// A line without its end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    Whole(Vec<u8>),
    /// The beginning of a longer one.
    TooLong(Vec<u8>),
}

impl Lines {
    pub fn of(reader: impl Read + Send + 'static) -> Lines {
        Lines {
            reader: BufReader::new(Box::new(reader)),
            line: Vec::new(),
            is_too_long: false,
        }
    }

    /// Returns the next line; nothing behind the last. What stands behind the last line end is a line too.
    pub fn next(&mut self) -> io::Result<Option<Line>> {
        loop {
            let bytes = match self.reader.fill_buf() {
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => continue,
                bytes => bytes?,
            };
            if bytes.is_empty() {
                let is_empty = self.line.is_empty() && !self.is_too_long;
                return Ok((!is_empty).then(|| self.whole()));
            }
            let end = memchr::memchr(b'\n', bytes);
            let part = &bytes[..end.unwrap_or(bytes.len())];
            let room = LONGEST - self.line.len();
            self.is_too_long |= part.len() > room;
            self.line.extend_from_slice(&part[..part.len().min(room)]);
            let used = part.len() + usize::from(end.is_some());
            self.reader.consume(used);
            if end.is_some() {
                return Ok(Some(self.whole()));
            }
        }
    }

    fn whole(&mut self) -> Line {
        let mut line = std::mem::take(&mut self.line);
        if std::mem::take(&mut self.is_too_long) {
            return Line::TooLong(line);
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Line::Whole(line)
    }
}

/// A server-sent event that is being read
/// ([HTML standard](https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation)).
#[derive(Default)]
pub(super) struct Event {
    data: Option<Vec<u8>>,
    id: Option<String>,
}

impl Event {
    /// Takes a line; returns data and id of the event that it ends, if it ends one.
    pub fn take(&mut self, line: &[u8]) -> Option<(Vec<u8>, Option<String>)> {
        if line.is_empty() {
            let id = self.id.take();
            return self.data.take().map(|data| (data, id));
        }
        let (field, value) = match memchr::memchr(b':', line) {
            Some(at) => (&line[..at], &line[at + 1..]),
            None => (line, &[][..]),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"data" => match &mut self.data {
                Some(data) => {
                    data.push(b'\n');
                    data.extend_from_slice(value);
                }
                None => self.data = Some(value.to_vec()),
            },
            b"id" if !value.contains(&0) => {
                self.id = Some(String::from_utf8_lossy(value).into_owned());
            }
            // Comments, names of events and times to wait.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    /// Gives its parts one by one; an empty one is a timeout.
    struct Parts(VecDeque<Vec<u8>>);

    impl Read for Parts {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            let Some(part) = self.0.pop_front() else {
                return Ok(0);
            };
            if part.is_empty() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            to[..part.len()].copy_from_slice(&part);
            Ok(part.len())
        }
    }

    fn lines(parts: &[&[u8]]) -> (Vec<Line>, usize) {
        let parts = parts.iter().map(|part| part.to_vec()).collect();
        let (mut source, mut lines, mut timeouts) = (Lines::of(Parts(parts)), Vec::new(), 0);
        loop {
            match source.next() {
                Ok(Some(line)) => lines.push(line),
                Ok(None) => return (lines, timeouts),
                Err(_) => timeouts += 1,
            }
        }
    }

    fn whole(text: &str) -> Line {
        Line::Whole(text.into())
    }

    #[test]
    fn lines_are_whole_however_they_arrive() {
        let (found, timeouts) = lines(&[b"a", b"", b"b\r\nc", b"", b"\n\nlast"]);
        assert_eq!(found, [whole("ab"), whole("c"), whole(""), whole("last")]);
        assert_eq!(timeouts, 2);
        assert_eq!(lines(&[b"a\n"]).0, [whole("a")]);
        assert_eq!(lines(&[]).0, []);
    }

    #[test]
    fn a_line_without_end_takes_no_more_than_a_mebibyte() {
        let long = vec![b'x'; 1 << 12];
        let mut parts: Vec<&[u8]> = vec![&long; 300];
        parts.push(b"\nnext\n");
        let (found, _) = lines(&parts);
        assert_eq!(found.len(), 2);
        assert!(matches!(&found[0], Line::TooLong(beginning) if beginning.len() == LONGEST));
        assert_eq!(found[1], whole("next"));
    }

    #[test]
    fn events_are_their_data() {
        let text =
            ": hello\nevent: level\ndata: {\"a\":\ndata:1}\nid: 7\nretry: 10\n\nid: 8\n\ndata\n\n";
        let mut event = Event::default();
        let lines = text.split('\n').map(str::as_bytes);
        let events: Vec<_> = lines.filter_map(|line| event.take(line)).collect();
        assert_eq!(
            events,
            [
                (b"{\"a\":\n1}".to_vec(), Some("7".into())),
                (Vec::new(), None),
            ]
        );
    }
}
