//! The exercises of lesson 5.4: right answers pass, each wrong one is caught with its hint.

use headwater_course::Outcome;
use headwater_course::learner::Learner;
use headwater_course::lesson_5_4::{
    checkpoint, health, incremental, output_modes, polars_windows, watermark_ledger,
};

const CODES: [&str; 3] = ["guest", "ada", "学生"];

#[track_caller]
fn caught(name: &str, hint: &str, check: impl Fn(&Learner) -> Outcome) {
    for code in CODES {
        let outcome = check(&Learner::of(code));
        let text = outcome.text();
        assert!(
            !outcome.is_correct() && outcome.points() == 0.0,
            "{name} passes for {code}: {text}"
        );
        let said = outcome.finding().and_then(|finding| finding.hint);
        assert!(
            said.is_some_and(|said| said.contains(hint)),
            "{name}, {code}: no `{hint}` in {text}"
        );
        let picture = outcome
            .finding()
            .and_then(|finding| finding.picture.as_deref());
        assert!(
            picture.is_some_and(|svg| svg.contains("<title>") && svg.len() < 12_000),
            "{name}"
        );
    }
}

#[track_caller]
fn passes(check: impl Fn(&Learner) -> Outcome) {
    for code in CODES {
        let outcome = check(&Learner::of(code));
        assert!(outcome.is_correct(), "{code}: {}", outcome.text());
    }
}

#[test]
fn wrong_ledgers_are_caught_with_their_hint() {
    assert!(watermark_ledger::WRONG.len() >= 4);
    for (name, hint, wrong) in watermark_ledger::WRONG {
        caught(name, hint, |learner| {
            watermark_ledger::check_for(learner, *wrong)
        });
    }
}

#[test]
fn wrong_output_modes_are_caught_with_their_hint() {
    let (emit, allowed) = output_modes::right_answers();
    passes(|learner| output_modes::check_for(learner, emit, allowed));
    assert!(output_modes::WRONG_EMIT.len() >= 4 && output_modes::WRONG_ALLOWED.len() >= 4);
    for (name, hint, wrong) in output_modes::WRONG_EMIT {
        caught(name, hint, |learner| {
            output_modes::check_for(learner, *wrong, allowed)
        });
    }
    for (name, hint, wrong) in output_modes::WRONG_ALLOWED {
        caught(name, hint, |learner| {
            output_modes::check_for(learner, emit, *wrong)
        });
    }
}

#[test]
fn wrong_diagnoses_and_limits_are_caught_with_their_hint() {
    let (diagnose, limit) = health::right_answers();
    passes(|learner| health::check_for(learner, diagnose, limit));
    assert!(health::WRONG_DIAGNOSE.len() >= 4 && health::WRONG_LIMIT.len() >= 4);
    for (name, hint, wrong) in health::WRONG_DIAGNOSE {
        caught(name, hint, |learner| {
            health::check_for(learner, *wrong, limit)
        });
    }
    for (name, hint, wrong) in health::WRONG_LIMIT {
        caught(name, hint, |learner| {
            health::check_for(learner, diagnose, *wrong)
        });
    }
}

#[test]
fn wrong_checkpoints_are_caught_with_their_hint() {
    passes(|learner| checkpoint::check_for(learner, checkpoint::right_answer));
    assert!(checkpoint::WRONG.len() >= 4);
    for (name, hint, wrong) in checkpoint::WRONG {
        caught(name, hint, |learner| checkpoint::check_for(learner, *wrong));
    }
}

#[test]
#[allow(clippy::todo)]
fn stub_of_the_checkpoint_is_not_attempted() {
    let outcome = checkpoint::check_for(&Learner::of("test"), |_, _, _| todo!());
    assert!(outcome.is_not_attempted(), "{}", outcome.text());
}

#[test]
fn wrong_windows_are_caught_with_their_hint() {
    let (tumbling, hopping, session) = polars_windows::right_answers();
    passes(|learner| polars_windows::check_for(learner, tumbling, hopping, session));
    for (name, hint, wrong) in polars_windows::WRONG_TUMBLING {
        caught(name, hint, |learner| {
            polars_windows::check_for(learner, *wrong, hopping, session)
        });
    }
    for (name, hint, wrong) in polars_windows::WRONG_HOPPING {
        caught(name, hint, |learner| {
            polars_windows::check_for(learner, tumbling, *wrong, session)
        });
    }
    for (name, hint, wrong) in polars_windows::WRONG_SESSION {
        caught(name, hint, |learner| {
            polars_windows::check_for(learner, tumbling, hopping, *wrong)
        });
    }
}

#[test]
fn wrong_steps_are_caught_with_their_hint() {
    passes(|learner| incremental::check_for(learner, incremental::right_answer));
    assert!(incremental::WRONG.len() >= 4);
    for (name, hint, wrong) in incremental::WRONG {
        caught(name, hint, |learner| {
            incremental::check_for(learner, *wrong)
        });
    }
}
