//! What cargo and rustc say of the libraries that they have built or used.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::path::PathBuf;

use serde_json::Value;

use crate::evaluate::Provided;

/// Library, version and features of each crate, and folders with native libraries.
pub type Artifacts = (
    BTreeMap<String, PathBuf>,
    BTreeMap<String, Provided>,
    Vec<String>,
);

/// Reads cargo's messages.
pub fn read_artifacts(messages: impl BufRead) -> Artifacts {
    let (mut rlibs, mut crates, mut native) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
    for line in messages.lines().map_while(Result::ok) {
        let Ok(message) = serde_json::from_str::<Value>(&line) else {
            continue;
        };
        if message["reason"] == "build-script-executed" {
            native.extend(
                message["linked_paths"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                    .map(str::to_owned),
            );
        }
        let Some(name) = message["target"]["name"].as_str() else {
            continue;
        };
        let files = message["filenames"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        let Some(rlib) = files
            .map(PathBuf::from)
            .find(|path| path.extension().is_some_and(|end| end == "rlib"))
        else {
            continue;
        };
        // A crate that build scripts use as well is there twice; theirs is the one at opt 0.
        let optimised = message["profile"]["opt_level"] != "0";
        let name = name.replace('-', "_");
        if optimised || !rlibs.contains_key(&name) {
            rlibs.insert(name.clone(), rlib);
            crates.insert(name, provided(&message));
        }
    }
    (rlibs, crates, native)
}

fn provided(message: &Value) -> Provided {
    let id = message["package_id"].as_str().unwrap_or_default();
    let version = id.rsplit(['#', '@']).next().unwrap_or_default();
    let features = message["features"].as_array().into_iter().flatten();
    Provided {
        version: version.to_owned(),
        features: features
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
    }
}

/// Returns the libraries named in a dep-info file, procedural macros among them.
pub fn used_libraries(text: &str) -> Vec<PathBuf> {
    let first = text.lines().next().unwrap_or_default();
    let names = first.split_once(": ").map_or("", |(_, names)| names);
    let is_library = |path: &PathBuf| {
        path.extension()
            .is_some_and(|end| end == "rlib" || end == "rmeta" || end == "so")
    };
    // The standard library comes with the compiler and is found without our help.
    let is_ours = |path: &PathBuf| !path.components().any(|part| part.as_os_str() == "rustlib");
    let mut found: Vec<PathBuf> = split_escaped(names)
        .map(PathBuf::from)
        .filter(is_library)
        .filter(is_ours)
        .collect();
    found.sort();
    found.dedup_by(|a, b| a.with_extension("") == b.with_extension(""));
    found
}

/// Splits at spaces that no backslash stands before.
fn split_escaped(names: &str) -> impl Iterator<Item = String> {
    names
        .replace("\\ ", "\0")
        .split(' ')
        .map(|name| name.replace('\0', " "))
        .collect::<Vec<_>>()
        .into_iter()
}
