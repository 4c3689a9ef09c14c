//! The messages between the kernel and the child that runs its cells.
//!
//! The kernel includes this very file (`#[path]`); it depends on serde alone. Messages are framed
//! like those of the display channel.

use serde::{Deserialize, Serialize};

/// Names the environment variable that holds `address/token` of the run channel.
pub const ENV: &str = "HEADWATER_RUN";

/// What the kernel asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Request {
    /// Loads a shared object and calls the function `entry` in it.
    Run {
        cell: u64,
        library: String,
        entry: String,
    },
    /// Drops variables by name.
    Forget { names: Vec<String> },
}

/// What the child answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Reply {
    /// The prelude is loaded; cells may come.
    Ready,
    /// The cell has ended. Its output ends at marker `mark` in stdout and stderr.
    Done { mark: u64, outcome: Outcome },
}

/// How a cell ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    Completed,
    /// A `return` left the cell before its end, so that its new variables were not kept.
    Returned,
    /// A `?` gave an error. `line` counts in the generated source.
    Failed {
        name: String,
        message: String,
        line: u32,
    },
    /// The code panicked.
    Panicked {
        message: String,
        line: u32,
    },
    /// The shared object could not be loaded.
    Unloadable {
        message: String,
    },
}
