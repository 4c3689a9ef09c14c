//! A text stream of the child with the markers taken out.
//!
//! `frame::marker` stands before each display frame; `threads` puts two others around what a
//! thread says that belongs to another cell than the one that runs.

use std::io::Read;

/// Splits what is read into text, whole characters only, and markers.
pub struct Marked {
    start: Vec<u8>,
    buffer: Vec<u8>,
    mark: u64,
    /// The cell that the text belongs to, where it is not the one that runs.
    owner: Option<u64>,
    /// Set at a marker: what comes after it waits until its frame has been passed on.
    held: bool,
    open: bool,
}

/// A marker as it stands in the stream.
struct Marker {
    length: usize,
    kind: u8,
    number: Option<u64>,
}

impl Marked {
    /// Looks for markers with this token (`frame::marker`).
    pub fn new(token: &str) -> Marked {
        Marked {
            start: format!("\0\u{1}{token}").into_bytes(),
            buffer: Vec::new(),
            mark: 0,
            owner: None,
            held: false,
            open: true,
        }
    }

    /// Returns the last marker seen.
    pub fn mark(&self) -> u64 {
        self.mark
    }

    pub fn is_open(&self) -> bool {
        self.open
    }

    /// Returns whether reading on makes sense now: open, and not waiting at a marker.
    pub fn wants_more(&self) -> bool {
        self.open && !self.held
    }

    /// Goes on after the marker that it waits at.
    pub fn release(&mut self, mut pass: impl FnMut(Option<u64>, String)) {
        self.held = false;
        self.split(&mut pass);
    }

    /// Reads once and passes the text on, up to the next marker, with the cell that it belongs to
    /// where that is not the running one.
    pub fn read(&mut self, from: &mut impl Read, mut pass: impl FnMut(Option<u64>, String)) {
        let mut chunk = [0; 65536];
        match from.read(&mut chunk) {
            Ok(0) => self.open = false,
            Ok(length) => self.buffer.extend_from_slice(&chunk[..length]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => self.open = false,
        }
        self.split(&mut pass);
        if !self.open && !self.held && !self.buffer.is_empty() {
            let rest = String::from_utf8_lossy(&std::mem::take(&mut self.buffer)).into_owned();
            pass(self.owner, rest);
        }
    }

    fn split(&mut self, pass: &mut impl FnMut(Option<u64>, String)) {
        while !self.held {
            let Some(at) = find(&self.buffer, &self.start) else {
                let keep = self.start_of_marker();
                return self.pass_text(self.buffer.len() - keep, pass);
            };
            let Some(marker) = self.marker_at(at) else {
                return self.pass_text(at, pass);
            };
            self.pass_text(at, pass);
            // What `pass_text` kept back is a character cut short by the marker: give it up.
            let rest = find(&self.buffer, &self.start).expect("it was found above");
            if rest > 0 {
                let text = String::from_utf8_lossy(&self.buffer[..rest]).into_owned();
                pass(self.owner, text);
            }
            self.buffer.drain(..rest + marker.length);
            if marker.kind == b'@' {
                self.owner = marker.number.filter(|cell| *cell != 0);
            } else {
                self.mark = marker.number.unwrap_or(self.mark);
                self.held = true;
            }
        }
    }

    /// Reads the marker whose start was found, if it is whole.
    fn marker_at(&self, at: usize) -> Option<Marker> {
        let rest = &self.buffer[at + self.start.len()..];
        let end = find(rest, b"\x01\0")?;
        let (kind, digits) = rest[..end].split_first()?;
        let number = std::str::from_utf8(digits)
            .ok()
            .and_then(|text| text.parse().ok());
        Some(Marker {
            length: self.start.len() + end + 2,
            kind: *kind,
            number,
        })
    }

    /// Passes the first `length` bytes on, except a character that is not whole yet.
    fn pass_text(&mut self, length: usize, pass: &mut impl FnMut(Option<u64>, String)) {
        let whole = length - cut_short(&self.buffer[..length]);
        if whole > 0 {
            let text = String::from_utf8_lossy(&self.buffer[..whole]).into_owned();
            pass(self.owner, text);
            self.buffer.drain(..whole);
        }
    }

    /// Returns how many bytes at the end may be the start of a marker.
    fn start_of_marker(&self) -> usize {
        let longest = self.start.len().min(self.buffer.len());
        (1..=longest)
            .rev()
            .find(|length| {
                self.start
                    .starts_with(&self.buffer[self.buffer.len() - length..])
            })
            .unwrap_or(0)
    }
}

/// Returns how many bytes at the end are the start of a character that goes on.
fn cut_short(bytes: &[u8]) -> usize {
    let tail = &bytes[bytes.len().saturating_sub(3)..];
    (1..=tail.len())
        .find(|length| {
            let last = &tail[tail.len() - length..];
            matches!(std::str::from_utf8(last), Err(error) if error.error_len().is_none())
                && last[0] >= 0xC0
        })
        .unwrap_or(0)
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(chunks: &[&[u8]]) -> (String, u64) {
        let mut marked = Marked::new("t");
        let mut all = String::new();
        for mut chunk in chunks.iter().copied() {
            marked.read(&mut chunk, |_, text| all.push_str(&text));
            marked.release(|_, text| all.push_str(&text));
        }
        (all, marked.mark())
    }

    #[test]
    fn markers_are_taken_out_wherever_they_are_cut() {
        let whole = b"a\0\x01t:7\x01\0b";
        for cut in 1..whole.len() {
            assert_eq!(
                texts(&[&whole[..cut], &whole[cut..]]),
                ("ab".to_owned(), 7),
                "cut at {cut}"
            );
        }
    }

    #[test]
    fn text_after_a_marker_waits_for_its_frame() {
        let (mut marked, mut all) = (Marked::new("t"), String::new());
        marked.read(&mut &b"before\0\x01t:1\x01\0after"[..], |_, text| {
            all.push_str(&text)
        });
        assert_eq!((all.as_str(), marked.mark()), ("before", 1));
        marked.release(|_, text| all.push_str(&text));
        assert_eq!(all, "beforeafter");
    }

    #[test]
    fn text_of_another_cell_is_told_apart_wherever_it_is_cut() {
        let whole = b"now\0\x01t@3\x01\0then\0\x01t@0\x01\0now";
        for cut in 1..whole.len() {
            let mut marked = Marked::new("t");
            let (mut now, mut then) = (String::new(), String::new());
            for mut chunk in [&whole[..cut], &whole[cut..]] {
                marked.read(&mut chunk, |owner, text| match owner {
                    Some(3) => then.push_str(&text),
                    _ => now.push_str(&text),
                });
            }
            assert_eq!(
                (now.as_str(), then.as_str()),
                ("nownow", "then"),
                "cut at {cut}"
            );
        }
    }

    #[test]
    fn characters_are_never_cut() {
        let text = "grün €".as_bytes();
        for cut in 1..text.len() {
            assert_eq!(texts(&[&text[..cut], &text[cut..]]).0, "grün €");
        }
    }

    #[test]
    fn invalid_bytes_are_replaced_and_passed_on() {
        assert_eq!(texts(&[b"\xff\xfe ok", b""]).0, "\u{fffd}\u{fffd} ok");
    }
}
