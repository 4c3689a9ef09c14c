//! Reads one JSON object as pairs of key and cell, without building a map of it.
//!
//! By hand, and not through serde_json, for two reasons: serde_json's default reading of floats
//! may be off in the last digit, so a frame would not come back as it was sent; and borrowed
//! text with the columns in a known order makes this several times faster.

use std::borrow::Cow;

use super::cell::Cell;

/// Calls `pair` for every key and value of the object that `json` is.
///
/// # Errors
/// Says in words why `json` is no object, or what `pair` said.
pub(crate) fn object<'a>(
    json: &'a [u8],
    mut pair: impl FnMut(&str, Cell<'a>) -> Result<(), String>,
) -> Result<(), String> {
    let mut scan = Scan { json, at: 0 };
    scan.expect(b'{')?;
    if scan.peek() != Some(b'}') {
        loop {
            let key = scan.string()?;
            scan.expect(b':')?;
            pair(&key, scan.value()?)?;
            if scan.peek() != Some(b',') {
                break;
            }
            scan.at += 1;
        }
    }
    scan.expect(b'}')?;
    match scan.peek() {
        None => Ok(()),
        Some(_) => Err(scan.wrong("something follows the object")),
    }
}

struct Scan<'a> {
    json: &'a [u8],
    at: usize,
}

impl<'a> Scan<'a> {
    /// Skips white space and returns the next byte.
    fn peek(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.json.get(self.at) {
            self.at += 1;
        }
        self.json.get(self.at).copied()
    }

    fn expect(&mut self, wanted: u8) -> Result<(), String> {
        if self.peek() != Some(wanted) {
            return Err(self.wrong(&format!("expected `{}`", char::from(wanted))));
        }
        self.at += 1;
        Ok(())
    }

    fn value(&mut self) -> Result<Cell<'a>, String> {
        match self.peek() {
            Some(b'"') => self.string().map(Cell::Text),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Cell::Bool(true)),
            Some(b'f') => self.word("false", Cell::Bool(false)),
            Some(b'n') => self.word("null", Cell::Null),
            Some(b'[' | b'{') => self.nested(),
            _ => Err(self.wrong("expected a value")),
        }
    }

    fn word(&mut self, word: &str, cell: Cell<'a>) -> Result<Cell<'a>, String> {
        if !self.json[self.at..].starts_with(word.as_bytes()) {
            return Err(self.wrong(&format!("expected `{word}`")));
        }
        self.at += word.len();
        Ok(cell)
    }

    fn number(&mut self) -> Result<Cell<'a>, String> {
        let rest = &self.json[self.at..];
        let part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
        let length = rest.iter().take_while(|byte| part(byte)).count();
        let text = std::str::from_utf8(&rest[..length]).unwrap_or_default();
        let cell = match text.parse::<i64>() {
            Ok(whole) => Some(Cell::Int(whole)),
            Err(_) => text.parse::<f64>().ok().map(Cell::Float),
        };
        let cell = cell.ok_or_else(|| self.wrong("expected a number"))?;
        self.at += length;
        Ok(cell)
    }

    fn string(&mut self) -> Result<Cow<'a, str>, String> {
        if self.peek() != Some(b'"') {
            return Err(self.wrong("expected text in quotes"));
        }
        let start = self.at + 1;
        let mut end = start;
        let mut escaped = false;
        loop {
            match self.json.get(end) {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    end += 2;
                }
                Some(0..0x20) | None => return Err(self.wrong("text without its closing quote")),
                Some(_) => end += 1,
            }
        }
        let text = if escaped {
            let text = serde_json::from_slice(&self.json[self.at..=end])
                .map_err(|cause| self.wrong(&cause.to_string()))?;
            Cow::Owned(text)
        } else {
            let text = std::str::from_utf8(&self.json[start..end])
                .map_err(|_| self.wrong("text that is not UTF-8"))?;
            Cow::Borrowed(text)
        };
        self.at = end + 1;
        Ok(text)
    }

    /// Takes an array or object as its JSON text.
    fn nested(&mut self) -> Result<Cell<'a>, String> {
        let mut values = serde_json::Deserializer::from_slice(&self.json[self.at..])
            .into_iter::<serde_json::Value>();
        let value = values.next().and_then(Result::ok);
        let length = values.byte_offset();
        let value = value.ok_or_else(|| self.wrong("an array or object that does not end"))?;
        self.at += length;
        Ok(Cell::Text(Cow::Owned(value.to_string())))
    }

    /// Says what is wrong and where, with the beginning of the record.
    fn wrong(&self, what: &str) -> String {
        let start: String = String::from_utf8_lossy(self.json)
            .chars()
            .take(40)
            .collect();
        format!("not a JSON object ({what} at byte {}): {start}", self.at)
    }
}
