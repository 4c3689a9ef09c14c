//! The right loop of exercise E4, and loops that people often write instead.

use std::collections::BTreeMap;

use super::letter::{Letter, LetterHeaders, LetterTopic, OrderFault, topic_after};
use super::retry::{Handled, History, live_through};
use super::retry_desk::RetryDesk;
use crate::lesson_5_2::Killed;
use crate::trial::Misconception;

use LetterTopic::{Dead, Retry60s};

fn failed(letter: &Letter, fault: OrderFault, now_ms: i64) -> Letter {
    let had = letter.headers;
    Letter {
        headers: LetterHeaders {
            attempt: had.attempt + 1,
            fault: Some(fault),
            first_ms: had.first_ms.or(Some(now_ms)),
            ..had
        },
        ..letter.clone()
    }
}

/// Sends a letter that follows an earlier one, and says whether it did.
fn follows(desk: &mut RetryDesk, letter: &Letter) -> Result<bool, Killed> {
    let earlier = desk.earlier(letter);
    if let Some(topic) = earlier {
        desk.send(topic, letter.clone())?;
    }
    Ok(earlier.is_some())
}

/// The right answer.
pub(super) fn right_answer(desk: &mut RetryDesk) -> Result<(), Killed> {
    while let Some(letter) = desk.next_letter()? {
        if !follows(desk, &letter)?
            && let Err(fault) = desk.work(&letter)?
        {
            let sent = failed(&letter, fault, desk.now_ms());
            desk.send(topic_after(sent.headers.attempt, fault), sent)?;
        }
        desk.commit(&letter)?;
    }
    Ok(())
}

fn in_place(desk: &mut RetryDesk) -> Result<(), Killed> {
    while let Some(letter) = desk.next_letter()? {
        let mut delays = [1_000, 10_000, 60_000].into_iter();
        while let Err(fault) = desk.work(&letter)? {
            match delays.next().filter(|_| fault != OrderFault::Malformed) {
                Some(delay) => desk.wait_ms(delay)?,
                None => {
                    desk.send(Dead, failed(&letter, fault, desk.now_ms()))?;
                    break;
                }
            }
        }
        desk.commit(&letter)?;
    }
    Ok(())
}

fn in_place_for_ever(desk: &mut RetryDesk) -> Result<(), Killed> {
    while let Some(letter) = desk.next_letter()? {
        while desk.work(&letter)?.is_err() {
            desk.wait_ms(1_000)?;
        }
        desk.commit(&letter)?;
    }
    Ok(())
}

fn in_memory(desk: &mut RetryDesk) -> Result<(), Killed> {
    let mut tries: BTreeMap<(char, u32), u32> = BTreeMap::new();
    while let Some(letter) = desk.next_letter()? {
        if !follows(desk, &letter)?
            && let Err(fault) = desk.work(&letter)?
        {
            let attempt = tries.entry((letter.key, letter.number)).or_default();
            *attempt += 1;
            let mut sent = failed(&letter, fault, desk.now_ms());
            sent.headers.attempt = *attempt;
            desk.send(topic_after(*attempt, fault), sent)?;
        }
        desk.commit(&letter)?;
    }
    Ok(())
}

fn everything(desk: &mut RetryDesk) -> Result<(), Killed> {
    while let Some(letter) = desk.next_letter()? {
        if !follows(desk, &letter)?
            && let Err(fault) = desk.work(&letter)?
        {
            let sent = failed(&letter, fault, desk.now_ms());
            let topic = topic_after(sent.headers.attempt, OrderFault::Unreachable);
            desk.send(topic, sent)?;
        }
        desk.commit(&letter)?;
    }
    Ok(())
}

fn never_commits_failures(desk: &mut RetryDesk) -> Result<(), Killed> {
    while let Some(letter) = desk.next_letter()? {
        if follows(desk, &letter)? {
            continue;
        }
        match desk.work(&letter)? {
            Ok(()) => desk.commit(&letter)?,
            Err(fault) => {
                let sent = failed(&letter, fault, desk.now_ms());
                desk.send(topic_after(sent.headers.attempt, fault), sent)?;
            }
        }
    }
    Ok(())
}

fn commits_first(desk: &mut RetryDesk) -> Result<(), Killed> {
    while let Some(letter) = desk.next_letter()? {
        if follows(desk, &letter)? {
            desk.commit(&letter)?;
            continue;
        }
        let worked = desk.work(&letter)?;
        desk.commit(&letter)?;
        if let Err(fault) = worked {
            let sent = failed(&letter, fault, desk.now_ms());
            desk.send(topic_after(sent.headers.attempt, fault), sent)?;
        }
    }
    Ok(())
}

fn overtakes(desk: &mut RetryDesk) -> Result<(), Killed> {
    while let Some(letter) = desk.next_letter()? {
        if let Err(fault) = desk.work(&letter)? {
            let sent = failed(&letter, fault, desk.now_ms());
            desk.send(topic_after(sent.headers.attempt, fault), sent)?;
        }
        desk.commit(&letter)?;
    }
    Ok(())
}

fn last_hop(desk: &mut RetryDesk) -> Result<(), Killed> {
    while let Some(letter) = desk.next_letter()? {
        if !follows(desk, &letter)?
            && let Err(fault) = desk.work(&letter)?
        {
            let mut sent = failed(&letter, fault, desk.now_ms());
            sent.headers.first_ms = Some(desk.now_ms());
            desk.send(topic_after(sent.headers.attempt, fault), sent)?;
        }
        desk.commit(&letter)?;
    }
    Ok(())
}

fn drops(desk: &mut RetryDesk) -> Result<(), Killed> {
    while let Some(letter) = desk.next_letter()? {
        if !follows(desk, &letter)?
            && let Err(fault) = desk.work(&letter)?
        {
            let sent = failed(&letter, fault, desk.now_ms());
            let topic = topic_after(sent.headers.attempt, fault);
            if topic != Dead {
                desk.send(topic, sent)?;
            }
        }
        desk.commit(&letter)?;
    }
    Ok(())
}

fn for_ever(desk: &mut RetryDesk) -> Result<(), Killed> {
    while let Some(letter) = desk.next_letter()? {
        if !follows(desk, &letter)?
            && let Err(fault) = desk.work(&letter)?
        {
            let sent = failed(&letter, fault, desk.now_ms());
            let topic = match topic_after(sent.headers.attempt, fault) {
                Dead if fault == OrderFault::Unreachable => Retry60s,
                topic => topic,
            };
            desk.send(topic, sent)?;
        }
        desk.commit(&letter)?;
    }
    Ok(())
}

pub(super) const MISCONCEPTIONS: &[Misconception<History, Handled>] = &[
    Misconception {
        name: "retry in place",
        wrong: |history| live_through(history, in_place),
        hint: "you wait with the letter in hand. Everything behind it on its partition waits too, customers whose orders \
               are in perfect health included: send it to a retry topic, and go on",
    },
    Misconception {
        name: "retry in place, for ever",
        wrong: |history| live_through(history, in_place_for_ever),
        hint: "you try until it works, with the letter in hand. A malformed order never will, and nothing behind it is \
               ever dealt with: send it to the dead letters, others to a retry topic, and go on",
    },
    Misconception {
        name: "attempt counter in memory",
        wrong: |history| live_through(history, in_memory),
        hint: "your count of tries is in a variable, and a new process begins at nought. Take it from the header \
               `attempt`, which travels with the letter",
    },
    Misconception {
        name: "retry everything",
        wrong: |history| live_through(history, everything),
        hint: "a malformed order will be malformed in a second, in ten and in a minute. Permanent errors take no retries: \
               to the dead letters with it, at the first try",
    },
    Misconception {
        name: "sent and not committed",
        wrong: |history| live_through(history, never_commits_failures),
        hint: "the letter is sent on, and its offset is not committed: the next process reads it again and sends it once \
               more. Whatever became of it, commit it",
    },
    Misconception {
        name: "committed before sent",
        wrong: |history| live_through(history, commits_first),
        hint: "you commit, and send after it. If the process dies in between, the letter is in no topic and behind every \
               reader: send first, commit after it",
    },
    Misconception {
        name: "retry topics keep order",
        wrong: |history| live_through(history, overtakes),
        hint: "while one order of a customer waits for its retry, the next one of the same customer overtakes it. Ask \
               `earlier` before you work, and send the letter behind the one that waits",
    },
    Misconception {
        name: "headers of the last hop",
        wrong: |history| live_through(history, last_hop),
        hint: "headers tell of the whole way: `first_ms` is the time of the *first* failure, and partition and offset are \
               those in the topic of orders. Whoever searches for the cause starts there",
    },
    Misconception {
        name: "given up without a dead letter",
        wrong: |history| live_through(history, drops),
        hint: "the letter is committed and is in no topic: it is gone, and nobody will know. What you give up belongs to \
               the dead letters",
    },
    Misconception {
        name: "never given up",
        wrong: |history| live_through(history, for_ever),
        hint: "after the fourth failure you try once more. A service that is away for good keeps such letters on their \
               round for ever: the fourth one is a dead letter",
    },
];
