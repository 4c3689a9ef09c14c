//! Sources that fill a topic: a folder that grows, rows that are made at a rate, lines over HTTP.

mod feed;
mod folder;
mod generator;
mod http;
mod rows;

pub use feed::{Feed, FeedCounts};
pub use folder::Folder;
pub use generator::Generator;
pub use http::HttpLines;
