//! The first cell, run ahead: afterwards compiler, prelude and linker are in memory, and the first
//! cell of a lesson is as fast as the tenth.

use std::path::Path;
use std::sync::Arc;

use super::SetupError;
use crate::evaluate::{Evaluator, Options};

/// What a lesson's first cells do, in small.
const CELL: &str = "let warm = df!(\"flights\" => [1, 2, 3])?; warm.height()";

/// Runs one cell in a kernel of its own.
///
/// # Errors
/// When the cell fails: then no cell would work, and the message says why.
pub fn first_cell(prelude: &Path, control: &str) -> Result<(), SetupError> {
    let workdir = std::env::temp_dir();
    let options = Options {
        prelude: prelude.to_owned(),
        control: Some(control.to_owned()),
        workdir,
        binary: None,
    };
    let mut evaluator = Evaluator::start(options, Arc::new(|_, _| {}))?;
    let ended = evaluator.execute(1, 1, CELL);
    evaluator.shutdown();
    ended.map_err(|failure| {
        SetupError::new(
            "a first cell does not run",
            format!("{}: {}", failure.ename, failure.evalue),
            "headwater doctor",
        )
    })
}
