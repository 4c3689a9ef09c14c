//! Lesson 5.8, Streaming System Design: its labs, pictures and exercises.
//!
//! - [`requirement`]: demo D1, a wish in numbers; [`flows`]: picture P1, what follows from it
//! - [`storm`]: demo D2 and picture P2, the storm hour
//! - [`capacity`]: E1, a capacity plan; [`plan`]: what it says

pub mod capacity;
pub mod flows;
pub mod plan;
pub mod requirement;
pub mod storm;

mod capacity_ways;

pub use capacity::check_5_8_e1;
pub use flows::flow_picture;
pub use plan::CapacityPlan;
pub use requirement::Req;
pub use storm::StormHour;
