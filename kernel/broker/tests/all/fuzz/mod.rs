//! Fuzzing, without a nightly compiler: bytes decide everything that happens in a case, so that
//! a failing one is cut down to the fewest bytes that still fail (proptest).
//!
//! The cases are the same in every run, and few. For a long run, with others each time:
//! `HEADWATER_FUZZ_CASES=1000000 cargo test -p headwater-broker --test broker fuzz`.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

mod batches;
mod choices;
mod core;
mod requests;
mod usual;
mod wire;

/// How many cases a long run has.
const CASES: &str = "HEADWATER_FUZZ_CASES";

/// Runs `case` on `few` lists of bytes, or on as many as the environment asks for.
fn run(few: u32, most_bytes: usize, case: impl Fn(Vec<u8>) -> Result<(), TestCaseError>) {
    let asked = std::env::var(CASES).ok();
    let cases = asked.as_ref().map_or(few, |cases| {
        cases
            .parse()
            .unwrap_or_else(|_| panic!("{CASES}={cases} is no number"))
    });
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 20_000,
        ..Config::default()
    };
    let rng = match asked {
        Some(_) => {
            let seed = rand_seed();
            println!("seed {seed:?}");
            TestRng::from_seed(RngAlgorithm::ChaCha, &seed)
        }
        None => TestRng::deterministic_rng(RngAlgorithm::ChaCha),
    };
    let mut runner = TestRunner::new_with_rng(config, rng);
    let bytes = proptest::collection::vec(any::<u8>(), 0..most_bytes);
    runner
        .run(&bytes, case)
        .unwrap_or_else(|failed| panic!("{failed}"));
}

fn rand_seed() -> [u8; 32] {
    let mut seed = [0; 32];
    for half in seed.chunks_mut(16) {
        half.copy_from_slice(headwater_broker::security::users::random_letters(16).as_bytes());
    }
    seed
}
