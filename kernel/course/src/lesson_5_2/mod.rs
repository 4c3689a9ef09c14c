//! Lesson 5.2, Apache Kafka Fundamentals: its labs, pictures and exercises.
//!
//! - [`lab_producer`]: a real producer with the settings that you give it, and its delivery reports
//! - [`lab_consumer`]: a real consumer, poll by poll
//! - [`tape`]: picture P1, a topic as tapes
//! - [`stage`]: demo D5, three nodes, their in-sync set and what becomes of records
//! - [`consumer_loop`]: E3, a loop that loses nothing; [`mock_consumer`]: what it runs on

pub mod consumer_loop;
pub mod lab_consumer;
pub mod lab_producer;
pub mod mock_consumer;
pub mod stage;
pub mod tape;

mod delivery;
mod gauges;
mod loop_ways;
mod stage_nodes;
mod stage_picture;

use headwater_streams::display;
use headwater_streams::frame::Bundle;

pub use consumer_loop::check_5_2_e3;
pub use gauges::gauge_readings;
pub use lab_consumer::LabConsumer;
pub use lab_producer::LabProducer;
pub use mock_consumer::{Ahead, Killed, MockConsumer, MockSink, Polled};
pub use stage::Stage;
pub use tape::Tape;

/// Shows a line of text as the value of a cell.
pub(crate) fn show_text(text: &str) {
    display::result(Bundle::from([("text/plain".into(), text.to_owned())]));
}
