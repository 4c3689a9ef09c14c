//! Sources that fill a topic: a folder that grows, and rows that are made at a rate.

mod feed;
mod folder;
mod generator;

pub use feed::{Feed, FeedCounts};
pub use folder::Folder;
pub use generator::Generator;
