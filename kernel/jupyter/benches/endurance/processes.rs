//! What the system says about a process: memory, open files, mappings, children.

use std::fs;

/// A process at one moment; sizes in megabytes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Snapshot {
    /// Resident memory, with what is shared with others.
    pub rss_mb: f64,
    /// Its own part: what is shared counts by its share.
    pub pss_mb: f64,
    /// Private memory that no file stands behind: heap and stacks.
    pub heap_mb: f64,
    pub open_files: usize,
    pub mappings: usize,
    pub threads: usize,
}

impl Snapshot {
    /// Returns the state of process `id`; zeros where it has ended.
    pub fn of(id: u32) -> Snapshot {
        let read =
            |name: &str| fs::read_to_string(format!("/proc/{id}/{name}")).unwrap_or_default();
        let (status, rollup) = (read("status"), read("smaps_rollup"));
        let count =
            |name: &str| fs::read_dir(format!("/proc/{id}/{name}")).map_or(0, Iterator::count);
        Snapshot {
            rss_mb: field_mb(&status, "VmRSS:"),
            pss_mb: field_mb(&rollup, "Pss:"),
            heap_mb: field_mb(&status, "RssAnon:"),
            open_files: count("fd"),
            mappings: read("maps").lines().count(),
            threads: count("task"),
        }
    }
}

fn field_mb(text: &str, name: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let kilobytes = line.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
    kilobytes.unwrap_or(0.0) / 1024.0
}

/// Returns the processes that `id` has started and that still run.
pub fn children(id: u32) -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|process| parent(*process) == Some(id))
        .collect()
}

/// Returns the child that runs the cells.
pub fn runner(kernel: u32) -> Option<u32> {
    children(kernel).into_iter().find(|child| {
        let line = fs::read_to_string(format!("/proc/{child}/cmdline")).unwrap_or_default();
        line.split('\0').nth(1) == Some("child")
    })
}

/// Returns whether the process is there and has not ended.
pub fn is_alive(id: u32) -> bool {
    stat(id).is_some_and(|fields| fields[0] != "Z")
}

fn parent(id: u32) -> Option<u32> {
    stat(id)?.get(1)?.parse().ok()
}

/// Returns the fields behind the name, which may hold blanks itself: state, parent, and so on.
fn stat(id: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(") ")?;
    Some(rest.split_whitespace().map(str::to_owned).collect())
}
