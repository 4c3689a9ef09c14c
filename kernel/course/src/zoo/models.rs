//! Wrong solutions of 5.1 E6.

use super::Specimen;
use crate::lesson_5_1::models::Model::{self, Batch, MicroBatch, Stream};
use crate::lesson_5_1::models::Reason::{self, Again, Complete, Minutes, Seconds};
use crate::lesson_5_1::models::check_for;
use crate::lesson_5_1::use_cases::UseCase::{self, *};

macro_rules! wrong {
    ($name:literal, $hint:literal, $pick:expr) => {
        Specimen {
            exercise: "5.1 E6",
            name: $name,
            hint: $hint,
            check: |learner| check_for(learner, $pick),
        }
    };
}

pub(super) const SPECIMENS: &[Specimen] = &[
    wrong!(
        "streaming replaces batch",
        "Streaming does not replace batch",
        |_| (Stream, Seconds)
    ),
    wrong!("batch will do", "has been used by day", |_| (
        Batch, Complete
    )),
    wrong!(
        "the middle for everything",
        "the middle for everything",
        |_| (MicroBatch, Minutes)
    ),
    wrong!(
        "real time means fast",
        "a stated bound",
        |case| match case {
            ShopDashboard | SearchIndex => (Stream, Seconds),
            other => right(other),
        }
    ),
    wrong!(
        "bills as they come",
        "costs more than a late one",
        |case| match case {
            AdBilling => (Stream, Seconds),
            other => right(other),
        }
    ),
    wrong!(
        "old data as a stream",
        "A replay of a log is a batch",
        |case| match case {
            RetrainModel | TaxRestated => (Stream, Again),
            other => right(other),
        }
    ),
    wrong!(
        "fraud every minute",
        "somebody is waiting",
        |case| match case {
            CardFraud | GameMatch => (MicroBatch, Minutes),
            other => right(other),
        }
    ),
    wrong!(
        "replay not seen",
        "computed a second time",
        |case| match case {
            RetrainModel | TaxRestated => (Batch, Complete),
            other => right(other),
        }
    ),
    wrong!("dashboard at night", "too seldom", |case| match case {
        ShopDashboard => (Batch, Complete),
        other => right(other),
    }),
];

fn right(case: UseCase) -> (Model, Reason) {
    match case {
        CardFraud | LiftBrake | GameMatch | FloodAlarm => (Stream, Seconds),
        ShopDashboard | SearchIndex | ParcelMap => (MicroBatch, Minutes),
        Payroll | AdBilling | MonthlyReport => (Batch, Complete),
        RetrainModel | TaxRestated => (Batch, Again),
    }
}
