//! Reads one JSON object as pairs of key and cell, without building a map of it.
//!
//! By hand, and not through serde_json, for two reasons: serde_json's default reading of floats
//! may be off in the last digit, so a frame would not come back as it was sent; and borrowed
//! text with the columns in a known order makes this several times faster.

use std::borrow::Cow;

use memchr::memchr2;

use super::cell::Cell;

/// A JSON object that is read pair by pair.
pub(crate) struct Scan<'a> {
    text: &'a str,
    json: &'a [u8],
    at: usize,
    pairs: usize,
}

/// The key of a pair.
pub(crate) enum Key<'a> {
    /// The one that was expected.
    Expected,
    Other(Cow<'a, str>),
}

impl<'a> Scan<'a> {
    /// Begins to read `json`.
    ///
    /// # Errors
    /// Says in words why `json` is no object.
    pub fn object(json: &'a [u8]) -> Result<Scan<'a>, String> {
        let text = std::str::from_utf8(json);
        let mut scan = Scan {
            text: text.unwrap_or_default(),
            json,
            at: 0,
            pairs: 0,
        };
        if let Err(cause) = text {
            scan.at = cause.valid_up_to();
            return Err(scan.wrong("text that is not UTF-8"));
        }
        scan.expect(b'{')?;
        Ok(scan)
    }

    /// Reads the next key, most likely `expected` (in quotes, with its colon); nothing where the
    /// object ends.
    ///
    /// # Errors
    /// Says in words what stands there instead.
    pub fn key(&mut self, expected: Option<&[u8]>) -> Result<Option<Key<'a>>, String> {
        match (self.peek(), self.pairs) {
            (Some(b'}'), _) => return self.end(),
            (Some(b','), 1..) => self.at += 1,
            (_, 1..) => return Err(self.wrong("expected `}`")),
            _ => {}
        }
        self.pairs += 1;
        if let Some(expected) = expected
            && self.json[self.at..].starts_with(expected)
        {
            self.at += expected.len();
            return Ok(Some(Key::Expected));
        }
        let key = self.string()?;
        self.expect(b':')?;
        Ok(Some(Key::Other(key)))
    }

    fn end(&mut self) -> Result<Option<Key<'a>>, String> {
        self.at += 1;
        match self.peek() {
            None => Ok(None),
            Some(_) => Err(self.wrong("something follows the object")),
        }
    }

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

    /// Reads the value behind a key.
    ///
    /// # Errors
    /// Says in words what stands there instead.
    pub fn value(&mut self) -> Result<Cell<'a>, String> {
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
        if let Some((cell, length)) = super::number::short(rest) {
            self.at += length;
            return Ok(cell);
        }
        let part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
        let length = rest.iter().take_while(|byte| part(byte)).count();
        let text = &self.text[self.at..self.at + length];
        // Rust reads more than JSON allows: 01 and 1. are no numbers there.
        let digits = text.trim_start_matches('-').as_bytes();
        let starts_oddly = digits.len() > 1 && digits[0] == b'0' && digits[1].is_ascii_digit();
        let ends_oddly = text.split(['e', 'E']).any(|part| part.ends_with('.'));
        if starts_oddly || ends_oddly {
            return Err(self.wrong("expected a number"));
        }
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
            let rest = self.json.get(end..).unwrap_or_default();
            let Some(found) = memchr2(b'"', b'\\', rest) else {
                return Err(self.wrong("text without its closing quote"));
            };
            end += found;
            if self.json[end] == b'"' {
                break;
            }
            escaped = true;
            end += 2;
        }
        // Without a way out in the middle, the compiler looks at many bytes at once.
        let least = self.json[start..end]
            .iter()
            .fold(u8::MAX, |least, byte| least.min(*byte));
        if least < 0x20 {
            return Err(self.wrong("text without its closing quote"));
        }
        let text = if escaped {
            let text = serde_json::from_slice(&self.json[self.at..=end])
                .map_err(|cause| self.wrong(&cause.to_string()))?;
            Cow::Owned(text)
        } else {
            Cow::Borrowed(&self.text[start..end])
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
