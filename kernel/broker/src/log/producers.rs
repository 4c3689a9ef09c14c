//! What a partition remembers of idempotent producers: enough to drop a repeated batch and to
//! refuse a gap (KIP-98, "Idempotent Producer Guarantees").

use std::collections::{HashMap, VecDeque};

use kafka_protocol::ResponseError;

use super::batch::BatchHeader;

/// A retry can only concern one of the last five batches: that many may be in flight.
const REMEMBERED: usize = 5;
/// Kafka's `producer.id.expiration.ms`.
const EXPIRY_MS: i64 = 24 * 60 * 60 * 1000;
/// Above this many, producers that expired are looked for and forgotten.
const SWEEP_ABOVE: usize = 1000;

/// The producers of one partition.
#[derive(Debug, Default)]
pub struct Producers {
    by_id: HashMap<i64, Producer>,
    /// How many there were after the last sweep.
    after_sweep: usize,
}

#[derive(Debug)]
struct Producer {
    epoch: i16,
    batches: VecDeque<Stored>,
    last_seen_ms: i64,
}

#[derive(Debug, Clone, Copy)]
struct Stored {
    first_sequence: i32,
    last_sequence: i32,
    base_offset: i64,
}

/// What to do with a batch that passed the check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Append,
    /// Stored before, at this base offset: answer as then, store nothing.
    Duplicate {
        base_offset: i64,
    },
}

impl Producers {
    /// Returns whether the batch is new, a repetition, or out of line.
    ///
    /// # Errors
    /// `InvalidProducerEpoch` for a producer that a newer epoch fenced off,
    /// `OutOfOrderSequenceNumber` where a batch before this one is missing.
    pub fn check(&self, header: &BatchHeader) -> Result<Verdict, ResponseError> {
        if !header.has_producer() {
            return Ok(Verdict::Append);
        }
        let Some(known) = self.by_id.get(&header.producer_id) else {
            // Unknown here, for instance after its records were deleted: any number may follow.
            return Ok(Verdict::Append);
        };
        if header.producer_epoch < known.epoch {
            return Err(ResponseError::InvalidProducerEpoch);
        }
        if header.producer_epoch > known.epoch {
            return match header.base_sequence {
                0 => Ok(Verdict::Append),
                _ => Err(ResponseError::OutOfOrderSequenceNumber),
            };
        }
        let last_sequence = header.last_sequence();
        let repeated = known.batches.iter().find(|stored| {
            stored.first_sequence == header.base_sequence && stored.last_sequence == last_sequence
        });
        if let Some(stored) = repeated {
            return Ok(Verdict::Duplicate {
                base_offset: stored.base_offset,
            });
        }
        match known.batches.back() {
            Some(last) if next_sequence(last.last_sequence) != header.base_sequence => {
                Err(ResponseError::OutOfOrderSequenceNumber)
            }
            _ => Ok(Verdict::Append),
        }
    }

    /// Notes a batch that was appended at `base_offset`.
    pub fn appended(&mut self, header: &BatchHeader, base_offset: i64, now_ms: i64) {
        if !header.has_producer() {
            return;
        }
        if self.by_id.len() >= SWEEP_ABOVE.max(2 * self.after_sweep) {
            self.by_id
                .retain(|_, producer| now_ms - producer.last_seen_ms < EXPIRY_MS);
            self.after_sweep = self.by_id.len();
        }
        let producer = self.by_id.entry(header.producer_id).or_insert(Producer {
            epoch: header.producer_epoch,
            batches: VecDeque::new(),
            last_seen_ms: now_ms,
        });
        if producer.epoch != header.producer_epoch {
            producer.epoch = header.producer_epoch;
            producer.batches.clear();
        }
        producer.last_seen_ms = now_ms;
        if producer.batches.len() == REMEMBERED {
            producer.batches.pop_front();
        }
        producer.batches.push_back(Stored {
            first_sequence: header.base_sequence,
            last_sequence: header.last_sequence(),
            base_offset,
        });
    }
}

fn next_sequence(sequence: i32) -> i32 {
    if sequence == i32::MAX {
        0
    } else {
        sequence + 1
    }
}
