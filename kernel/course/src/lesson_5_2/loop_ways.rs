//! The wrong consumer loops that people often write, as exercise E3 recognises them.

use super::consumer_loop::{Consumed, History, live_through};
use super::mock_consumer::{Killed, MockConsumer, MockSink, Polled};
use crate::trial::Misconception;

/// Hands records over until the sink has them.
fn put_all(records: &[Polled], sink: &mut MockSink) -> Result<(), Killed> {
    for record in records {
        while !sink.put(record)? {}
    }
    Ok(())
}

/// Commits each partition of a batch, so far behind its last record as `behind` says.
fn commit_all(records: &[Polled], behind: i64, consumer: &mut MockConsumer) -> Result<(), Killed> {
    for partition in 0..2 {
        let last = records.iter().rfind(|it| it.partition == partition);
        if let Some(last) = last {
            consumer.commit(partition, last.offset + behind)?;
        }
    }
    Ok(())
}

/// The right answer: the sink first, then the next offset of each partition.
pub(super) fn right_answer(consumer: &mut MockConsumer, sink: &mut MockSink) -> Result<(), Killed> {
    loop {
        let records = consumer.poll()?;
        if records.is_empty() {
            return Ok(());
        }
        put_all(&records, sink)?;
        commit_all(&records, 1, consumer)?;
    }
}

fn commit_first(consumer: &mut MockConsumer, sink: &mut MockSink) -> Result<(), Killed> {
    loop {
        let records = consumer.poll()?;
        if records.is_empty() {
            return Ok(());
        }
        commit_all(&records, 1, consumer)?;
        put_all(&records, sink)?;
    }
}

fn last_read(consumer: &mut MockConsumer, sink: &mut MockSink) -> Result<(), Killed> {
    loop {
        let records = consumer.poll()?;
        if records.is_empty() {
            return Ok(());
        }
        put_all(&records, sink)?;
        commit_all(&records, 0, consumer)?;
    }
}

fn whole_poll(consumer: &mut MockConsumer, sink: &mut MockSink) -> Result<(), Killed> {
    loop {
        let records = consumer.poll()?;
        if records.is_empty() {
            return Ok(());
        }
        for record in &records {
            sink.put(record)?;
        }
        commit_all(&records, 1, consumer)?;
    }
}

fn automatic(consumer: &mut MockConsumer, sink: &mut MockSink) -> Result<(), Killed> {
    consumer.enable_auto_commit();
    loop {
        let records = consumer.poll()?;
        if records.is_empty() {
            return sink.flush();
        }
        for record in &records {
            sink.put_later(record)?;
        }
    }
}

fn not_flushed(consumer: &mut MockConsumer, sink: &mut MockSink) -> Result<(), Killed> {
    loop {
        let records = consumer.poll()?;
        if records.is_empty() {
            return sink.flush();
        }
        for record in &records {
            sink.put_later(record)?;
        }
        commit_all(&records, 1, consumer)?;
    }
}

fn at_the_end(consumer: &mut MockConsumer, sink: &mut MockSink) -> Result<(), Killed> {
    let mut all = Vec::new();
    loop {
        let records = consumer.poll()?;
        if records.is_empty() {
            return commit_all(&all, 1, consumer);
        }
        put_all(&records, sink)?;
        all.extend(records);
    }
}

fn never(consumer: &mut MockConsumer, sink: &mut MockSink) -> Result<(), Killed> {
    loop {
        let records = consumer.poll()?;
        if records.is_empty() {
            return Ok(());
        }
        put_all(&records, sink)?;
    }
}

pub(super) const MISCONCEPTIONS: &[Misconception<History, Consumed>] = &[
    Misconception {
        name: "commit before processing",
        wrong: |history| live_through(history, commit_first),
        hint: "you commit a record before the sink has it. If the process dies in between, the next one starts behind the \
               record, and nobody reads it again",
    },
    Misconception {
        name: "commit the last record read",
        wrong: |history| live_through(history, last_read),
        hint: "the committed offset is not the last record that was read but the next one to read: commit its offset + 1. \
               As it is, each new process does the last record of every partition again",
    },
    Misconception {
        name: "commit the poll although one partition failed",
        wrong: |history| live_through(history, whole_poll),
        hint: "`put` may say no, and you commit the whole poll all the same. A record that the sink refused is behind you \
               then: try it again until it is taken, or do not commit its partition",
    },
    Misconception {
        name: "automatic commit with work in the background",
        wrong: |history| live_through(history, automatic),
        hint: "the automatic commit knows what was polled, not what is done. Records that wait in the background count as \
               done at the next poll, and a crash loses them",
    },
    Misconception {
        name: "commit while the background still works",
        wrong: |history| live_through(history, not_flushed),
        hint: "`put_later` only promises. Call `flush` before you commit: until then the records are in the memory of a \
               process that may die",
    },
    Misconception {
        name: "commit at the end only",
        wrong: |history| live_through(history, at_the_end),
        hint: "you commit once, at the end. A process that dies before has committed nothing, and the next one does \
               everything again: commit after each poll",
    },
    Misconception {
        name: "no commit",
        wrong: |history| live_through(history, never),
        hint: "nothing is committed: the sink has every record, and each new process begins at the first one again",
    },
];
