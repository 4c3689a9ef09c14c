//! What a partition remembers of its producers: enough to drop a repeated batch, to refuse a gap
//! (KIP-98, "Idempotent Producer Guarantees") and to tell an open transaction from an ended one.

use std::collections::{BTreeMap, VecDeque};

use kafka_protocol::ResponseError;

use super::batch::BatchHeader;

/// A retry can only concern one of the last five batches: that many may be in flight.
const REMEMBERED: usize = 5;
/// Kafka's `producer.id.expiration.ms`.
const EXPIRY_MS: i64 = 24 * 60 * 60 * 1000;
/// Above this many, producers that expired are looked for and forgotten.
const SWEEP_ABOVE: usize = 1000;

/// The producers of one partition.
#[derive(Debug, Clone, Default)]
pub struct Producers {
    by_id: BTreeMap<i64, Producer>,
    /// How many there were after the last sweep.
    after_sweep: usize,
}

/// What is known of one producer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Producer {
    pub epoch: i16,
    /// Where its open transaction begins in this partition, if it has one.
    pub open_since: Option<i64>,
    /// The epoch of the coordinator that ended its last transaction, -1 before the first.
    pub coordinator_epoch: i32,
    /// The highest timestamp of its last batch.
    pub last_timestamp: i64,
    /// The last batches of this epoch, oldest first.
    batches: VecDeque<Stored>,
    last_seen_ms: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

impl Producer {
    /// Returns the sequence number of its last record, -1 where none is known.
    pub fn last_sequence(&self) -> i32 {
        self.batches.back().map_or(-1, |last| last.last_sequence)
    }
}

impl Producers {
    pub fn get(&self, id: i64) -> Option<&Producer> {
        self.by_id.get(&id)
    }

    /// Returns all producers, by id.
    pub fn iter(&self) -> impl Iterator<Item = (i64, &Producer)> {
        self.by_id.iter().map(|(id, producer)| (*id, producer))
    }

    /// Returns true where a producer of this epoch has begun a transaction here and not ended it.
    pub fn in_transaction(&self, id: i64, epoch: i16) -> bool {
        let known = self.by_id.get(&id);
        known.is_some_and(|known| known.epoch == epoch && known.open_since.is_some())
    }

    /// Returns whether the batch is new, a repetition, or out of line.
    ///
    /// # Errors
    /// `InvalidProducerEpoch` for a producer that a newer epoch fenced off,
    /// `OutOfOrderSequenceNumber` where a batch before this one is missing, `InvalidTxnState` for
    /// a batch outside of the transaction that its producer has open.
    pub fn check(&self, header: &BatchHeader) -> Result<Verdict, ResponseError> {
        if !header.has_producer() {
            return Ok(Verdict::Append);
        }
        let Some(known) = self.by_id.get(&header.producer_id) else {
            // Unknown here, for instance after its records were deleted: any number may follow.
            // Brokers before 2.5 answered UNKNOWN_PRODUCER_ID.
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
        // A marker may have begun the epoch: then the first batch has number 0.
        if next_sequence(known.last_sequence()) != header.base_sequence {
            return Err(ResponseError::OutOfOrderSequenceNumber);
        }
        if known.open_since.is_some() && !header.is_transactional() {
            return Err(ResponseError::InvalidTxnState);
        }
        Ok(Verdict::Append)
    }

    /// Returns an error where a marker comes from the past.
    ///
    /// # Errors
    /// `InvalidProducerEpoch` where a newer epoch fenced off the producer of the marker,
    /// `TransactionCoordinatorFenced` where a newer coordinator wrote one before.
    pub fn check_marker(
        &self,
        header: &BatchHeader,
        coordinator_epoch: i32,
    ) -> Result<(), ResponseError> {
        match self.by_id.get(&header.producer_id) {
            Some(known) if header.producer_epoch < known.epoch => {
                Err(ResponseError::InvalidProducerEpoch)
            }
            Some(known) if coordinator_epoch < known.coordinator_epoch => {
                Err(ResponseError::TransactionCoordinatorFenced)
            }
            _ => Ok(()),
        }
    }

    /// Returns true for a producer that is not forgotten yet.
    pub fn remembers(&self, producer_id: i64) -> bool {
        self.by_id.contains_key(&producer_id)
    }

    /// Returns the highest id that wrote here.
    pub fn newest_id(&self) -> Option<i64> {
        self.by_id.keys().max().copied()
    }

    /// Notes a batch of records that was appended at `base_offset`. Returns true where it begins
    /// a transaction.
    pub fn appended(&mut self, header: &BatchHeader, base_offset: i64, now_ms: i64) -> bool {
        if !header.has_producer() {
            return false;
        }
        let producer = self.known(header, now_ms);
        if producer.batches.len() == REMEMBERED {
            producer.batches.pop_front();
        }
        producer.batches.push_back(Stored {
            first_sequence: header.base_sequence,
            last_sequence: header.last_sequence(),
            base_offset,
        });
        let begins = header.is_transactional() && producer.open_since.is_none();
        if begins {
            producer.open_since = Some(base_offset);
        }
        begins
    }

    /// Notes a marker and returns where the transaction that it ends began, if there was one.
    pub fn ended(
        &mut self,
        header: &BatchHeader,
        coordinator_epoch: i32,
        now_ms: i64,
    ) -> Option<i64> {
        let producer = self.known(header, now_ms);
        producer.coordinator_epoch = coordinator_epoch;
        producer.open_since.take()
    }

    /// Returns the producer of a batch, in the epoch of the batch.
    fn known(&mut self, header: &BatchHeader, now_ms: i64) -> &mut Producer {
        self.sweep(now_ms);
        let producer = self.by_id.entry(header.producer_id).or_insert(Producer {
            epoch: header.producer_epoch,
            open_since: None,
            coordinator_epoch: -1,
            last_timestamp: -1,
            batches: VecDeque::new(),
            last_seen_ms: now_ms,
        });
        if producer.epoch != header.producer_epoch {
            producer.epoch = header.producer_epoch;
            producer.batches.clear();
        }
        producer.last_seen_ms = now_ms;
        producer.last_timestamp = header.max_timestamp;
        producer
    }

    fn sweep(&mut self, now_ms: i64) {
        if self.by_id.len() < SWEEP_ABOVE.max(2 * self.after_sweep) {
            return;
        }
        self.by_id.retain(|_, producer| {
            producer.open_since.is_some() || now_ms - producer.last_seen_ms < EXPIRY_MS
        });
        self.after_sweep = self.by_id.len();
    }
}

fn next_sequence(sequence: i32) -> i32 {
    if sequence == i32::MAX {
        0
    } else {
        sequence + 1
    }
}
