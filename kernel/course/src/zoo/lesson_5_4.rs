//! Wrong solutions of lesson 5.4; each stands beside its exercise.

use super::Specimen;
use crate::lesson_5_4::{
    checkpoint, health, incremental, output_modes, polars_windows, watermark_ledger,
};

macro_rules! wrong {
    ($exercise:literal, $wrong:path, $number:literal, $check:expr) => {
        Specimen {
            exercise: $exercise,
            name: $wrong[$number].0,
            hint: $wrong[$number].1,
            check: $check,
        }
    };
}

pub(super) const SPECIMENS: &[Specimen] = &[
    wrong!("5.4 E2", watermark_ledger::WRONG, 0, |learner| {
        watermark_ledger::check_for(learner, watermark_ledger::WRONG[0].2)
    }),
    wrong!("5.4 E2", watermark_ledger::WRONG, 1, |learner| {
        watermark_ledger::check_for(learner, watermark_ledger::WRONG[1].2)
    }),
    wrong!("5.4 E2", watermark_ledger::WRONG, 2, |learner| {
        watermark_ledger::check_for(learner, watermark_ledger::WRONG[2].2)
    }),
    wrong!("5.4 E2", watermark_ledger::WRONG, 3, |learner| {
        watermark_ledger::check_for(learner, watermark_ledger::WRONG[3].2)
    }),
    wrong!("5.4 E2", watermark_ledger::WRONG, 4, |learner| {
        watermark_ledger::check_for(learner, watermark_ledger::WRONG[4].2)
    }),
    wrong!("5.4 E2", watermark_ledger::WRONG, 5, |learner| {
        watermark_ledger::check_for(learner, watermark_ledger::WRONG[5].2)
    }),
    wrong!("5.4 E2", watermark_ledger::WRONG, 6, |learner| {
        watermark_ledger::check_for(learner, watermark_ledger::WRONG[6].2)
    }),
    wrong!("5.4 E3", output_modes::WRONG_EMIT, 0, |learner| {
        output_modes::check_for(
            learner,
            output_modes::WRONG_EMIT[0].2,
            output_modes::right_answers().1,
        )
    }),
    wrong!("5.4 E3", output_modes::WRONG_EMIT, 1, |learner| {
        output_modes::check_for(
            learner,
            output_modes::WRONG_EMIT[1].2,
            output_modes::right_answers().1,
        )
    }),
    wrong!("5.4 E3", output_modes::WRONG_EMIT, 2, |learner| {
        output_modes::check_for(
            learner,
            output_modes::WRONG_EMIT[2].2,
            output_modes::right_answers().1,
        )
    }),
    wrong!("5.4 E3", output_modes::WRONG_EMIT, 3, |learner| {
        output_modes::check_for(
            learner,
            output_modes::WRONG_EMIT[3].2,
            output_modes::right_answers().1,
        )
    }),
    wrong!("5.4 E3", output_modes::WRONG_EMIT, 4, |learner| {
        output_modes::check_for(
            learner,
            output_modes::WRONG_EMIT[4].2,
            output_modes::right_answers().1,
        )
    }),
    wrong!("5.4 E3", output_modes::WRONG_EMIT, 5, |learner| {
        output_modes::check_for(
            learner,
            output_modes::WRONG_EMIT[5].2,
            output_modes::right_answers().1,
        )
    }),
    wrong!("5.4 E3", output_modes::WRONG_ALLOWED, 0, |learner| {
        output_modes::check_for(
            learner,
            output_modes::right_answers().0,
            output_modes::WRONG_ALLOWED[0].2,
        )
    }),
    wrong!("5.4 E3", output_modes::WRONG_ALLOWED, 1, |learner| {
        output_modes::check_for(
            learner,
            output_modes::right_answers().0,
            output_modes::WRONG_ALLOWED[1].2,
        )
    }),
    wrong!("5.4 E3", output_modes::WRONG_ALLOWED, 2, |learner| {
        output_modes::check_for(
            learner,
            output_modes::right_answers().0,
            output_modes::WRONG_ALLOWED[2].2,
        )
    }),
    wrong!("5.4 E3", output_modes::WRONG_ALLOWED, 3, |learner| {
        output_modes::check_for(
            learner,
            output_modes::right_answers().0,
            output_modes::WRONG_ALLOWED[3].2,
        )
    }),
    wrong!("5.4 E6", health::WRONG_DIAGNOSE, 0, |learner| {
        health::check_for(
            learner,
            health::WRONG_DIAGNOSE[0].2,
            health::right_answers().1,
        )
    }),
    wrong!("5.4 E6", health::WRONG_DIAGNOSE, 1, |learner| {
        health::check_for(
            learner,
            health::WRONG_DIAGNOSE[1].2,
            health::right_answers().1,
        )
    }),
    wrong!("5.4 E6", health::WRONG_DIAGNOSE, 2, |learner| {
        health::check_for(
            learner,
            health::WRONG_DIAGNOSE[2].2,
            health::right_answers().1,
        )
    }),
    wrong!("5.4 E6", health::WRONG_DIAGNOSE, 3, |learner| {
        health::check_for(
            learner,
            health::WRONG_DIAGNOSE[3].2,
            health::right_answers().1,
        )
    }),
    wrong!("5.4 E6", health::WRONG_DIAGNOSE, 4, |learner| {
        health::check_for(
            learner,
            health::WRONG_DIAGNOSE[4].2,
            health::right_answers().1,
        )
    }),
    wrong!("5.4 E6", health::WRONG_LIMIT, 0, |learner| {
        health::check_for(learner, health::right_answers().0, health::WRONG_LIMIT[0].2)
    }),
    wrong!("5.4 E6", health::WRONG_LIMIT, 1, |learner| {
        health::check_for(learner, health::right_answers().0, health::WRONG_LIMIT[1].2)
    }),
    wrong!("5.4 E6", health::WRONG_LIMIT, 2, |learner| {
        health::check_for(learner, health::right_answers().0, health::WRONG_LIMIT[2].2)
    }),
    wrong!("5.4 E6", health::WRONG_LIMIT, 3, |learner| {
        health::check_for(learner, health::right_answers().0, health::WRONG_LIMIT[3].2)
    }),
    wrong!("5.4 E5", checkpoint::WRONG, 0, |learner| {
        checkpoint::check_for(learner, checkpoint::WRONG[0].2)
    }),
    wrong!("5.4 E5", checkpoint::WRONG, 1, |learner| {
        checkpoint::check_for(learner, checkpoint::WRONG[1].2)
    }),
    wrong!("5.4 E5", checkpoint::WRONG, 2, |learner| {
        checkpoint::check_for(learner, checkpoint::WRONG[2].2)
    }),
    wrong!("5.4 E5", checkpoint::WRONG, 3, |learner| {
        checkpoint::check_for(learner, checkpoint::WRONG[3].2)
    }),
    wrong!("5.4 E5", checkpoint::WRONG, 4, |learner| {
        checkpoint::check_for(learner, checkpoint::WRONG[4].2)
    }),
    wrong!("5.4 E5", checkpoint::WRONG, 5, |learner| {
        checkpoint::check_for(learner, checkpoint::WRONG[5].2)
    }),
    wrong!("5.4 E1", polars_windows::WRONG_TUMBLING, 0, |learner| {
        polars_windows::check_for(
            learner,
            polars_windows::WRONG_TUMBLING[0].2,
            polars_windows::right_answers().1,
            polars_windows::right_answers().2,
        )
    }),
    wrong!("5.4 E1", polars_windows::WRONG_TUMBLING, 1, |learner| {
        polars_windows::check_for(
            learner,
            polars_windows::WRONG_TUMBLING[1].2,
            polars_windows::right_answers().1,
            polars_windows::right_answers().2,
        )
    }),
    wrong!("5.4 E1", polars_windows::WRONG_TUMBLING, 2, |learner| {
        polars_windows::check_for(
            learner,
            polars_windows::WRONG_TUMBLING[2].2,
            polars_windows::right_answers().1,
            polars_windows::right_answers().2,
        )
    }),
    wrong!("5.4 E1", polars_windows::WRONG_TUMBLING, 3, |learner| {
        polars_windows::check_for(
            learner,
            polars_windows::WRONG_TUMBLING[3].2,
            polars_windows::right_answers().1,
            polars_windows::right_answers().2,
        )
    }),
    wrong!("5.4 E1", polars_windows::WRONG_HOPPING, 0, |learner| {
        polars_windows::check_for(
            learner,
            polars_windows::right_answers().0,
            polars_windows::WRONG_HOPPING[0].2,
            polars_windows::right_answers().2,
        )
    }),
    wrong!("5.4 E1", polars_windows::WRONG_HOPPING, 1, |learner| {
        polars_windows::check_for(
            learner,
            polars_windows::right_answers().0,
            polars_windows::WRONG_HOPPING[1].2,
            polars_windows::right_answers().2,
        )
    }),
    wrong!("5.4 E1", polars_windows::WRONG_HOPPING, 2, |learner| {
        polars_windows::check_for(
            learner,
            polars_windows::right_answers().0,
            polars_windows::WRONG_HOPPING[2].2,
            polars_windows::right_answers().2,
        )
    }),
    wrong!("5.4 E1", polars_windows::WRONG_HOPPING, 3, |learner| {
        polars_windows::check_for(
            learner,
            polars_windows::right_answers().0,
            polars_windows::WRONG_HOPPING[3].2,
            polars_windows::right_answers().2,
        )
    }),
    wrong!("5.4 E1", polars_windows::WRONG_SESSION, 0, |learner| {
        polars_windows::check_for(
            learner,
            polars_windows::right_answers().0,
            polars_windows::right_answers().1,
            polars_windows::WRONG_SESSION[0].2,
        )
    }),
    wrong!("5.4 E1", polars_windows::WRONG_SESSION, 1, |learner| {
        polars_windows::check_for(
            learner,
            polars_windows::right_answers().0,
            polars_windows::right_answers().1,
            polars_windows::WRONG_SESSION[1].2,
        )
    }),
    wrong!("5.4 E4", incremental::WRONG, 0, |learner| {
        incremental::check_for(learner, incremental::WRONG[0].2)
    }),
    wrong!("5.4 E4", incremental::WRONG, 1, |learner| {
        incremental::check_for(learner, incremental::WRONG[1].2)
    }),
    wrong!("5.4 E4", incremental::WRONG, 2, |learner| {
        incremental::check_for(learner, incremental::WRONG[2].2)
    }),
    wrong!("5.4 E4", incremental::WRONG, 3, |learner| {
        incremental::check_for(learner, incremental::WRONG[3].2)
    }),
    wrong!("5.4 E4", incremental::WRONG, 4, |learner| {
        incremental::check_for(learner, incremental::WRONG[4].2)
    }),
];
