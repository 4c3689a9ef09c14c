//! The exercises of lesson 5.2: right answers pass, each wrong one is caught with its hint.

use headwater_course::Outcome;
use headwater_course::learner::Learner;
use headwater_course::lesson_5_2::consumer_loop::{self, check_for};
use headwater_course::lesson_5_2::{Killed, MockConsumer, MockSink};
use headwater_course::zoo;

use crate::zoo::each_shows_a_picture;

const CODES: [&str; 3] = ["guest", "ada", "学生"];

#[track_caller]
fn passes(check: impl Fn(&Learner) -> Outcome) {
    for code in CODES {
        let outcome = check(&Learner::of(code));
        assert!(outcome.is_correct(), "{code}: {}", outcome.text());
        assert_eq!(outcome.points(), 20.0);
    }
}

#[test]
fn loop_with_the_sink_first_passes() {
    passes(|learner| check_for(learner, consumer_loop::RIGHT));
}

#[test]
fn loop_that_commits_each_record_passes() {
    passes(|learner| {
        check_for(learner, |consumer, sink| {
            loop {
                let records = consumer.poll()?;
                if records.is_empty() {
                    return Ok(());
                }
                for record in &records {
                    while !sink.put(record)? {}
                    consumer.commit(record.partition, record.offset + 1)?;
                }
            }
        })
    });
}

#[test]
fn automatic_commit_passes_where_nothing_works_in_the_background() {
    passes(|learner| {
        check_for(learner, |consumer, sink| {
            consumer.enable_auto_commit();
            loop {
                let records = consumer.poll()?;
                if records.is_empty() {
                    return Ok(());
                }
                for record in &records {
                    while !sink.put(record)? {}
                }
            }
        })
    });
}

#[test]
fn background_work_passes_where_it_is_flushed_before_the_commit() {
    passes(|learner| {
        check_for(learner, |consumer, sink| {
            loop {
                let records = consumer.poll()?;
                if records.is_empty() {
                    return Ok(());
                }
                for record in &records {
                    sink.put_later(record)?;
                }
                sink.flush()?;
                for record in &records {
                    consumer.commit(record.partition, record.offset + 1)?;
                }
            }
        })
    });
}

#[test]
#[allow(clippy::todo)]
fn stub_of_the_loop_is_not_attempted() {
    let outcome = check_for(&Learner::of("test"), |_, _| todo!());
    assert!(outcome.is_not_attempted(), "{}", outcome.text());
}

#[test]
fn loop_that_never_ends_is_stopped_by_the_time_limit() {
    fn endless(consumer: &mut MockConsumer, _: &mut MockSink) -> Result<(), Killed> {
        while consumer.poll().is_ok() {}
        loop {
            std::hint::spin_loop();
        }
    }
    let outcome = check_for(&Learner::of("test"), endless);
    assert!(outcome.text().contains("time limit"), "{}", outcome.text());
}

#[test]
fn wrong_loops_show_what_is_left_as_a_picture() {
    each_shows_a_picture("5.2 E3", "What is left", 12_000);
}

#[test]
fn commit_at_the_end_is_almost_right() {
    let specimen = zoo::all().find(|specimen| specimen.name == "commit at the end");
    let outcome = (specimen.expect("it is there").check)(&Learner::of("guest"));
    assert!(outcome.is_almost(), "{}", outcome.text());
    assert!(
        outcome.text().contains("a new process repeats at most"),
        "{}",
        outcome.text()
    );
}
