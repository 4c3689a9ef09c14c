//! Wrong solutions of lesson 5.6: loops over retry topics, and what goes back of the dead letters.

use std::collections::HashMap;

use super::Specimen;
use crate::lesson_5_2::Killed;
use crate::lesson_5_6::retry::{RIGHT, check_for};
use crate::lesson_5_6::{Letter, LetterTopic, OrderFault, RetryDesk};

use LetterTopic::{Dead, Retry1s, Retry10s, Retry60s};

/// The topics after the first, second, third and fourth failure.
const TIERS: [LetterTopic; 4] = [Retry1s, Retry10s, Retry60s, Dead];

pub(super) const SPECIMENS: &[Specimen] = &[
    Specimen {
        exercise: "5.6 E4",
        name: "retry in place",
        hint: "you wait with the letter in hand",
        check: |learner| check_for(learner, patient, RIGHT.1),
    },
    Specimen {
        exercise: "5.6 E4",
        name: "retry in place until it works",
        hint: "you try until it works",
        check: |learner| check_for(learner, stubborn, RIGHT.1),
    },
    Specimen {
        exercise: "5.6 E4",
        name: "attempt counter in memory",
        hint: "a new process begins at nought",
        check: |learner| check_for(learner, remember, RIGHT.1),
    },
    Specimen {
        exercise: "5.6 E4",
        name: "retry of decoding errors",
        hint: "Permanent errors take no retries",
        check: |learner| check_for(learner, any_error, RIGHT.1),
    },
    Specimen {
        exercise: "5.6 E4",
        name: "dead letter sent, offset not committed",
        hint: "Whatever became of it, commit it",
        check: |learner| check_for(learner, commit_success_only, RIGHT.1),
    },
    Specimen {
        exercise: "5.6 E4",
        name: "offset committed, dead letter sent after it",
        hint: "send first, commit after it",
        check: |learner| check_for(learner, commit_at_once, RIGHT.1),
    },
    Specimen {
        exercise: "5.6 E4",
        name: "retry topics keep order",
        hint: "the next one of the same customer overtakes it",
        check: |learner| check_for(learner, each_for_itself, RIGHT.1),
    },
    Specimen {
        exercise: "5.6 E4",
        name: "time of the last failure",
        hint: "`first_ms` is the time of the *first* failure",
        check: |learner| check_for(learner, newest_time, RIGHT.1),
    },
    Specimen {
        exercise: "5.6 E4",
        name: "dead means gone",
        hint: "it is gone, and nobody will know",
        check: |learner| check_for(learner, log_and_go_on, RIGHT.1),
    },
    Specimen {
        exercise: "5.6 E4",
        name: "retries without end",
        hint: "for ever: the fourth one is a dead letter",
        check: |learner| check_for(learner, hopeful, RIGHT.1),
    },
    Specimen {
        exercise: "5.6 E4",
        name: "redrive everything",
        hint: "A malformed order is no better the second time",
        check: |learner| check_for(learner, RIGHT.0, all_back),
    },
    Specimen {
        exercise: "5.6 E4",
        name: "redrive with the old counter",
        hint: "set `attempt` to 0",
        check: |learner| check_for(learner, RIGHT.0, as_they_are),
    },
    Specimen {
        exercise: "5.6 E4",
        name: "redrive in the order of the dead letters",
        hint: "the order in which letters died",
        check: |learner| check_for(learner, RIGHT.0, as_they_come),
    },
];

fn patient(desk: &mut RetryDesk) -> Result<(), Killed> {
    while let Some(letter) = desk.next_letter()? {
        for pause in [1_000, 10_000, 60_000, 0] {
            match desk.work(&letter)? {
                Ok(()) => break,
                Err(OrderFault::Unreachable) if pause > 0 => desk.wait_ms(pause)?,
                Err(fault) => {
                    let mut dead = letter.clone();
                    dead.headers.attempt += 1;
                    dead.headers.fault = Some(fault);
                    dead.headers.first_ms.get_or_insert(desk.now_ms());
                    desk.send(Dead, dead)?;
                    break;
                }
            }
        }
        desk.commit(&letter)?;
    }
    Ok(())
}

fn stubborn(desk: &mut RetryDesk) -> Result<(), Killed> {
    let mut letter = desk.next_letter()?;
    while let Some(order) = letter {
        match desk.work(&order)? {
            Ok(()) => {
                desk.commit(&order)?;
                letter = desk.next_letter()?;
            }
            Err(_) => {
                desk.wait_ms(1_000)?;
                letter = Some(order);
            }
        }
    }
    Ok(())
}

/// A failed letter as it should be sent on, and the number of its failed tries.
fn after_failure(desk: &RetryDesk, letter: &Letter, fault: OrderFault) -> (Letter, usize) {
    let mut sent = letter.clone();
    sent.headers.attempt += 1;
    sent.headers.fault = Some(fault);
    sent.headers.first_ms.get_or_insert(desk.now_ms());
    let attempt = sent.headers.attempt as usize;
    (sent, attempt)
}

fn remember(desk: &mut RetryDesk) -> Result<(), Killed> {
    let mut failures = HashMap::new();
    while let Some(letter) = desk.next_letter()? {
        if let Some(topic) = desk.earlier(&letter) {
            desk.send(topic, letter.clone())?;
            desk.commit(&letter)?;
            continue;
        }
        if let Err(fault) = desk.work(&letter)? {
            let so_far = failures
                .entry((letter.key, letter.number))
                .or_insert(0usize);
            let (mut sent, _) = after_failure(desk, &letter, fault);
            sent.headers.attempt = *so_far as u32 + 1;
            let topic = match fault {
                OrderFault::Malformed => Dead,
                OrderFault::Unreachable => TIERS[(*so_far).min(3)],
            };
            *so_far += 1;
            desk.send(topic, sent)?;
        }
        desk.commit(&letter)?;
    }
    Ok(())
}

fn any_error(desk: &mut RetryDesk) -> Result<(), Killed> {
    while let Some(letter) = desk.next_letter()? {
        match desk.earlier(&letter) {
            Some(topic) => desk.send(topic, letter.clone())?,
            None => {
                if let Err(fault) = desk.work(&letter)? {
                    let (sent, attempt) = after_failure(desk, &letter, fault);
                    desk.send(TIERS[(attempt - 1).min(3)], sent)?;
                }
            }
        }
        desk.commit(&letter)?;
    }
    Ok(())
}

fn tier(fault: OrderFault, attempt: usize) -> LetterTopic {
    match fault {
        OrderFault::Malformed => Dead,
        OrderFault::Unreachable => TIERS[(attempt - 1).min(3)],
    }
}

fn commit_success_only(desk: &mut RetryDesk) -> Result<(), Killed> {
    while let Some(letter) = desk.next_letter()? {
        if let Some(topic) = desk.earlier(&letter) {
            desk.send(topic, letter.clone())?;
            desk.commit(&letter)?;
            continue;
        }
        match desk.work(&letter)? {
            Ok(()) => desk.commit(&letter)?,
            Err(fault) => {
                let (sent, attempt) = after_failure(desk, &letter, fault);
                desk.send(tier(fault, attempt), sent)?;
            }
        }
    }
    Ok(())
}

fn commit_at_once(desk: &mut RetryDesk) -> Result<(), Killed> {
    while let Some(letter) = desk.next_letter()? {
        desk.commit(&letter)?;
        if let Some(topic) = desk.earlier(&letter) {
            desk.send(topic, letter)?;
        } else if let Err(fault) = desk.work(&letter)? {
            let (sent, attempt) = after_failure(desk, &letter, fault);
            desk.send(tier(fault, attempt), sent)?;
        }
    }
    Ok(())
}

fn each_for_itself(desk: &mut RetryDesk) -> Result<(), Killed> {
    while let Some(letter) = desk.next_letter()? {
        if let Err(fault) = desk.work(&letter)? {
            let (sent, attempt) = after_failure(desk, &letter, fault);
            desk.send(tier(fault, attempt), sent)?;
        }
        desk.commit(&letter)?;
    }
    Ok(())
}

fn newest_time(desk: &mut RetryDesk) -> Result<(), Killed> {
    while let Some(letter) = desk.next_letter()? {
        if let Some(topic) = desk.earlier(&letter) {
            desk.send(topic, letter.clone())?;
        } else if let Err(fault) = desk.work(&letter)? {
            let (mut sent, attempt) = after_failure(desk, &letter, fault);
            sent.headers.first_ms = Some(desk.now_ms());
            desk.send(tier(fault, attempt), sent)?;
        }
        desk.commit(&letter)?;
    }
    Ok(())
}

fn log_and_go_on(desk: &mut RetryDesk) -> Result<(), Killed> {
    while let Some(letter) = desk.next_letter()? {
        if let Some(topic) = desk.earlier(&letter) {
            desk.send(topic, letter.clone())?;
        } else if let Err(fault) = desk.work(&letter)? {
            let (sent, attempt) = after_failure(desk, &letter, fault);
            match tier(fault, attempt) {
                Dead => {}
                topic => desk.send(topic, sent)?,
            }
        }
        desk.commit(&letter)?;
    }
    Ok(())
}

fn hopeful(desk: &mut RetryDesk) -> Result<(), Killed> {
    while let Some(letter) = desk.next_letter()? {
        if let Some(topic) = desk.earlier(&letter) {
            desk.send(topic, letter.clone())?;
        } else if let Err(fault) = desk.work(&letter)? {
            let (sent, attempt) = after_failure(desk, &letter, fault);
            let topic = match fault {
                OrderFault::Malformed => Dead,
                OrderFault::Unreachable => TIERS[(attempt - 1).min(2)],
            };
            desk.send(topic, sent)?;
        }
        desk.commit(&letter)?;
    }
    Ok(())
}

fn all_back(letters: &[Letter]) -> Vec<Letter> {
    let mut back = letters.to_vec();
    back.iter_mut()
        .for_each(|letter| letter.headers.attempt = 0);
    back.sort_by_key(|letter| (letter.headers.partition, letter.headers.offset));
    back
}

fn as_they_are(letters: &[Letter]) -> Vec<Letter> {
    let mut back = letters.to_vec();
    back.retain(|letter| letter.headers.fault != Some(OrderFault::Malformed));
    back.sort_by_key(|letter| (letter.headers.partition, letter.headers.offset));
    back
}

fn as_they_come(letters: &[Letter]) -> Vec<Letter> {
    let mut back = Vec::new();
    for letter in letters {
        if letter.headers.fault == Some(OrderFault::Unreachable) {
            let mut fresh = letter.clone();
            fresh.headers.attempt = 0;
            back.push(fresh);
        }
    }
    back
}
