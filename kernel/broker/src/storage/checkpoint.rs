//! The last known good points, and the mark that a broker was stopped cleanly.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::handles::Handles;
use crate::brokers::Place;

const POINTS: &str = "recovery-points.json";
/// Kafka's name for the mark.
const CLEAN: &str = ".kafka_cleanshutdown";

/// Up to where each log is known to have reached the disk. What is wrong before these points is
/// damage; behind them it may be what a crash left half written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoodPoints {
    facts: i64,
    /// By node, topic id and partition: `1/<id>/0`.
    logs: BTreeMap<String, i64>,
}

impl GoodPoints {
    pub fn new(facts: i64, logs: impl Iterator<Item = (Place, i64)>) -> GoodPoints {
        GoodPoints {
            facts,
            logs: logs.map(|(place, offset)| (name(place), offset)).collect(),
        }
    }

    /// Reads the points of an earlier run. Without the file nothing is known to be good.
    pub fn read(root: &Path) -> GoodPoints {
        let text = std::fs::read(root.join(POINTS)).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// Writes the points. An older point is still true while logs only grow, so that nothing need
    /// wait for this to reach the disk then.
    pub fn write(&self, handles: &mut Handles, root: &Path, sync: bool) -> io::Result<()> {
        let json = serde_json::to_vec(self).expect("names and numbers");
        handles.replace(&root.join(POINTS), &json, sync)?;
        match sync {
            true => handles.disk.0.sync_dir(root),
            false => Ok(()),
        }
    }

    pub fn facts(&self) -> i64 {
        self.facts
    }

    pub fn log(&self, place: Place) -> i64 {
        self.logs.get(&name(place)).copied().unwrap_or(0)
    }
}

/// Leaves the mark of a clean end.
pub fn mark_clean(handles: &mut Handles, root: &Path) -> io::Result<()> {
    let path = clean_path(root);
    handles.write_whole(&path, b"{\"version\":0}\n", true)?;
    handles.disk.0.sync_dir(root)
}

pub fn is_clean(root: &Path) -> bool {
    clean_path(root).exists()
}

/// Takes the mark away before anything is written.
pub fn unmark_clean(handles: &mut Handles, root: &Path) -> io::Result<()> {
    handles.remove(&clean_path(root))?;
    handles.disk.0.sync_dir(root)
}

fn clean_path(root: &Path) -> PathBuf {
    root.join(CLEAN)
}

fn name(place: Place) -> String {
    format!("{}/{}/{}", place.node, place.topic, place.partition)
}
