//! Wrong solutions of lesson 5.2: consumer loops.

use super::Specimen;
use crate::lesson_5_2::consumer_loop::check_for;
use crate::lesson_5_2::mock_consumer::{Killed, MockConsumer, MockSink};

pub(super) const SPECIMENS: &[Specimen] = &[
    Specimen {
        exercise: "5.2 E3",
        name: "commit before processing",
        hint: "before the sink has it",
        check: |learner| check_for(learner, commit_then_work),
    },
    Specimen {
        exercise: "5.2 E3",
        name: "commit before processing, the whole poll",
        hint: "before the sink has it",
        check: |learner| check_for(learner, commit_poll_then_work),
    },
    Specimen {
        exercise: "5.2 E3",
        name: "commit the last offset",
        hint: "the next one to read",
        check: |learner| check_for(learner, commit_what_was_read),
    },
    Specimen {
        exercise: "5.2 E3",
        name: "one partition failed",
        hint: "refused is behind you",
        check: |learner| check_for(learner, ignore_refusals),
    },
    Specimen {
        exercise: "5.2 E3",
        name: "automatic commit and background work",
        hint: "not what is done",
        check: |learner| check_for(learner, leave_it_to_the_client),
    },
    Specimen {
        exercise: "5.2 E3",
        name: "commit without waiting for the background",
        hint: "Call `flush` before you commit",
        check: |learner| check_for(learner, promise_and_commit),
    },
    Specimen {
        exercise: "5.2 E3",
        name: "commit at the end",
        hint: "commit after each poll",
        check: |learner| check_for(learner, commit_when_done),
    },
    Specimen {
        exercise: "5.2 E3",
        name: "no commit at all",
        hint: "nothing is committed",
        check: |learner| check_for(learner, only_write),
    },
];

/// Record by record, the commit first: "so that nothing is done twice".
fn commit_then_work(consumer: &mut MockConsumer, sink: &mut MockSink) -> Result<(), Killed> {
    let mut records = consumer.poll()?;
    while !records.is_empty() {
        for record in records {
            consumer.commit(record.partition, record.offset + 1)?;
            while !sink.put(&record)? {}
        }
        records = consumer.poll()?;
    }
    Ok(())
}

fn commit_poll_then_work(consumer: &mut MockConsumer, sink: &mut MockSink) -> Result<(), Killed> {
    loop {
        let records = consumer.poll()?;
        for record in &records {
            consumer.commit(record.partition, record.offset + 1)?;
        }
        for record in &records {
            while !sink.put(record)? {}
        }
        if records.is_empty() {
            return Ok(());
        }
    }
}

fn commit_what_was_read(consumer: &mut MockConsumer, sink: &mut MockSink) -> Result<(), Killed> {
    let mut records = consumer.poll()?;
    while !records.is_empty() {
        for record in records {
            while !sink.put(&record)? {}
            consumer.commit(record.partition, record.offset)?;
        }
        records = consumer.poll()?;
    }
    Ok(())
}

fn ignore_refusals(consumer: &mut MockConsumer, sink: &mut MockSink) -> Result<(), Killed> {
    loop {
        let records = consumer.poll()?;
        if records.is_empty() {
            return Ok(());
        }
        for record in &records {
            let _taken = sink.put(record)?;
        }
        for record in &records {
            consumer.commit(record.partition, record.offset + 1)?;
        }
    }
}

fn leave_it_to_the_client(consumer: &mut MockConsumer, sink: &mut MockSink) -> Result<(), Killed> {
    consumer.enable_auto_commit();
    let mut polls = 0;
    loop {
        let records = consumer.poll()?;
        if records.is_empty() {
            break;
        }
        for record in &records {
            sink.put_later(record)?;
        }
        polls += 1;
        if polls % 3 == 0 {
            sink.flush()?;
        }
    }
    sink.flush()
}

fn promise_and_commit(consumer: &mut MockConsumer, sink: &mut MockSink) -> Result<(), Killed> {
    loop {
        let records = consumer.poll()?;
        if records.is_empty() {
            return Ok(());
        }
        for record in &records {
            sink.put_later(record)?;
            consumer.commit(record.partition, record.offset + 1)?;
        }
        sink.flush()?;
    }
}

fn commit_when_done(consumer: &mut MockConsumer, sink: &mut MockSink) -> Result<(), Killed> {
    let mut next = [None; 2];
    loop {
        let records = consumer.poll()?;
        if records.is_empty() {
            break;
        }
        for record in records {
            while !sink.put(&record)? {}
            next[record.partition] = Some(record.offset + 1);
        }
    }
    for (partition, offset) in next.into_iter().enumerate() {
        if let Some(offset) = offset {
            consumer.commit(partition, offset)?;
        }
    }
    Ok(())
}

fn only_write(consumer: &mut MockConsumer, sink: &mut MockSink) -> Result<(), Killed> {
    let mut records = consumer.poll()?;
    while !records.is_empty() {
        for record in records {
            while !sink.put(&record)? {}
        }
        records = consumer.poll()?;
    }
    Ok(())
}
