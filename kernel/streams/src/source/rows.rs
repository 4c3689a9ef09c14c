//! Rows that a source has as JSON text, on their way to a topic of any format.

use serde_json::Value;

use crate::format::Format;
use crate::record::decode::{Decoder, Rejected, SHOWN};
use crate::topic::{Sender, Topic};
use crate::{Error, Result};

/// Sends rows. Where the topic's format has a schema they are collected, and sent together as a frame.
pub(super) struct Rows {
    sender: Sender,
    /// The field that becomes the key.
    key: Option<String>,
    collected: Option<Collected>,
    /// The lines that were no rows since the last time somebody asked.
    rejected: Vec<Rejected>,
    /// Records that were handed to the client since then.
    sent: u64,
}

/// So many rows are collected at most.
const BATCH: usize = 1000;

#[derive(Default)]
struct Collected {
    decoder: Decoder,
    keys: Vec<Option<String>>,
}

impl Rows {
    pub fn open(topic: &Topic, key: Option<&str>) -> Result<Rows> {
        let has_schema = matches!(topic.format(), Format::Avro(_) | Format::Protobuf(_));
        Ok(Rows {
            sender: Sender::new(topic)?,
            key: key.map(String::from),
            collected: has_schema.then(Collected::default),
            rejected: Vec::new(),
            sent: 0,
        })
    }

    /// Sends an object that stands at `place` as a row.
    ///
    /// # Errors
    /// When it lacks the field that is the key.
    pub fn send(&mut self, row: &Value, place: &str) -> Result<()> {
        let key = match &self.key {
            None => None,
            Some(key) => Some(key_of(row, key).ok_or_else(|| {
                Error::new(format!("{place} has no field `{key}` to be its key"))
                    .have(row.to_string())
                    .hint(format!("json!({{\"{key}\": ..}})"))
            })?),
        };
        self.put(&row.to_string(), key, || place.to_owned())
    }

    /// Sends a line as a row. One that is none is rejected.
    pub fn send_line(&mut self, line: &str, place: &str) -> Result<()> {
        let row = serde_json::from_str::<Value>(line);
        let key = match (&self.key, &row) {
            (Some(key), Ok(row)) => key_of(row, key),
            _ => None,
        };
        let why = match row {
            Ok(Value::Object(_)) if self.key.is_none() || key.is_some() => None,
            Ok(Value::Object(_)) => self.key.as_ref().map(|key| format!("no field `{key}`")),
            Ok(_) => Some("not a JSON object".into()),
            Err(cause) => Some(format!("not JSON: {cause}")),
        };
        match why {
            None => self.put(line, key, || place.to_owned()),
            Some(why) => {
                self.reject(place.into(), &why, line.as_bytes());
                Ok(())
            }
        }
    }

    /// Sends a line as it is.
    pub fn send_bytes(&mut self, line: &[u8]) -> Result<()> {
        self.sent += 1;
        self.sender.send(None, line, None, None)
    }

    /// Keeps a line that was no row.
    pub fn reject(&mut self, place: String, why: &str, line: &[u8]) {
        self.rejected.push(Rejected {
            place,
            why: why.into(),
            bytes: line[..line.len().min(SHOWN)].to_vec(),
        });
    }

    /// Sends what was collected.
    pub fn finish_batch(&mut self) -> Result<()> {
        let Some(collected) = self.collected.as_mut().filter(|rows| !rows.keys.is_empty()) else {
            return Ok(());
        };
        let frame = collected.decoder.take()?;
        let writer = self.sender.writer(&frame)?;
        let mut payload = Vec::new();
        for (row, key) in collected.keys.drain(..).enumerate() {
            payload.clear();
            writer.write(row, &mut payload)?;
            let key = key.as_ref().map(String::as_bytes);
            self.sender.send(key, &payload, writer.header(), None)?;
            self.sent += 1;
        }
        Ok(())
    }

    /// Returns how many records were handed to the client since the last time.
    pub fn take_sent(&mut self) -> u64 {
        std::mem::take(&mut self.sent)
    }

    /// Returns the lines that were no rows since the last time.
    pub fn take_rejected(&mut self) -> Vec<Rejected> {
        std::mem::take(&mut self.rejected)
    }

    /// Sends what was collected and waits until the broker has everything.
    pub fn flush(&mut self) -> Result<()> {
        self.finish_batch()?;
        self.sender.flush()
    }

    fn put(&mut self, json: &str, key: Option<String>, place: impl Fn() -> String) -> Result<()> {
        let Some(collected) = &mut self.collected else {
            let key = key.as_ref().map(String::as_bytes);
            self.sent += 1;
            return self.sender.send(key, json.as_bytes(), None, None);
        };
        match collected.decoder.push(json.as_bytes(), None, &place) {
            None => collected.keys.push(key),
            Some(why) => {
                let why = why.to_owned();
                self.reject(place(), &why, json.as_bytes());
            }
        }
        match &self.collected {
            Some(collected) if collected.keys.len() >= BATCH => self.finish_batch(),
            _ => Ok(()),
        }
    }
}

/// Returns a field of an object as the text of a key.
fn key_of(row: &Value, key: &str) -> Option<String> {
    Some(match row.get(key)? {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    })
}
