//! The checks that a process can be asked for, by the ids of their exercises.

use std::mem::transmute;

use crate::learner::Learner;
use crate::lesson_5_1::buffer::{self, Policy};
use crate::lesson_5_1::engines::{self, Output, Reading};
use crate::lesson_5_1::models::{self, Model, Reason};
use crate::lesson_5_1::once::{self, ProcessorTest};
use crate::lesson_5_1::trace::{self, TraceStats, Trip};
use crate::lesson_5_1::use_cases::UseCase;
use crate::lesson_5_1::window_starts;
use crate::lesson_5_2::consumer_loop;
use crate::lesson_5_3::joins;
use crate::lesson_5_4::{
    checkpoint, health, incremental, output_modes, polars_windows, watermark_ledger,
};
use crate::lesson_5_5::monitor;
use crate::lesson_5_6::retry;
use crate::lesson_5_7::join_tests;
use crate::lesson_5_8::capacity;

/// Runs a check of the functions at these addresses.
pub(super) type Entry = fn(&Learner, &[*const ()]);

/// Reads the functions of an exercise as what they are.
///
/// The addresses come from the check of that very exercise, in a process of this program: there
/// they were functions of these types, from an object compiled against the same library.
macro_rules! functions {
    ($functions:ident: $($type:ty),+) => {{
        let mut all = $functions.iter();
        // SAFETY: see above; a missing one would be a null pointer, and is a panic instead.
        ($(unsafe { transmute::<*const (), $type>(*all.next().expect("one address a function")) },)+)
    }};
}

/// Returns the check of an exercise.
pub(super) fn find(id: &str) -> Option<Entry> {
    Some(match id {
        "5.1 E1" => |learner, all| {
            let (stats,) = functions!(all: fn(&[Trip]) -> TraceStats);
            trace::check_for(learner, stats);
        },
        "5.1 E2" => |learner, all| {
            let (record, batch, window) = functions!(all:
                fn(&[Reading]) -> Vec<Output>,
                fn(&[Reading], usize, i64) -> Vec<Output>,
                fn(&[Reading], i64) -> Vec<Output>);
            engines::check_for(learner, record, batch, window);
        },
        "5.1 E3" => |learner, all| {
            let (tumbling, hopping) =
                functions!(all: fn(i64, i64, i64) -> i64, fn(i64, i64, i64) -> Vec<i64>);
            window_starts::check_for(learner, tumbling, hopping);
        },
        "5.1 E4" => |learner, all| {
            let (block, newest, oldest, sample) = functions!(all: Policy, Policy, Policy, Policy);
            buffer::check_for(learner, [block, newest, oldest, sample], 1);
        },
        "5.1 E5" => |learner, all| {
            let (fails, restart, small) =
                functions!(all: ProcessorTest, ProcessorTest, ProcessorTest);
            once::check_for(learner, [fails, restart, small]);
        },
        "5.1 E6" => |learner, all| {
            let (pick,) = functions!(all: fn(UseCase) -> (Model, Reason));
            models::check_for(learner, pick);
        },
        "5.2 E3" => |learner, all| {
            let (run,) = functions!(all: consumer_loop::Answer);
            consumer_loop::check_for(learner, run);
        },
        "5.3 E5" => |learner, all| {
            let (table, stream) = functions!(all: joins::TableAnswer, joins::StreamAnswer);
            joins::check_for(learner, table, stream);
        },
        "5.4 E1" => |learner, all| {
            let (tumbling, hopping, session) = functions!(all:
                polars_windows::FixedAnswer,
                polars_windows::FixedAnswer,
                polars_windows::SessionAnswer);
            polars_windows::check_for(learner, tumbling, hopping, session);
        },
        "5.4 E2" => |learner, all| {
            let (ledger,) = functions!(all: watermark_ledger::Answer);
            watermark_ledger::check_for(learner, ledger);
        },
        "5.4 E3" => |learner, all| {
            let (emit, allowed) =
                functions!(all: output_modes::EmitAnswer, output_modes::AllowedAnswer);
            output_modes::check_for(learner, emit, allowed);
        },
        "5.4 E4" => |learner, all| {
            let (step,) = functions!(all: incremental::Answer);
            incremental::check_for(learner, step);
        },
        "5.4 E5" => |learner, all| {
            let (run,) = functions!(all: checkpoint::Answer);
            checkpoint::check_for(learner, run);
        },
        "5.4 E6" => |learner, all| {
            let (diagnose, limit) = functions!(all: health::DiagnoseAnswer, health::LimitAnswer);
            health::check_for(learner, diagnose, limit);
        },
        "5.5 E5" => |learner, all| {
            let (robust_z, cusum, score) =
                functions!(all: monitor::RobustZ, monitor::CusumStep, monitor::ScoreOf);
            monitor::check_for(learner, robust_z, cusum, score);
        },
        "5.6 E4" => |learner, all| {
            let (run, redrive) = functions!(all: retry::RunAnswer, retry::RedriveAnswer);
            retry::check_for(learner, run, redrive);
        },
        "5.7 E2" => |learner, all| {
            let (suite,) = functions!(all: join_tests::Suite);
            join_tests::check_for(learner, suite);
        },
        "5.8 E1" => |learner, all| {
            let (plan,) = functions!(all: capacity::Answer);
            capacity::check_for(learner, plan);
        },
        "probe" => |_, all| {
            let (function,) = functions!(all: fn(usize) -> u64);
            super::run(super::LIMIT, 0, function);
        },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use crate::exercise::ALL;

    #[test]
    fn every_exercise_can_be_checked_in_a_fresh_process() {
        let missing: Vec<&str> = ALL
            .iter()
            .map(|exercise| exercise.id)
            .filter(|id| super::find(id).is_none())
            .collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}
