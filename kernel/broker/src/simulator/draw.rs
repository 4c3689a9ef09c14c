//! Scenarios drawn from a seed: short histories that differ in everything that may matter.

use super::dice::Dice;
use super::plan::FaultPlan;
use super::scenario::{Acks, Commit, ConsumerPlan, ProducerPlan, Scenario, TopicPlan};

/// Returns the scenario of a seed.
pub(super) fn scenario(seed: u64, dice: &mut Dice) -> Scenario {
    let nodes = dice.pick(&[1, 3, 3]);
    let mut scenario = Scenario::new(seed).nodes(nodes);
    let partitions = dice.pick(&[1, 1, 2, 3]);
    scenario = scenario.topic(topic("flights", partitions, nodes, dice));
    let exactly_once = dice.chance(25);
    for number in 0..dice.between(1, 2) {
        scenario = scenario.producer(producer(number, exactly_once, dice));
    }
    if exactly_once {
        let partitions = dice.pick(&[1, 2]);
        scenario = scenario.topic(topic("delays", partitions, nodes, dice));
    }
    for consumer in consumers(exactly_once, dice) {
        scenario = scenario.consumer(consumer);
    }
    let faults = FaultPlan::random(&scenario, dice);
    scenario.faults(faults)
}

fn topic(name: &str, partitions: i32, nodes: i32, dice: &mut Dice) -> TopicPlan {
    let plan = TopicPlan::new(name).partitions(partitions);
    if nodes == 1 {
        return plan;
    }
    let (replicas, min_in_sync) = dice.pick(&[(1, 1), (2, 1), (3, 1), (3, 2), (3, 2), (3, 2)]);
    let plan = plan.replicas(replicas, min_in_sync);
    match dice.chance(10) {
        true => plan.unclean(),
        false => plan,
    }
}

fn producer(number: i64, exactly_once: bool, dice: &mut Dice) -> ProducerPlan {
    let records = dice.between(3, 15) as u32;
    let mut producer = ProducerPlan::new(records).batch(dice.between(1, 3) as u32);
    producer.acks = dice.pick(&[Acks::All, Acks::All, Acks::All, Acks::Leader, Acks::None]);
    if exactly_once {
        producer.acks = Acks::All;
    }
    producer.idempotent = exactly_once || producer.acks == Acks::All && dice.chance(70);
    producer.pause_ms = dice.between(0, 30);
    producer.retries = dice.pick(&[30, 30, 1]);
    if producer.idempotent && dice.chance(50) {
        producer = producer.transactional(&format!("writer-{number}"));
    }
    producer
}

/// Returns the consumers of one group, all of one kind.
fn consumers(exactly_once: bool, dice: &mut Dice) -> Vec<ConsumerPlan> {
    let by_hand = !exactly_once && dice.chance(20);
    let mut plan = ConsumerPlan::new("board");
    plan.commit = match exactly_once {
        true => Commit::InTransaction { into: 1 },
        false => dice.pick(&[
            Commit::After,
            Commit::After,
            Commit::Before,
            Commit::Timer(15),
        ]),
    };
    plan.by_hand = by_hand;
    plan.read_committed = exactly_once || dice.chance(70);
    let count = dice.between(1, if by_hand { 1 } else { 3 });
    let each = (0..count).map(|_| {
        let mut plan = plan.clone();
        plan.poll = dice.between(1, 6) as usize;
        plan.process_ms = dice.between(0, 4);
        plan
    });
    each.collect()
}
