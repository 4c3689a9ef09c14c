//! The exercises of lesson 5.8: right answers pass, each wrong one is caught with its hint.

use headwater_course::learner::Learner;
use headwater_course::lesson_5_8::capacity::{RIGHT, check_for};
use headwater_course::lesson_5_8::{CapacityPlan, Req};

use crate::zoo::each_shows_a_picture;

#[test]
fn reference_plan_passes_for_every_learner() {
    for code in ["guest", "ada", "学生", "bo", "a1"] {
        let outcome = check_for(&Learner::of(code), RIGHT);
        assert!(outcome.is_correct(), "{code}: {}", outcome.text());
        assert_eq!(outcome.points(), 25.0);
    }
}

#[test]
fn other_counts_pass_where_they_hold_and_are_not_too_dear() {
    fn generous(req: &Req) -> CapacityPlan {
        let plan = RIGHT(req);
        CapacityPlan {
            partitions: plan.partitions + 7,
            brokers: plan.brokers + 1,
            mean_mb_s: plan.mean_mb_s * 1.015,
            ..plan
        }
    }
    let outcome = check_for(&Learner::of("guest"), generous);
    assert!(outcome.is_correct(), "{}", outcome.text());
}

#[test]
#[allow(clippy::todo)]
fn stub_of_the_plan_is_not_attempted_and_a_panic_is_told() {
    let learner = Learner::of("test");
    let outcome = check_for(&learner, |_| todo!());
    assert!(outcome.is_not_attempted(), "{}", outcome.text());
    let outcome = check_for(&learner, |_| panic!("no disk"));
    assert!(outcome.text().contains("no disk"), "{}", outcome.text());
}

#[test]
fn plan_of_nothing_is_not_yet_right() {
    let outcome = check_for(&Learner::of("test"), |_| CapacityPlan::default());
    assert!(outcome.is_not_yet(), "{}", outcome.text());
}

#[test]
fn wrong_plans_show_paper_and_storm_as_a_picture() {
    each_shows_a_picture("5.8 E1", "on paper and in the storm", usize::MAX);
}
