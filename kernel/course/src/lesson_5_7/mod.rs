//! Lesson 5.7, Integration and Testing: its labs, pictures and exercises.
//!
//! - [`oracle_strip`]: demo D4 and picture P4, the batch answer behind each window of a stream
//! - [`join_tests`]: E2, tests that are tested by faulty joins; [`join_bench`]: the joins

pub mod join_bench;
pub mod join_tests;
pub mod oracle_strip;

pub use join_bench::{JoinBench, JoinUnderTest, Joined};
pub use join_tests::check_5_7_e2;
pub use oracle_strip::{OracleStrip, delayed_readings};
