//! Lesson 5.6, Stream Processing Patterns: its labs, pictures and exercises.
//!
//! - [`shop`]: demo D2, a shop that has to tell two systems, in the ways of [`order`]; [`outcomes`]: picture P2
//! - [`bad_record`]: demo D4, one bad record under four policies; [`policy_run`]: picture P4
//! - [`hot_key`]: demo D8, readings of which one gauge sends half
//! - [`retry`]: E4, retry topics and dead letters; [`retry_desk`] and [`letter`]: what it runs on;
//!   [`redrive`]: what goes back of the dead letters

pub mod bad_record;
pub mod hot_key;
pub mod letter;
pub mod order;
pub mod outcomes;
pub mod policy_run;
pub mod redrive;
pub mod retry;
pub mod retry_desk;
pub mod shop;

mod retry_ways;
mod shop_database;
mod shop_folder;
mod shop_producer;

use crate::lesson_5_2::show_text;

pub use bad_record::{ErrorPolicy, order_rows};
pub use hot_key::hot_readings;
pub use letter::{Letter, LetterHeaders, LetterTopic, OrderFault};
pub use order::WritePath;
pub use outcomes::Outcomes;
pub use policy_run::{PolicyRun, policy_picture};
pub use retry::check_5_6_e4;
pub use retry_desk::RetryDesk;
pub use shop::Shop;
