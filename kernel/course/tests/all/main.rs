//! The course's tests: bundled data, exercises, notebooks.

mod attempts;
mod buffer;
mod bundled_data;
mod drawings;
mod engines;
mod exercises_5_2;
mod exercises_5_3_joins;
mod exercises_5_4;
mod exercises_5_5;
mod exercises_5_6;
mod exercises_5_7;
mod exercises_5_8;
mod generators;
mod labs_5_2;
mod labs_5_3;
mod labs_5_5;
mod labs_5_6;
mod labs_5_7;
mod labs_5_8;
mod models;
mod models_5_4;
mod notebooks;
mod once;
mod outcomes;
mod trace;
mod window_starts;
mod zoo;

/// Before anything else: a process that was started for an attempt makes it, and runs no test.
#[used]
#[unsafe(link_section = ".init_array")]
static SERVE: extern "C" fn() = {
    extern "C" fn serve() {
        headwater_course::attempt::serve_if_asked();
    }
    serve
};
