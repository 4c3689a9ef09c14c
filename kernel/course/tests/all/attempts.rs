//! What a learner's function can do, and how the attempt ends.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use headwater_course::attempt::{self, Answer, Attempt, End};

const LONG: Duration = Duration::from_secs(60);

/// Makes the calls in a fresh process and in a fork: both have to end in the same way.
fn both(limit: Duration, calls: usize, function: fn(usize) -> u64) -> Attempt<u64> {
    let fresh = attempt::probe(limit, calls, function);
    assert_eq!(attempt::run(limit, calls, function), fresh);
    fresh
}

fn values(attempt: &Attempt<u64>) -> Vec<u64> {
    let value = |answer: &Answer<u64>| match answer {
        Answer::Value(value) => *value,
        Answer::Panicked(message) => panic!("{message}"),
    };
    attempt.answers.iter().map(value).collect()
}

#[test]
fn every_call_is_answered_in_order() {
    let attempt = both(LONG, 1000, |index| index as u64 * 2);
    assert_eq!(attempt.end, End::Finished);
    assert_eq!(
        values(&attempt),
        (0..1000).map(|index| index * 2).collect::<Vec<_>>()
    );
}

#[test]
fn panic_ends_one_call_only() {
    let attempt: Attempt<u64> = both(LONG, 3, |index| {
        if index == 1 {
            panic!("call {index}")
        } else {
            7
        }
    });
    assert_eq!(attempt.end, End::Finished);
    assert_eq!(
        attempt.answers,
        [
            Answer::Value(7),
            Answer::Panicked("call 1".into()),
            Answer::Value(7)
        ]
    );
}

#[test]
fn endless_loop_ends_at_the_limit_and_keeps_earlier_answers() {
    let begun = Instant::now();
    let attempt = both(Duration::from_millis(300), 3, |index| {
        if index == 1 {
            loop {
                std::hint::spin_loop();
            }
        }
        5_u64
    });
    assert_eq!(
        (attempt.end.clone(), values(&attempt)),
        (End::TimeLimit, vec![5])
    );
    assert!(begun.elapsed() >= Duration::from_millis(300));
}

#[test]
fn recursion_without_end_is_told_apart() {
    fn deeper(depth: u64) -> u64 {
        let room = std::hint::black_box([depth; 64]);
        if depth == u64::MAX {
            0
        } else {
            deeper(depth + 1) + room[depth as usize % 64]
        }
    }
    let attempt = both(LONG, 1, |_| deeper(0));
    assert_eq!(
        (attempt.end.clone(), values(&attempt)),
        (End::StackOverflow, vec![])
    );
}

#[test]
fn too_much_memory_is_told_apart() {
    let attempt = both(LONG, 1, |_| {
        let much: Vec<u64> = Vec::with_capacity(std::hint::black_box(1 << 31));
        std::hint::black_box(much).capacity() as u64
    });
    assert_eq!(
        (attempt.end.clone(), values(&attempt)),
        (End::MemoryLimit, vec![])
    );
}

#[test]
fn exit_and_abort_do_not_reach_the_session() {
    let attempt: Attempt<u64> = both(LONG, 1, |_| std::process::exit(3));
    assert_eq!(
        attempt.end,
        End::Died("it ended the process with code 3".into())
    );
    let attempt: Attempt<u64> = both(LONG, 1, |_| std::process::exit(0));
    assert_eq!(attempt.end, End::Died("it ended the process".into()));
    let attempt: Attempt<u64> = both(LONG, 1, |_| std::process::abort());
    assert_eq!(
        attempt.end,
        End::Died("it ended the process with signal 6".into())
    );
}

#[test]
fn printing_does_no_harm() {
    let attempt = both(LONG, 1, |_| {
        for line in 0..1000_u64 {
            println!("a learner looks at line {line}");
            eprintln!("a learner looks at line {line}");
        }
        1
    });
    assert_eq!(
        (attempt.end.clone(), values(&attempt)),
        (End::Finished, vec![1])
    );
}

/// In a process of its own: its panics would be in the way of the tests beside it.
#[test]
fn panics_of_other_threads_do_not_hold_the_fork_up() {
    let run = std::process::Command::new(std::env::current_exe().expect("a path"))
        .args(["--exact", "attempts::forks_among_panics", "--ignored"])
        .output()
        .expect("it runs");
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stdout)
    );
}

#[test]
#[ignore = "run by the test above, in a process of its own"]
fn forks_among_panics() {
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let others: Vec<_> = (0..2)
        .map(|_| {
            let stop = stop.clone();
            std::thread::spawn(move || {
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    let _ = std::panic::catch_unwind(|| panic!("elsewhere"));
                }
            })
        })
        .collect();
    let ends: Vec<End> = (0..40)
        .map(|_| attempt::run(Duration::from_secs(20), 1, |_| 1_u64).end)
        .collect();
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    others.into_iter().for_each(|other| other.join().unwrap());
    assert_eq!(ends, vec![End::Finished; 40]);
}

/// What a session has changed; a fresh process knows nothing of it.
static CHANGED: AtomicU64 = AtomicU64::new(0);

#[test]
fn fresh_process_has_nothing_of_the_session() {
    CHANGED.store(7, Ordering::Relaxed);
    let attempt = attempt::probe(LONG, 2, |index| {
        CHANGED.load(Ordering::Relaxed) + index as u64
    });
    assert_eq!(
        (attempt.end.clone(), values(&attempt)),
        (End::Finished, vec![0, 1])
    );
    let other = attempt::probe(LONG, 1, |_| u64::from(std::process::id()));
    assert_ne!(values(&other), [u64::from(std::process::id())]);
}

#[test]
fn threads_of_a_function_run_in_a_fresh_process() {
    let attempt = attempt::probe(LONG, 1, |index| {
        let threads: Vec<_> = (0..4)
            .map(|add| std::thread::spawn(move || index as u64 + add))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    });
    assert_eq!(
        (attempt.end.clone(), values(&attempt)),
        (End::Finished, vec![6])
    );
}

#[test]
#[expect(clippy::zombie_processes, reason = "ending it is what is tested")]
fn programs_that_a_function_starts_end_with_it() {
    let attempt = attempt::probe(LONG, 1, |_| {
        let sleep = std::process::Command::new("sleep")
            .arg("300")
            .spawn()
            .unwrap();
        u64::from(sleep.id())
    });
    let pid = values(&attempt)[0];
    let is_alive = || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.contains("(sleep)") && !stat.contains(") Z ")
    };
    let deadline = Instant::now() + LONG;
    while is_alive() {
        assert!(Instant::now() < deadline, "{pid} is still there");
        std::thread::yield_now();
    }
}
