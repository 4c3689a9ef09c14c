//! Planted crashes: a process that dies exactly between two steps of a micro-batch.

/// Names the environment variable with a step and a batch number, for instance `written:3`: the
/// process aborts after that step of that batch. Steps: `planned`, `processed`, `written`,
/// `committed`. For tests of what a restart makes of it.
pub const ENV: &str = "HEADWATER_JOB_FAULT";

/// Aborts the process if this is the step and batch that [`ENV`] names.
pub(super) fn after(step: &str, batch: u64) {
    let Ok(wanted) = std::env::var(ENV) else {
        return;
    };
    if wanted.split_once(':') == Some((step, &batch.to_string())) {
        eprintln!("{ENV}={wanted}: this process ends here");
        std::process::abort();
    }
}
