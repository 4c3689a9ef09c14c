//! Dead letters: records that were no rows, kept in a topic of their own.
//!
//! A letter is the record as it was, key and bytes, with headers that say where it came from and why it
//! was refused; they are those of Kafka Connect
//! ([KIP-298](https://cwiki.apache.org/confluence/display/KAFKA/KIP-298%3A+Error+Handling+in+Connect)).

use rdkafka::message::{Header, OwnedHeaders};

use super::reader::Record;
use super::{Sender, Topic};
use crate::{Error, Result};

/// A record that was no row.
pub(crate) struct Letter {
    partition: i32,
    offset: i64,
    time_ms: Option<i64>,
    key: Option<Vec<u8>>,
    payload: Vec<u8>,
    why: String,
}

/// The letters of a reader that wait to be sent, where somebody wants them.
#[derive(Default)]
pub(crate) struct Kept(Option<Vec<Letter>>);

/// Sends letters to a topic.
pub(crate) struct Letters {
    sender: Sender,
    /// The topic that they come from.
    from: String,
}

impl Letter {
    fn of(record: &Record<'_>, why: &str) -> Letter {
        Letter {
            partition: record.partition,
            offset: record.offset,
            time_ms: record.time_ms,
            key: record.key.map(<[u8]>::to_vec),
            payload: record.payload.unwrap_or_default().to_vec(),
            why: why.into(),
        }
    }
}

impl Kept {
    /// Keeps what is no row from now on, until it is taken.
    pub fn keep(&mut self) {
        self.0.get_or_insert_default();
    }

    /// Returns whether somebody wants letters.
    pub fn is_wanted(&self) -> bool {
        self.0.is_some()
    }

    /// Keeps a record that was no row.
    pub fn add(&mut self, record: &Record<'_>, why: &str) {
        if let Some(letters) = &mut self.0 {
            letters.push(Letter::of(record, why));
        }
    }

    /// Returns the letters since the last time.
    pub fn take(&mut self) -> Vec<Letter> {
        self.0.as_mut().map(std::mem::take).unwrap_or_default()
    }
}

impl Letters {
    /// Opens the way from one topic to another.
    ///
    /// # Errors
    /// When both are the same: every letter would be a record to refuse again.
    pub fn open(from: &Topic, to: &Topic) -> Result<Letters> {
        if from.name() == to.name() && from.cluster.bootstrap == to.cluster.bootstrap {
            return Err(Error::new("dead letters need a topic of their own")
                .have(format!("topic {} on both sides", to.name()))
                .hint(format!(
                    ".dead_letters(&cluster.topic(\"{}-dead\", partitions(1))?)",
                    from.name()
                )));
        }
        Ok(Letters {
            sender: Sender::new(to)?,
            from: from.name().into(),
        })
    }

    /// Sends letters and waits until the broker has them.
    pub fn send(&self, letters: &[Letter]) -> Result<()> {
        if letters.is_empty() {
            return Ok(());
        }
        for letter in letters {
            let partition = letter.partition.to_string();
            let offset = letter.offset.to_string();
            let headers = [
                ("__connect.errors.topic", self.from.as_str()),
                ("__connect.errors.partition", &partition),
                ("__connect.errors.offset", &offset),
                ("__connect.errors.exception.message", &letter.why),
            ];
            let headers = headers.into_iter().fold(
                OwnedHeaders::new_with_capacity(headers.len()),
                |headers, (key, value)| {
                    headers.insert(Header {
                        key,
                        value: Some(value),
                    })
                },
            );
            let key = letter.key.as_deref();
            self.sender
                .send_with(key, &letter.payload, headers, letter.time_ms)?;
        }
        self.sender.flush()
    }
}
