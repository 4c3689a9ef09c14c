//! What a job must know after it was stopped or killed, in one file of an embedded store.
//!
//! One folder belongs to one job. A micro-batch goes through it in two transactions: its plan
//! (which offsets it reads) before anything is read, and its outcome (state, watermark, offsets)
//! after the sink has it. So at any moment either batch N is done, or it is planned and will be
//! done again in exactly the same way.

mod facts;
mod owner;

use std::path::{Path, PathBuf};

use redb::{Database, DatabaseError, ReadableDatabase, TableDefinition};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Error, Result};
pub(crate) use facts::{Committed, Counts, Identity, Planned};

/// The form of what is written. Grows when it changes.
const VERSION: u32 = 2;

/// The file in the checkpoint's folder.
const FILE: &str = "checkpoint.redb";

/// Everything, by name.
const FACTS: TableDefinition<'static, &str, &[u8]> = TableDefinition::new("facts");

const IDENTITY: &str = "identity";
const COMMITTED: &str = "committed";
const STATE: &str = "state";
const PLANNED: &str = "planned";
const VERSION_FACT: &str = "version";

/// An open checkpoint: nobody else can open it until this drops.
pub(crate) struct Checkpoint {
    database: Database,
    folder: PathBuf,
}

impl Checkpoint {
    /// Opens the checkpoint in `folder`, or begins one.
    ///
    /// # Errors
    /// When another job has it open, the folder cannot be written, or the file is damaged or of
    /// another version.
    pub fn open(folder: &Path) -> Result<Checkpoint> {
        let unusable = |cause: std::io::Error| {
            Error::new(format!(
                "the checkpoint folder {} cannot be used",
                folder.display()
            ))
            .have(cause.to_string())
            .hint(".checkpoint(\"checkpoints/trips\"), a folder that you may write to")
            .caused_by(cause)
        };
        std::fs::create_dir_all(folder).map_err(unusable)?;
        let database = Database::create(folder.join(FILE)).map_err(|cause| match cause {
            DatabaseError::DatabaseAlreadyOpen => owner::refused(folder),
            cause => broken(folder, &cause.to_string()),
        })?;
        owner::sign(folder).map_err(unusable)?;
        let checkpoint = Checkpoint {
            database,
            folder: folder.to_owned(),
        };
        checkpoint.check_version()?;
        Ok(checkpoint)
    }

    /// Returns which job this belongs to; nothing where it is new.
    pub fn identity(&self) -> Result<Option<Identity>> {
        self.read(IDENTITY)
    }

    /// Returns what the last whole batch has left behind.
    pub fn committed(&self) -> Result<Option<Committed>> {
        self.read(COMMITTED)
    }

    /// Returns the state after that batch.
    pub fn state(&self) -> Result<Option<Vec<u8>>> {
        self.bytes(STATE)
    }

    /// Returns the plan of a batch that was not finished.
    pub fn planned(&self) -> Result<Option<Planned>> {
        self.read(PLANNED)
    }

    /// Begins: says which job this belongs to, and where it reads first.
    pub fn begin(&self, identity: &Identity, committed: &Committed) -> Result<()> {
        let version = self.encode(&VERSION)?;
        let (identity, committed) = (self.encode(identity)?, self.encode(committed)?);
        self.write(&[
            (VERSION_FACT, Some(&version)),
            (IDENTITY, Some(&identity)),
            (COMMITTED, Some(&committed)),
        ])
    }

    /// Writes down what the next batch will read.
    pub fn plan(&self, planned: &Planned) -> Result<()> {
        let planned = self.encode(planned)?;
        self.write(&[(PLANNED, Some(&planned))])
    }

    /// Writes down that the planned batch is done, in one transaction.
    pub fn commit(&self, committed: &Committed, state: &[u8]) -> Result<()> {
        let committed = self.encode(committed)?;
        self.write(&[
            (COMMITTED, Some(&committed)),
            (STATE, Some(state)),
            (PLANNED, None),
        ])
    }

    fn check_version(&self) -> Result<()> {
        match self.read::<u32>(VERSION_FACT)? {
            None | Some(VERSION) => Ok(()),
            Some(other) => Err(Error::new(format!(
                "the checkpoint in {} is of another version of this library",
                self.folder.display()
            ))
            .have(format!("version {other}, this one reads {VERSION}"))
            .hint("the version that wrote it, or a new folder")),
        }
    }

    fn read<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        let Some(bytes) = self.bytes(name)? else {
            return Ok(None);
        };
        postcard::from_bytes(&bytes)
            .map(Some)
            .map_err(|cause| self.broken(&format!("{name}: {cause}")))
    }

    fn encode<T: Serialize>(&self, value: &T) -> Result<Vec<u8>> {
        postcard::to_stdvec(value).map_err(|cause| self.broken(&cause.to_string()))
    }

    fn bytes(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let read = || -> Result<Option<Vec<u8>>, redb::Error> {
            let transaction = self.database.begin_read()?;
            let table = match transaction.open_table(FACTS) {
                Ok(table) => table,
                Err(redb::TableError::TableDoesNotExist(_)) => return Ok(None),
                Err(cause) => return Err(cause.into()),
            };
            Ok(table.get(name)?.map(|value| value.value().to_vec()))
        };
        read().map_err(|cause| self.broken(&cause.to_string()))
    }

    /// Writes or removes these facts in one transaction, which is on the disk when this returns.
    fn write(&self, facts: &[(&str, Option<&[u8]>)]) -> Result<()> {
        let write = || -> Result<(), redb::Error> {
            let transaction = self.database.begin_write()?;
            {
                let mut table = transaction.open_table(FACTS)?;
                for (name, value) in facts {
                    match value {
                        Some(value) => drop(table.insert(name, value)?),
                        None => drop(table.remove(name)?),
                    }
                }
            }
            transaction.commit()?;
            Ok(())
        };
        write().map_err(|cause| {
            Error::new(format!(
                "the checkpoint in {} cannot be written",
                self.folder.display()
            ))
            .have(cause.to_string())
            .hint("free space on the disk, then start the job again: it goes on where it was")
            .caused_by(cause)
        })
    }

    fn broken(&self, why: &str) -> Error {
        broken(&self.folder, why)
    }
}

fn broken(folder: &Path, why: &str) -> Error {
    Error::new(format!(
        "the checkpoint in {} cannot be read",
        folder.display()
    ))
    .have(why)
    .hint("a copy of the folder from before, or a new folder and a new sink to begin anew")
}
