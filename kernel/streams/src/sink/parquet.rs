//! A folder of Parquet files, one a batch: each is there whole or not at all.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use polars::prelude::*;
use polars_io::parquet::write::ParquetWriter;

use super::marker::{self, Marker};
use super::{Opening, Output, Sink, Target, Writer};
use crate::query::Query;
use crate::window::OutputMode;
use crate::{Error, Result, dataset};

/// The file that says whose results these are; readers of such folders skip names with a dot.
const MARKER: &str = ".headwater-job";

/// How the name of a file begins while it is written.
const UNFINISHED: &str = ".unfinished-";

/// A folder of Parquet files as a sink: one file a batch that gave out rows.
///
/// A file is written under another name, brought to the disk and renamed, so that whoever reads
/// the folder sees whole batches only. For [`OutputMode::Append`]: files are never changed. A job
/// that runs all day makes fewer and larger files with [`Job::every`](crate::Job::every).
///
/// # Example
/// ```no_run
/// use headwater_streams::prelude::*;
/// # fn doc(query: Query) -> headwater_streams::Result<()> {
/// let folder = Parquet::dir("results/trips");
/// query.to(&folder).checkpoint("checkpoints/trips").run_available()?;
/// let windows = folder.read()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Parquet {
    folder: PathBuf,
}

struct Files {
    folder: PathBuf,
}

impl Parquet {
    /// Names the folder; it is made when a job starts.
    pub fn dir(folder: impl AsRef<Path>) -> Parquet {
        Parquet {
            folder: folder.as_ref().to_owned(),
        }
    }

    /// Returns all results in the folder, in the order of the batches: window_start, window_end,
    /// the keys, the aggregates. A frame without columns where there are none yet.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn read(&self) -> Result<DataFrame> {
        let mut whole = DataFrame::empty();
        for (_, path) in self.batches()? {
            crate::window::append(&mut whole, &dataset::parquet(&path)?.frame)?;
        }
        Ok(whole)
    }

    /// Shows the sink as the value of a cell.
    pub fn evcxr_display(&self) {
        crate::display::result(crate::table::text(&self.describe()));
    }

    /// Returns the number and the file of each batch, in order.
    fn batches(&self) -> Result<Vec<(u64, PathBuf)>> {
        let mut batches = Vec::new();
        for path in entries(&self.folder)? {
            let name = path.file_name().and_then(|name| name.to_str());
            let number = name
                .and_then(|name| name.strip_prefix("batch-")?.strip_suffix(".parquet"))
                .and_then(|number| number.parse().ok());
            if let Some(number) = number {
                batches.push((number, path));
            }
        }
        batches.sort();
        Ok(batches)
    }

    fn marker(&self) -> Result<Option<Marker>> {
        let path = self.folder.join(MARKER);
        let newest = self.batches()?.last().map(|(batch, _)| *batch);
        match fs::read_to_string(&path) {
            Ok(job) => Ok(Some(Marker {
                job: job.trim().into(),
                batch: newest,
            })),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(newest.map(|_| Marker {
                job: "without a name".into(),
                batch: newest,
            })),
            Err(cause) => Err(unusable(&path, cause)),
        }
    }
}

impl Target for Parquet {
    fn describe(&self) -> String {
        format!("Parquet folder {}", self.folder.display())
    }

    fn check(&self, query: &Query) -> Result<()> {
        if query.mode() == OutputMode::Append {
            return Ok(());
        }
        Err(
            Error::new("a Parquet folder takes windows that are final: its files never change")
                .have(format!("output {:?}", query.mode()))
                .hint(".output(Append), or .to(Sqlite::file(\"trips.db\")), which replaces rows"),
        )
    }

    fn open(&self, opening: &Opening<'_>) -> Result<Box<dyn Writer>> {
        fs::create_dir_all(&self.folder).map_err(|cause| unusable(&self.folder, cause))?;
        for path in entries(&self.folder)? {
            let name = path.file_name().map(|name| name.to_string_lossy());
            if name.is_some_and(|name| name.starts_with(UNFINISHED)) {
                fs::remove_file(&path).map_err(|cause| unusable(&path, cause))?;
            }
        }
        let found = self.marker()?;
        marker::check(&self.describe(), found.as_ref(), opening)?;
        let files = Files {
            folder: self.folder.clone(),
        };
        if found.is_none() {
            files.put(MARKER, |mut file| {
                io::Write::write_all(&mut file, opening.job.as_bytes())?;
                Ok(())
            })?;
        }
        Ok(Box::new(files))
    }
}

impl Writer for Files {
    fn write(&mut self, output: &Output<'_>) -> Result<()> {
        let name = format!("batch-{:08}.parquet", output.batch);
        if output.rows.height() == 0 {
            return self.remove(&name);
        }
        self.put(&name, |file| {
            ParquetWriter::new(file).finish(&mut output.rows.clone())?;
            Ok(())
        })
    }
}

impl Files {
    /// Puts a file there in one step: written and on the disk before it gets its name.
    fn put(&self, name: &str, write: impl FnOnce(&File) -> PolarsResult<()>) -> Result<()> {
        let unfinished = self.folder.join(format!("{UNFINISHED}{name}"));
        let fail = |cause| unusable(&unfinished, cause);
        let file = File::create(&unfinished).map_err(fail)?;
        write(&file).map_err(|cause| {
            let cause = match cause {
                PolarsError::IO { error, .. } => io::Error::new(error.kind(), error.to_string()),
                cause => io::Error::other(cause.to_string()),
            };
            fail(cause)
        })?;
        file.sync_all().map_err(fail)?;
        fs::rename(&unfinished, self.folder.join(name)).map_err(fail)?;
        self.sync()
    }

    fn remove(&self, name: &str) -> Result<()> {
        match fs::remove_file(self.folder.join(name)) {
            Ok(()) => self.sync(),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(cause) => Err(unusable(&self.folder.join(name), cause)),
        }
    }

    /// Brings the names in the folder to the disk.
    fn sync(&self) -> Result<()> {
        let sync = || File::open(&self.folder)?.sync_all();
        // Where a folder cannot be opened as a file, its names are on the disk without this.
        match cfg!(unix) {
            true => sync().map_err(|cause| unusable(&self.folder, cause)),
            false => Ok(()),
        }
    }
}

impl From<Parquet> for Sink {
    fn from(parquet: Parquet) -> Sink {
        Sink::of(parquet)
    }
}

impl From<&Parquet> for Sink {
    fn from(parquet: &Parquet) -> Sink {
        Sink::of(parquet.clone())
    }
}

/// Returns the files in a folder; none where there is no folder.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let list = match fs::read_dir(folder) {
        Ok(list) => list,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(cause) => return Err(unusable(folder, cause)),
    };
    list.map(|entry| Ok(entry?.path()))
        .collect::<io::Result<_>>()
        .map_err(|cause| unusable(folder, cause))
}

fn unusable(path: &Path, cause: io::Error) -> Error {
    Error::new(format!("{} cannot be used as a sink", path.display()))
        .have(cause.to_string())
        .hint(
            "Parquet::dir(\"results/trips\"), a folder that you may write to, on a disk with room",
        )
        .caused_by(cause)
}
