//! The course's tests: bundled data, exercises, notebooks.

mod attempts;
mod buffer;
mod bundled_data;
mod drawings;
mod engines;
mod models;
mod notebooks;
mod once;
mod outcomes;
mod trace;
mod window_starts;
mod zoo;
