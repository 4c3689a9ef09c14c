//! The course's tests: bundled data, exercises, notebooks.

mod attempts;
mod bundled_data;
mod notebooks;
mod outcomes;
mod window_starts;
