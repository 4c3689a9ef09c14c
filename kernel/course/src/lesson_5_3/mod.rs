//! Lesson 5.3, Advanced Kafka Concepts: its labs, pictures and exercises.
//!
//! - [`group_lab`]: demo D1, one group twice, under an eager and a cooperative assignor; `member`: a
//!   member of it; `ownership`: picture P1, who owned which partition when
//! - [`crash_grid`]: demo D3, losses and doubles by policy of commit and place of the crash
//! - [`till`]: demo D5, producers with one transactional id, and what two kinds of readers see
//! - [`joins`]: E5, two joins row by row; [`join_record`]: their records and the script;
//!   [`join_strip`](mod@join_strip): picture P5

pub mod crash_grid;
pub mod group_lab;
pub mod join_record;
pub mod join_strip;
pub mod joins;
pub mod till;

mod join_ways;
mod member;
mod ownership;

pub use crash_grid::crash_matrix;
pub use group_lab::GroupLab;
pub use join_record::{JoinRecord, JoinRow, Lane, join_script};
pub use join_strip::join_strip;
pub use joins::check_5_3_e5;
pub use till::{Till, both_readers};
