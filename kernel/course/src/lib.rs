//! The course side of Headwater: what checks a learner's work in a cell.
//!
//! A check takes the learner's functions as arguments and is compiled into the prelude, so a
//! wrong type is a compiler message at the learner's own line, and the test data is not in the
//! notebook. Its answer is an [`Outcome`]: not attempted, not yet, almost or correct.
//!
//! - [`learner`](mod@learner): the code of the person who learns, which seeds the hidden cases
//! - [`drawing`]: a picture with its twin in words
//! - [`exercise`]: what an exercise is: id, points, hints, the question after it
//! - [`generators`]: data that is made, with the truth about it
//! - [`hint`](mod@hint): hints in three steps
//! - [`outcome`]: the four outcomes of a check, and how they show themselves
//! - [`attempt`]: runs a learner's function where neither a panic nor an endless loop does harm
//! - [`progress`](mod@progress): what a learner has done so far, in a file of their own
//! - [`trial`]: compares a function with the right one, case by case, and names a misconception
//! - [`lesson_5_1`]: the exercises of lesson 5.1
//! - [`lesson_5_2`]: the labs, pictures and exercises of lesson 5.2
//! - [`lesson_5_3`]: the labs, pictures and exercises of lesson 5.3
//! - [`lesson_5_4`]: the models, pictures and exercises of lesson 5.4
//! - [`lesson_5_5`]: the demos, pictures and exercises of lesson 5.5
//! - [`lesson_5_6`]: the labs, pictures and exercises of lesson 5.6
//! - [`lesson_5_7`]: the labs, pictures and exercises of lesson 5.7
//! - [`lesson_5_8`]: the labs, pictures and exercises of lesson 5.8
//! - [`zoo`]: wrong solutions, which the checks must catch
//!
//! ```
//! use headwater_course::prelude::*;
//!
//! fn tumbling_start(ts: i64, size: i64, offset: i64) -> i64 {
//!     ts - (ts - offset).rem_euclid(size)
//! }
//!
//! fn hopping_starts(ts: i64, size: i64, advance: i64) -> Vec<i64> {
//!     let newest = ts - ts.rem_euclid(advance);
//!     (0..).map(|step| newest - step * advance).take_while(|start| start + size > ts).collect()
//! }
//!
//! let outcome = check_5_1_e3(tumbling_start, hopping_starts);
//! assert!(outcome.is_correct());
//! assert_eq!(outcome.points(), 15.0);
//! ```

pub mod attempt;
pub mod drawing;
pub mod exercise;
pub mod generators;
pub mod hint;
pub mod learner;
pub mod lesson_5_1;
pub mod lesson_5_2;
pub mod lesson_5_3;
pub mod lesson_5_4;
pub mod lesson_5_5;
pub mod lesson_5_6;
pub mod lesson_5_7;
pub mod lesson_5_8;
pub mod outcome;
pub mod prelude;
pub mod progress;
pub mod trial;
pub mod zoo;

mod bar_picture;
mod canvas;
mod card;
mod client;
mod event_time;
mod random;
mod table_picture;
mod window_picture;

pub use drawing::Drawing;
pub use exercise::Exercise;
pub use generators::Generated;
pub use hint::{Hint, hint};
pub use learner::{Learner, learner};
pub use outcome::{Finding, Outcome, State};
pub use progress::{LearnerProgress, progress};
