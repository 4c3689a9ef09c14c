//! Data sets and files as frames.
//!
//! Small integers come as i32 and categories as text, so that every expression works on them.

mod csv;

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use polars::prelude::*;
use polars_io::SerReader;
use polars_io::parquet::read::ParquetReader;

use crate::record::decode::{Decoder, Rejected};
use crate::{Error, Result, name};

/// Names the environment variable that holds the folder of the data sets.
pub const ENV: &str = "HEADWATER_DATASETS";

/// A frame from a file, with the lines of it that were no rows.
pub(crate) struct Loaded {
    pub frame: DataFrame,
    pub rejected: Vec<Rejected>,
    pub rejected_count: u64,
}

/// Returns the data set `name` as a frame, in the order of its file.
///
/// The data sets are looked for in the folder that `HEADWATER_DATASETS` names, else in `datasets`
/// here or in any folder above.
///
/// # Errors
/// When there is no such data set; the message lists those that are there.
///
/// # Example
/// ```
/// let airlines = headwater_streams::dataset("airlines")?;
/// assert_eq!(airlines.shape(), (16, 2));
/// # Ok::<(), headwater_streams::Error>(())
/// ```
pub fn dataset(name: &str) -> Result<DataFrame> {
    Ok(parquet(&find(name)?)?.frame)
}

/// Finds the file of a data set.
pub(crate) fn find(name: &str) -> Result<PathBuf> {
    let Some(folder) = folder() else {
        return Err(Error::missing_data(format!("no data set `{name}`"))
            .have("no folder `datasets` here or above")
            .hint(format!(
                "set {ENV} to the folder of the data sets, or Replay::parquet(\"path\")?"
            )));
    };
    let file = folder.join(name).join(format!("{name}.parquet"));
    if file.is_file() {
        return Ok(file);
    }
    let names = names(&folder);
    let there = if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    };
    let hint = name::nearest(name, names.iter().map(String::as_str))
        .map(|near| format!("Replay::dataset(\"{near}\")?"));
    Err(Error::missing_data(format!("no data set `{name}`"))
        .have(format!("{there} (in {})", folder.display()))
        .hint(hint.unwrap_or_else(|| "one of these names, or Replay::parquet(\"path\")?".into())))
}

/// Reads a Parquet file.
pub(crate) fn parquet(path: &Path) -> Result<Loaded> {
    let unreadable = |cause: PolarsError| {
        Error::new(format!(
            "{} is not a Parquet file that can be read",
            path.display()
        ))
        .have(cause.to_string())
        .caused_by(cause)
    };
    let mut reader = ParquetReader::new(open(path)?);
    let mut metadata = reader.get_metadata().map_err(unreadable)?.as_ref().clone();
    // Without the writer's own schema, categories are plain text, which needs no further dtype.
    metadata.key_value_metadata = None;
    let mut reader = ParquetReader::new(open(path)?);
    reader.set_metadata(Arc::new(metadata));
    let frame = reader.finish().map_err(unreadable)?;
    Ok(Loaded {
        frame: plain(frame)?,
        rejected: Vec::new(),
        rejected_count: 0,
    })
}

/// Reads a CSV file with a header line; lines that do not parse are counted with their number.
pub(crate) fn csv(path: &Path) -> Result<Loaded> {
    csv::read(path, BufReader::new(open(path)?))
}

/// Reads a file with one JSON object a line; lines that are none are counted with their number.
pub(crate) fn json_lines(path: &Path) -> Result<Loaded> {
    let mut decoder = Decoder::default();
    for (line, text) in BufReader::new(open(path)?).split(b'\n').enumerate() {
        let text = text.map_err(|cause| unreadable(path, cause))?;
        if !text.trim_ascii().is_empty() {
            decoder.push(&text, None, || {
                format!("{} line {}", path.display(), line + 1)
            });
        }
    }
    finish(decoder, path)
}

/// Ends the reading of a text file; a file without any row is an error.
fn finish(mut decoder: Decoder, path: &Path) -> Result<Loaded> {
    let rejected = decoder.rejected().to_vec();
    let frame = decoder.take()?;
    if frame.height() == 0 {
        let first = rejected.first().map_or_else(
            || "the file is empty".into(),
            |first| format!("{}: {}", first.place, first.why),
        );
        return Err(Error::missing_data(format!("{} holds no row", path.display())).have(first));
    }
    Ok(Loaded {
        frame,
        rejected_count: decoder.rejected_count(),
        rejected,
    })
}

fn open(path: &Path) -> Result<File> {
    File::open(path).map_err(|cause| {
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let mut there: Vec<String> = std::fs::read_dir(folder)
            .map(|entries| {
                entries
                    .flatten()
                    .map(|entry| entry.file_name().to_string_lossy().into_owned())
                    .collect()
            })
            .unwrap_or_default();
        there.sort();
        let file = path
            .file_name()
            .map(|file| file.to_string_lossy().into_owned())
            .unwrap_or_default();
        let error =
            Error::missing_data(format!("cannot open {}: {}", path.display(), words(&cause)))
                .have(listing(folder, &there))
                .caused_by(cause);
        match name::nearest(&file, there.iter().map(String::as_str)) {
            Some(near) => error.hint(format!("\"{}\"", folder.join(near).display())),
            None => error.hint(
                "a path from the folder the notebook is in, or Replay::dataset(\"flights\")?",
            ),
        }
    })
}

fn listing(folder: &Path, there: &[String]) -> String {
    let shown = there
        .iter()
        .take(12)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    match there.len() {
        0 => format!("nothing in {}", folder.display()),
        1..=12 => format!("{shown} (in {})", folder.display()),
        more => format!("{shown} and {} more (in {})", more - 12, folder.display()),
    }
}

fn words(cause: &std::io::Error) -> String {
    match cause.kind() {
        std::io::ErrorKind::NotFound => "it is not there".into(),
        std::io::ErrorKind::PermissionDenied => "reading it is not permitted".into(),
        _ => cause.to_string(),
    }
}

fn unreadable(path: &Path, cause: std::io::Error) -> Error {
    Error::new(format!("cannot read {}", path.display()))
        .have(cause.to_string())
        .caused_by(cause)
}

/// Returns the folder of the data sets.
fn folder() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os(ENV).filter(|folder| !folder.is_empty()) {
        return Some(folder.into());
    }
    let here = std::env::current_dir().ok()?;
    here.ancestors()
        .map(|folder| folder.join("datasets"))
        .find(|folder| folder.is_dir())
}

fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| folder.join(name).join(format!("{name}.parquet")).is_file())
        .collect();
    names.sort();
    names
}

/// Turns 8 and 16 bit integers into i32.
fn plain(mut frame: DataFrame) -> Result<DataFrame> {
    let small: Vec<PlSmallStr> = frame
        .schema()
        .iter()
        .filter(|(_, dtype)| {
            matches!(
                dtype,
                DataType::Int8 | DataType::Int16 | DataType::UInt8 | DataType::UInt16
            )
        })
        .map(|(name, _)| name.clone())
        .collect();
    for name in small {
        let wide = frame.column(&name)?.cast(&DataType::Int32)?;
        frame.with_column(wide)?;
    }
    Ok(frame)
}
