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
    /// Says how results and errors are written from now on.
    Set(Settings),
    /// Sets a variable of the environment.
    Environment { name: String, value: String },
}

/// How results and errors are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    pub result: Format,
    pub error: Format,
    /// Whether the type of a result is shown, too.
    pub types: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            result: Format::Debug,
            error: Format::Display,
            types: false,
        }
    }
}

/// One of the formats of `format!`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Format {
    /// `{}`, for types that are known to have it; else `{:?}`.
    Display,
    /// `{:?}`
    Debug,
    /// `{:#?}`
    Pretty,
}

/// What the child answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Reply {
    /// The prelude is loaded; cells may come.
    Ready,
    /// The cell has ended. Its output ends at marker `mark` in stdout and stderr.
    Done {
        mark: u64,
        outcome: Outcome,
        /// What there is to say about each variable that the cell has kept or put back.
        described: Vec<Described>,
    },
}

/// A variable as its process sees it; the kernel knows name and type besides.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct Described {
    pub name: String,
    /// Bytes in memory, of what it owns too where that is known.
    pub bytes: u64,
    /// Rows and columns of a frame, elements of a list.
    pub shape: Option<String>,
    /// The value, or what it is, in a few words.
    pub summary: Option<String>,
    /// The first and last rows of a frame.
    pub preview: Option<String>,
    /// Name and dtype of each column of a frame.
    pub columns: Vec<(String, String)>,
    /// How many more columns there are than `columns` holds.
    pub more_columns: u64,
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
