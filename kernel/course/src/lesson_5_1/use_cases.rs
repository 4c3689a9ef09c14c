//! The twelve cases of exercise 5.1 E6, their answers, and what people believe who answer otherwise.

use serde::{Deserialize, Serialize};

use super::models::Model::{self, Batch, MicroBatch, Stream};
use super::models::Reason::{self, Again, Complete, Minutes, Seconds};

/// A model and what decides for it.
pub(super) type Answer = (Model, Reason);

/// Something that somebody wants to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum UseCase {
    CardFraud,
    Payroll,
    LiftBrake,
    AdBilling,
    FloodAlarm,
    MonthlyReport,
    ShopDashboard,
    SearchIndex,
    RetrainModel,
    TaxRestated,
    ParcelMap,
    GameMatch,
}

use UseCase::{
    AdBilling, CardFraud, FloodAlarm, GameMatch, LiftBrake, MonthlyReport, ParcelMap, Payroll,
    RetrainModel, SearchIndex, ShopDashboard, TaxRestated,
};

impl UseCase {
    /// Every case, in the order of the lesson's table.
    pub const ALL: [UseCase; 12] = [
        CardFraud,
        Payroll,
        LiftBrake,
        AdBilling,
        FloodAlarm,
        MonthlyReport,
        ShopDashboard,
        SearchIndex,
        RetrainModel,
        TaxRestated,
        ParcelMap,
        GameMatch,
    ];

    /// Returns what is wanted, and by when.
    pub fn budget(self) -> &'static str {
        match self {
            CardFraud => "a stolen card is refused while its user waits at the till",
            Payroll => "wages are paid on the 28th, and each must be right",
            LiftBrake => "a lift stops when its brake runs hot",
            AdBilling => "advertisers get one bill a month, and check every click on it",
            FloodAlarm => "people downstream are warned; the river takes an hour to them",
            MonthlyReport => "the board compares this month with the one before",
            ShopDashboard => "a screen in the shop shows the last quarter of an hour",
            SearchIndex => "a new article can be found within five minutes",
            RetrainModel => "a model of taste is trained on two years of clicks, with new features",
            TaxRestated => "a tax rule changes backwards; last year is booked anew",
            ParcelMap => "a van moves on a map; a minute late is fine, a second is nicer",
            GameMatch => "two players who wait are matched before they leave",
        }
    }

    /// The same in three words, for a picture.
    pub(super) fn short(self) -> &'static str {
        match self {
            CardFraud => "while a user waits",
            Payroll => "every wage right",
            LiftBrake => "stop before harm",
            AdBilling => "a bill that is checked",
            FloodAlarm => "an hour to warn",
            MonthlyReport => "the whole month",
            ShopDashboard => "last 15 minutes",
            SearchIndex => "found in 5 minutes",
            RetrainModel => "two years, anew",
            TaxRestated => "last year, anew",
            ParcelMap => "a minute is fine",
            GameMatch => "while players wait",
        }
    }

    pub(super) fn accepts(self, answer: Answer) -> bool {
        let (right, other) = match self {
            CardFraud | LiftBrake | GameMatch => ((Stream, Seconds), None),
            ShopDashboard | SearchIndex => ((MicroBatch, Minutes), None),
            FloodAlarm | ParcelMap => ((MicroBatch, Minutes), Some((Stream, Seconds))),
            Payroll | AdBilling | MonthlyReport => ((Batch, Complete), None),
            RetrainModel | TaxRestated => ((Batch, Again), None),
        };
        answer == right || Some(answer) == other
    }
}

/// Returns what those probably believe who give this wrong answer.
pub(super) fn hint(
    picks: &[(UseCase, Answer)],
    case: UseCase,
    answer: Answer,
) -> Option<&'static str> {
    let all = |model| picks.len() > 3 && picks.iter().all(|(_, (picked, _))| *picked == model);
    let (model, reason) = answer;
    let is_right_model = [Seconds, Minutes, Complete, Again]
        .iter()
        .any(|other| case.accepts((model, *other)));
    Some(match model {
        Stream if all(Stream) => {
            "you stream everything. Streaming does not replace batch: what is read once a month gains nothing from an \
             answer every second, and a complete answer has to wait for its last record anyway"
        }
        Batch if all(Batch) => {
            "you compute everything now and then. A stolen card that is found at night has been used by day"
        }
        MicroBatch if all(MicroBatch) => {
            "you take the middle for everything. It is too slow where somebody waits, and it gives out parts where only \
             the whole counts"
        }
        _ if is_right_model && matches!((case, reason), (RetrainModel | TaxRestated, Complete)) => {
            "the model fits, the reason does not: this is computed a second time, from records that were used before. So \
             they must have been kept, which is what a log is for"
        }
        _ if is_right_model && reason == Again => {
            "the model fits, the reason does not: nothing old is computed anew here. It waits because a partial answer \
             would cost more than a late one"
        }
        _ if is_right_model => {
            "the model fits, the reason does not. What happens if the answer comes a minute later, and what if \
                                it is wrong?"
        }
        Stream if case.accepts((MicroBatch, Minutes)) => {
            "minutes are soon enough here, so an answer per event is paid for and not looked at. \"Real time\" means a \
             stated bound, not as fast as possible"
        }
        Stream | MicroBatch if case.accepts((Batch, Complete)) => {
            "an answer before the last record is wrong here, and a wrong one costs more than a late one"
        }
        Batch | MicroBatch
            if case.accepts((Stream, Seconds)) && !case.accepts((MicroBatch, Minutes)) =>
        {
            "somebody is waiting at this very moment, and after some seconds the answer is of no use"
        }
        Stream | MicroBatch if case.accepts((Batch, Again)) => {
            "the data is old and all of it is there. A replay of a log is a batch"
        }
        _ => "that is too seldom: the answer would be older than the bound that was promised",
    })
}
