//! One micro-batch after the other, each exactly once.
//!
//! A batch is planned in the checkpoint, read exactly as planned, processed, written to the sink
//! under its number, and committed in the checkpoint. Whatever is torn down in between, the next
//! start finds either the last whole batch, or the plan of one to do again in the same way.

use std::time::{Duration, Instant, SystemTime};

use polars::prelude::DataFrame;

use super::identity::{begin, check_identity, checked};
use super::progress::{BatchProgress, Took};
use super::{Job, fault};
use crate::checkpoint::{Checkpoint, Committed, Counts, Planned};
use crate::query::Running;
use crate::record::decode::Rejected;
use crate::sink::{Opening, Output, Writer};
use crate::topic::Topic;
use crate::topic::letters::Letters;
use crate::topic::range::{self, Ranges};
use crate::{Error, Result, interrupt};

/// How long a broker may be away before the job gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often a topic without new records is asked whether it is still the same.
const CHECK: Duration = Duration::from_secs(1);

/// A job between two micro-batches.
pub(super) struct Engine {
    name: String,
    topic: Topic,
    topic_id: Option<String>,
    sink: String,
    most: u64,
    checkpoint: Checkpoint,
    running: Running,
    ranges: Ranges,
    letters: Option<Letters>,
    writer: Box<dyn Writer>,
    /// What is in the checkpoint.
    committed: Committed,
    /// A batch that was planned and not finished, from an earlier run.
    planned: Option<Planned>,
    /// Where this run ends, if it does.
    until: Option<Vec<i64>>,
    /// Records rejected in this run before the present batch.
    rejected: u64,
    done: Instant,
    /// When the topic was last asked what it is.
    checked: Instant,
}

/// What one step did.
pub(super) struct Step {
    pub progress: BatchProgress,
    pub late: DataFrame,
}

impl Engine {
    /// Opens the checkpoint and the sink, and goes back to where the last whole batch ended.
    ///
    /// # Errors
    /// When the checkpoint is in use or belongs to another query, sink or topic, when the sink
    /// holds something else, or when records that the job has not read are gone.
    pub fn open(job: &Job, folder: &std::path::Path) -> Result<Engine> {
        let query = &job.query;
        query.check_streaming()?;
        query.check_job()?;
        job.sink.target().check(query)?;
        let topic = query.topic.clone();
        let place = format!("topic {}", topic.name());
        let mut running = query.running(&place);
        let id = checked(&topic, None)?;
        let checkpoint = Checkpoint::open(folder)?;
        let (identity, mut committed) = match (checkpoint.identity()?, checkpoint.committed()?) {
            (Some(identity), Some(committed)) => {
                check_identity(&identity, job, id.as_deref(), folder)?;
                (identity, committed)
            }
            _ => begin(job, &running, id, &checkpoint)?,
        };
        running.clock = committed.clock.clone();
        if let Some(state) = checkpoint.state()? {
            running.load(&state)?;
        }
        // Partitions that were added since begin at their start.
        let partitions = topic.partitions().max(committed.offsets.len());
        committed.offsets.resize(partitions, 0);
        if partitions > topic.partitions() {
            return Err(range::emptied(topic.name()).have(format!(
                "{} partitions, the job has read {partitions}",
                topic.partitions()
            )));
        }
        let mut ranges = Ranges::open(&topic, &committed.offsets, &committed.columns)?;
        let letters = query.open_letters()?;
        if letters.is_some() {
            ranges.letters.keep();
        }
        let planned = checkpoint.planned()?;
        let writer = job.sink.target().open(&Opening {
            job: &identity.job,
            next: committed.batches,
            offsets: &committed.offsets,
            query,
        })?;
        Ok(Engine {
            name: job.name(),
            topic,
            topic_id: identity.topic_id,
            sink: job.sink.target().describe(),
            most: job.most,
            checkpoint,
            running,
            ranges,
            letters,
            writer,
            committed,
            planned,
            until: None,
            rejected: 0,
            done: Instant::now(),
            checked: Instant::now(),
        })
    }

    /// Does the next micro-batch; nothing where there is none to do, or `stop` said so before it
    /// was read.
    pub fn step(&mut self, stop: &dyn Fn() -> bool) -> Result<Option<Step>> {
        let began = Instant::now();
        let Some(planned) = self.plan(stop)? else {
            return Ok(None);
        };
        let mut took = Took {
            plan: began.elapsed(),
            ..Took::default()
        };
        fault::after("planned", planned.batch);
        let rows = timed(&mut took.read, || self.ranges.read(&planned.ends, stop))?;
        let Some(rows) = rows else {
            return Ok(None);
        };
        if planned.ends != self.committed.offsets {
            self.check_topic(stop)?;
        }
        let input_rows = rows.height();
        let emission = timed(&mut took.process, || self.running.push(rows))?;
        fault::after("processed", planned.batch);
        let output = Output {
            batch: planned.batch,
            rows: &emission.rows,
            offsets: &planned.ends,
        };
        timed(&mut took.write, || self.writer.write(&output))?;
        if let Some(letters) = &self.letters {
            letters.send(&self.ranges.letters.take())?;
        }
        fault::after("written", planned.batch);
        let rejected = self.ranges.rejected_count() - self.rejected;
        self.rejected += rejected;
        let counts = &self.committed.counts;
        let committed = Committed {
            batches: planned.batch + 1,
            offsets: planned.ends,
            clock: self.running.clock.clone(),
            columns: self.ranges.settled(),
            counts: Counts {
                input_rows: counts.input_rows + input_rows as u64,
                output_rows: counts.output_rows + emission.rows.height() as u64,
                late_rows: counts.late_rows + emission.late.height() as u64,
                without_time: counts.without_time + emission.without_time as u64,
                duplicates: counts.duplicates + emission.duplicates as u64,
                rejected: counts.rejected + rejected,
            },
        };
        timed(&mut took.commit, || {
            let state = self.running.save()?;
            self.checkpoint.commit(&committed, &state)
        })?;
        fault::after("committed", planned.batch);
        let clock = &self.running.clock;
        let since = std::mem::replace(&mut self.done, Instant::now()).elapsed();
        let progress = BatchProgress {
            job: self.name.clone(),
            batch: planned.batch,
            done_at: SystemTime::now()
                .duration_since(SystemTime::UNIX_EPOCH)
                .map_or(0, |now| now.as_micros() as i64),
            input_rows,
            rejected_rows: rejected as usize,
            input_rows_per_s: rate(input_rows, since),
            processed_rows_per_s: rate(input_rows, took.total()),
            watermark: clock.delay().map(|_| clock.watermark()),
            state_rows: emission.state_rows,
            updated: emission.updated,
            removed: emission.removed,
            dropped_groups: emission.dropped_groups,
            late_rows: emission.late.height(),
            without_time: emission.without_time,
            duplicates: emission.duplicates,
            remembered: self.running.remembered(),
            state_bytes: self.running.state_bytes(),
            sink_rows: emission.rows.height(),
            start_offsets: std::mem::take(&mut self.committed.offsets),
            end_offsets: committed.offsets.clone(),
            took,
            topic: self.topic.name().into(),
            sink: self.sink.clone(),
        };
        self.committed = committed;
        let late = emission.late;
        Ok(Some(Step { progress, late }))
    }

    /// Leaves what comes into the topic from now on to a later run.
    pub fn stop_at_present_end(&mut self) -> Result<()> {
        self.until = Some(self.ranges.ends()?);
        Ok(())
    }

    /// Returns what all batches so far have done, those of earlier runs included.
    pub fn counts(&self) -> Counts {
        self.committed.counts
    }

    /// Returns the offsets up to which everything is done.
    pub fn offsets(&self) -> &[i64] {
        &self.committed.offsets
    }

    pub fn batches(&self) -> u64 {
        self.committed.batches
    }

    /// Returns records of this run that were no rows.
    pub fn rejected(&self) -> &[Rejected] {
        self.ranges.rejected()
    }

    /// Says what the earliest open window waits for.
    pub fn waiting_for(&self) -> Option<String> {
        let clock = &self.running.clock;
        let windower = &self.running.windower;
        windower.waiting_for(clock.coming(), clock.delay().unwrap_or(0))
    }

    /// Returns what the next batch reads, from an earlier run or written down now.
    fn plan(&mut self, stop: &dyn Fn() -> bool) -> Result<Option<Planned>> {
        if let Some(planned) = self.planned.take() {
            return Ok(Some(planned));
        }
        let mut ends = patiently(stop, || self.ranges.ends())?;
        if let Some(until) = &self.until {
            let last = ends.iter_mut().zip(until);
            last.for_each(|(end, until)| *end = (*end).min(*until));
        }
        let ends = limited(&self.committed.offsets, &ends, self.most);
        if ends == self.committed.offsets && !self.running.owes_a_batch() {
            if self.checked.elapsed() > CHECK {
                self.check_topic(stop)?;
            }
            return Ok(None);
        }
        let planned = Planned {
            batch: self.committed.batches,
            ends,
        };
        self.checkpoint.plan(&planned)?;
        Ok(Some(planned))
    }

    /// Says that the topic is another one of the same name, or wider than what the job reads.
    fn check_topic(&mut self, stop: &dyn Fn() -> bool) -> Result<()> {
        self.checked = Instant::now();
        patiently(stop, || checked(&self.topic, self.topic_id.as_deref())).map(drop)
    }
}

/// Calls again for as long as the broker may only be busy or away for a moment. A job that is stopped
/// meanwhile has nothing to complain about.
fn patiently<T>(stop: &dyn Fn() -> bool, mut call: impl FnMut() -> Result<T>) -> Result<T> {
    let limit = Instant::now() + PATIENCE;
    loop {
        match call() {
            Err(error) if (error.is_kafka() || error.is_timed_out()) && Instant::now() < limit => {
                if stop() || interrupt::is_raised() {
                    return Err(Error::interrupted());
                }
                std::thread::sleep(Duration::from_millis(50));
            }
            done => return done,
        }
    }
}

/// Shares `most` records among the partitions by how many each has waiting, so that none runs
/// ahead of the others in event time.
fn limited(starts: &[i64], ends: &[i64], most: u64) -> Vec<i64> {
    let waiting = |(start, end): (&i64, &i64)| (end - start).max(0) as u64;
    let all: u64 = starts.iter().zip(ends).map(waiting).sum();
    if all <= most {
        return ends.to_vec();
    }
    let pairs = starts.iter().zip(ends);
    pairs
        .map(|(start, end)| {
            let waiting = waiting((start, end));
            let share = u128::from(waiting) * u128::from(most) / u128::from(all);
            start + (share as i64).max(i64::from(waiting > 0))
        })
        .collect()
}

fn rate(rows: usize, span: Duration) -> f64 {
    rows as f64 / span.as_secs_f64().max(1e-6)
}

fn timed<T>(span: &mut Duration, act: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let done = act();
    *span = began.elapsed();
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_shared_by_what_waits() {
        assert_eq!(limited(&[0, 0], &[10, 30], 100), [10, 30]);
        assert_eq!(limited(&[0, 0], &[10, 30], 20), [5, 15]);
        assert_eq!(limited(&[5, 7], &[5, 1_000_007], 10), [5, 17]);
        // Every partition with records gets on, however small its share.
        assert_eq!(limited(&[0, 0], &[1, 1_000_000], 10), [1, 9]);
    }
}
