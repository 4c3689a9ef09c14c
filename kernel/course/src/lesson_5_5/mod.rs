//! Lesson 5.5, Real-Time Analytics: its demos, pictures and exercises.
//!
//! - [`detector`]: demo D4, detectors that see one value at a time; [`board`]: how they do, and
//!   picture P6; `ride`: a real series with faults planted in it
//! - [`honest`]: demo D5 and picture P7, a chart that says what it does not know yet
//! - [`metrics`]: counters and histograms behind an address that Prometheus can scrape; [`scrape`]:
//!   what a scrape says
//! - [`monitor`]: E5, robust z, CUSUM and score

pub mod board;
pub mod detector;
pub mod honest;
pub mod metrics;
pub mod monitor;
pub mod scrape;

mod board_picture;
mod honest_picture;
mod lab_service;
mod metrics_server;
mod monitor_ways;
mod ride;
mod watch;

pub use board::DetectorBoard;
pub use detector::Detector;
pub use honest::HonestChart;
pub use lab_service::LabService;
pub use metrics::Metrics;
pub use metrics_server::MetricsServer;
pub use monitor::check_5_5_e5;
pub use monitor_ways::{Cusum, Score};
pub use ride::PlantedRide;
pub use scrape::{Scrape, scrape};
