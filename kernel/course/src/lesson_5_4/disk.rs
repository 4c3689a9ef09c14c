//! A disk and a sink for exercise E5, on which a process can die in the middle of any write.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Why a run ended before it was through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// The process died. What it was writing is half written.
    Crashed,
    /// Another process works on this checkpoint.
    InUse,
}

/// How many more writes the process lives for; nothing if it does not die.
pub(super) type Life = Rc<Cell<Option<usize>>>;

/// A checkpoint's folder: files of numbers, by name.
#[derive(Debug, Clone, Default)]
pub struct Disk {
    files: BTreeMap<String, Vec<i64>>,
    taken: bool,
    claimed: bool,
    life: Life,
}

/// A sink that keeps the number of each batch: one that it has already is left as it is.
#[derive(Debug, Clone, Default)]
pub struct BatchTable {
    rows: BTreeMap<i64, (i64, i64)>,
    life: Life,
}

impl Disk {
    /// Claims the folder for this process.
    ///
    /// # Errors
    /// [`Stopped::InUse`] when another process works on it: a run must end then, with this error.
    pub fn claim(&mut self) -> Result<(), Stopped> {
        if self.taken {
            return Err(Stopped::InUse);
        }
        self.claimed = true;
        Ok(())
    }

    /// Returns what a file holds; nothing if there is none. A file that was being written when the
    /// process died holds only the first half of its numbers.
    pub fn read(&self, name: &str) -> Option<Vec<i64>> {
        self.files.get(name).cloned()
    }

    /// Writes a file, number by number, over what it held.
    ///
    /// # Errors
    /// [`Stopped::Crashed`] when the process dies meanwhile: half of the numbers are written.
    pub fn write(&mut self, name: &str, numbers: &[i64]) -> Result<(), Stopped> {
        let lives = live(&self.life);
        let written = if lives.is_ok() {
            numbers
        } else {
            &numbers[..numbers.len() / 2]
        };
        self.files.insert(name.to_owned(), written.to_vec());
        lives
    }

    /// Gives a file another name, in place of the file that had it: at once, or not at all.
    ///
    /// # Errors
    /// [`Stopped::Crashed`] when the process dies before.
    pub fn rename(&mut self, from: &str, to: &str) -> Result<(), Stopped> {
        live(&self.life)?;
        if let Some(file) = self.files.remove(from) {
            self.files.insert(to.to_owned(), file);
        }
        Ok(())
    }

    /// Returns a folder that a new process finds, which lives for so many writes.
    pub(super) fn reopened(&self, life: &Life, taken: bool) -> Disk {
        Disk {
            files: self.files.clone(),
            taken,
            claimed: false,
            life: life.clone(),
        }
    }

    pub(super) fn is_claimed(&self) -> bool {
        self.claimed
    }
}

impl BatchTable {
    /// Takes the result of one batch: the sum of its values, and of all values so far. A batch that
    /// is there already is left as it is.
    ///
    /// # Errors
    /// [`Stopped::Crashed`] when the process dies before: nothing is taken then.
    pub fn put(&mut self, batch: i64, sum: i64, total: i64) -> Result<(), Stopped> {
        live(&self.life)?;
        self.rows.entry(batch).or_insert((sum, total));
        Ok(())
    }

    pub(super) fn reopened(&self, life: &Life) -> BatchTable {
        BatchTable {
            rows: self.rows.clone(),
            life: life.clone(),
        }
    }

    /// Returns batch, sum and total of each row, by batch.
    pub(super) fn rows(&self) -> Vec<(i64, i64, i64)> {
        let rows = self.rows.iter();
        rows.map(|(batch, (sum, total))| (*batch, *sum, *total))
            .collect()
    }
}

fn live(life: &Life) -> Result<(), Stopped> {
    match life.get() {
        None => Ok(()),
        Some(0) => Err(Stopped::Crashed),
        Some(left) => {
            life.set(Some(left - 1));
            Ok(())
        }
    }
}
