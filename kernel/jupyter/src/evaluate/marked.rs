//! A text stream of the child with the markers taken out.

use std::io::Read;

/// Splits what is read into text, whole characters only, and markers.
pub struct Marked {
    start: Vec<u8>,
    buffer: Vec<u8>,
    mark: u64,
    /// Set at a marker: what comes after it waits until its frame has been passed on.
    held: bool,
    open: bool,
}

impl Marked {
    /// Looks for markers with this token (`frame::marker`).
    pub fn new(token: &str) -> Marked {
        Marked {
            start: format!("\0\u{1}{token}:").into_bytes(),
            buffer: Vec::new(),
            mark: 0,
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
    pub fn release(&mut self, mut pass: impl FnMut(String)) {
        self.held = false;
        self.split(&mut pass);
    }

    /// Reads once and passes the text on, up to the next marker.
    pub fn read(&mut self, from: &mut impl Read, mut pass: impl FnMut(String)) {
        let mut chunk = [0; 65536];
        match from.read(&mut chunk) {
            Ok(0) => self.open = false,
            Ok(length) => self.buffer.extend_from_slice(&chunk[..length]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => self.open = false,
        }
        self.split(&mut pass);
        if !self.open && !self.held && !self.buffer.is_empty() {
            pass(String::from_utf8_lossy(&std::mem::take(&mut self.buffer)).into_owned());
        }
    }

    fn split(&mut self, pass: &mut impl FnMut(String)) {
        if self.held {
            return;
        }
        if let Some(at) = find(&self.buffer, &self.start) {
            let number = &self.buffer[at + self.start.len()..];
            let Some(end) = find(number, b"\x01\0") else {
                return self.pass_text(at, pass);
            };
            let number = std::str::from_utf8(&number[..end])
                .ok()
                .and_then(|text| text.parse().ok());
            self.mark = number.unwrap_or(self.mark);
            self.pass_text(at, pass);
            // What `pass_text` kept back is a character cut short by the marker: give it up.
            let rest = find(&self.buffer, &self.start).expect("it was found above");
            if rest > 0 {
                pass(String::from_utf8_lossy(&self.buffer[..rest]).into_owned());
            }
            self.buffer.drain(..rest + self.start.len() + end + 2);
            self.held = true;
            return;
        }
        let keep = self.start_of_marker();
        self.pass_text(self.buffer.len() - keep, pass);
    }

    /// Passes the first `length` bytes on, except a character that is not whole yet.
    fn pass_text(&mut self, length: usize, pass: &mut impl FnMut(String)) {
        let whole = length - cut_short(&self.buffer[..length]);
        if whole > 0 {
            pass(String::from_utf8_lossy(&self.buffer[..whole]).into_owned());
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
            marked.read(&mut chunk, |text| all.push_str(&text));
            marked.release(|text| all.push_str(&text));
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
        marked.read(&mut &b"before\0\x01t:1\x01\0after"[..], |text| {
            all.push_str(&text)
        });
        assert_eq!((all.as_str(), marked.mark()), ("before", 1));
        marked.release(|text| all.push_str(&text));
        assert_eq!(all, "beforeafter");
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
