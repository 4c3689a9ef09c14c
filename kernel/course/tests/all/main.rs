//! The course's tests: bundled data, exercises, notebooks.

mod attempts;
mod buffer;
mod bundled_data;
mod drawings;
mod engines;
mod exercises_5_4;
mod models;
mod models_5_4;
mod notebooks;
mod once;
mod outcomes;
mod trace;
mod window_starts;
mod zoo;
