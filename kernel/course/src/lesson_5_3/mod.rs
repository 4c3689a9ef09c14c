//! Lesson 5.3, Advanced Kafka Concepts: its labs, pictures and exercises.
//!
//! - [`joins`]: E5, two joins row by row; [`join_record`]: their records and the script;
//!   [`join_strip`](mod@join_strip): picture P5

pub mod join_record;
pub mod join_strip;
pub mod joins;

mod join_ways;

pub use join_record::{JoinRecord, JoinRow, Lane, join_script};
pub use join_strip::join_strip;
pub use joins::check_5_3_e5;
