//! Writes the index: rustdoc over a small crate that re-exports what cells can name.
//!
//! rustdoc reads the libraries' metadata, not their sources, so this needs nothing but what the
//! compiler has just built, and takes seconds.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::pages::{self, Page};
use super::{INDEX, Index, Kind, Member, Name, TEXTS, Text, Type};
use crate::evaluate::Error;

/// Modules of the standard library that a notebook has a use for.
const STD: &str = "any, array, borrow, boxed, cell, char, clone, cmp, collections, convert, default, env, error, f32, f64, ffi, fmt, fs, future, hash, io, iter, marker, mem, net, ops, option, path, pin, process, rc, result, slice, str, string, sync, task, thread, time, vec";
/// `Wrapping` and the like have pages of megabytes that nobody completes from.
const NUM: &str = "IntErrorKind, ParseFloatError, ParseIntError, TryFromIntError";
const MACROS: &str = "assert, assert_eq, assert_ne, concat, dbg, eprint, eprintln, format, include_str, matches, panic, print, println, stringify, thread_local, todo, unimplemented, unreachable, write, writeln";
const PRIMITIVES: [&str; 18] = [
    "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32",
    "u64", "u128", "usize", "str", "slice",
];

/// What of each crate is looked at: everything of its root unless said otherwise.
fn re_exports(name: &str) -> String {
    match name {
        // Two globs bring a module `string` into Polars' prelude, which hides both.
        "polars" => "pub use ::polars::prelude; pub mod lazy { pub mod dsl { #[doc(inline)] pub use ::polars::lazy::dsl::{string, binary}; } }".to_owned(),
        "tokio" => "pub use ::tokio::{fs, io, runtime, sync, task, time, spawn, join, select, try_join};".to_owned(),
        "plotters" => "pub use ::plotters::prelude;".to_owned(),
        "rdkafka" => "pub use ::rdkafka::{admin, client, config, consumer, error, message, metadata, producer, topic_partition_list, util};".to_owned(),
        _ => format!("pub use ::{name}::*;"),
    }
}

/// Writes the index of the standard library and of `crates` (name and library) to `folder`.
///
/// # Errors
/// When rustdoc does not run, or `folder` cannot be written.
pub fn write(
    crates: &BTreeMap<String, PathBuf>,
    search: &Path,
    folder: &Path,
) -> Result<(), Error> {
    // Hundreds of megabytes for some seconds: in `folder`, which the next build empties if this
    // one is ended in the middle.
    let scratch = tempfile::Builder::new()
        .prefix("pages-")
        .tempdir_in(folder)
        .map_err(|error| unwritten(folder, &error))?;
    let none = BTreeMap::new();
    let runs = [
        ("std", std_names(), &none),
        ("crates", crate_names(crates), crates),
    ];
    // Apart, for together the standard library's pages would list what all the crates add to it.
    std::thread::scope(|scope| {
        let started: Vec<_> = runs
            .iter()
            .map(|(name, source, externs)| {
                let folder = scratch.path().join(name);
                scope.spawn(move || run_rustdoc(source, externs, search, &folder))
            })
            .collect();
        started
            .into_iter()
            .try_for_each(|run| run.join().expect("running a program does not panic"))
    })?;
    let mut builder = Builder::default();
    for (name, _, _) in &runs {
        builder.folder(&scratch.path().join(name).join("pages/names"), "");
    }
    builder.save(folder)
}

const HEAD: &str = "#![feature(rustc_attrs)]\n#![allow(internal_features, hidden_glob_reexports, ambiguous_glob_reexports)]\n";

/// The crate that rustdoc looks at for the standard library and the built-in types.
fn std_names() -> String {
    let mut text = format!(
        "{HEAD}pub mod std {{ #[doc(inline)] pub use ::std::{{{STD}, {MACROS}}}; pub mod num {{ #[doc(inline)] pub use ::std::num::{{{NUM}}}; }} }}\n"
    );
    for primitive in PRIMITIVES {
        text.push_str(&format!(
            "#[rustc_doc_primitive = \"{primitive}\"] /// A built-in type.\nmod prim_{primitive} {{}}\n"
        ));
    }
    text
}

/// The crate that rustdoc looks at for the others: one module for each, named like it.
fn crate_names(crates: &BTreeMap<String, PathBuf>) -> String {
    let mut text = HEAD.to_owned();
    for name in crates.keys() {
        text.push_str(&format!(
            "pub mod {name} {{ #[doc(inline)] {} }}\n",
            re_exports(name)
        ));
    }
    text
}

fn run_rustdoc(
    source: &str,
    crates: &BTreeMap<String, PathBuf>,
    search: &Path,
    folder: &Path,
) -> Result<(), Error> {
    fs::create_dir_all(folder).map_err(|error| unwritten(folder, &error))?;
    let facade = folder.join("names.rs");
    fs::write(&facade, source).map_err(|error| unwritten(&facade, &error))?;
    let mut command = Command::new(std::env::var_os("RUSTDOC").unwrap_or_else(|| "rustdoc".into()));
    // RUSTC_BOOTSTRAP is for the attribute that gives built-in types a page.
    command.env("RUSTC_BOOTSTRAP", "1").args([
        "--crate-name",
        "names",
        "--edition",
        "2024",
        "--cap-lints",
        "allow",
    ]);
    for (name, path) in crates {
        command
            .arg("--extern")
            .arg(format!("{name}={}", path.display()));
    }
    command
        .arg("-L")
        .arg(format!("dependency={}", search.display()))
        .arg("-o")
        .arg(folder.join("pages"))
        .arg(facade)
        .stdin(Stdio::null());
    let hint = "headwater doctor; rustdoc comes with the compiler";
    let done = command
        .output()
        .map_err(|error| Error::new("rustdoc does not run", error.to_string(), hint))?;
    if done.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&done.stderr);
    let first: Vec<&str> = said.lines().take(12).collect();
    Err(Error::new(
        "the names for completion cannot be listed",
        first.join("\n"),
        hint,
    ))
}

/// The index while it grows.
#[derive(Default)]
struct Builder {
    index: Index,
    texts: Vec<u8>,
    /// Types that another module has re-exported already, by crate, name, declaration and number
    /// of members.
    known: HashMap<(String, String, String, usize), u32>,
}

impl Builder {
    fn folder(&mut self, folder: &Path, module: &str) {
        let mut paths: Vec<PathBuf> = fs::read_dir(folder)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .collect();
        paths.sort();
        let mut names = Vec::new();
        for path in paths {
            let Some(file) = path.file_name().and_then(|name| name.to_str()) else {
                continue;
            };
            if path.is_dir() {
                let inner = if module.is_empty() {
                    file.to_owned()
                } else {
                    format!("{module}::{file}")
                };
                names.push(self.module(&path, file));
                self.folder(&path, &inner);
            } else if let Some((kind, name)) = pages::of_file(file)
                && let Ok(html) = fs::read_to_string(&path)
            {
                names.push(self.page(module, kind, name, &html));
            }
        }
        // Primitive types have their pages at the top; they belong to the standard library.
        if module.is_empty() {
            names.retain(|name| name.kind == Kind::Primitive);
            self.index
                .modules
                .entry("std".to_owned())
                .or_default()
                .extend(names);
        } else {
            self.index
                .modules
                .entry(module.to_owned())
                .or_default()
                .extend(names);
        }
    }

    fn module(&mut self, path: &Path, name: &str) -> Name {
        let doc = fs::read_to_string(path.join("index.html"))
            .map(|html| Page::read(&html).doc)
            .unwrap_or_default();
        Name {
            name: name.to_owned(),
            kind: Kind::Module,
            text: self.text(&format!("mod {name}"), &doc),
            of: None,
        }
    }

    fn page(&mut self, module: &str, kind: Kind, name: &str, html: &str) -> Name {
        let page = Page::read(html);
        let root = module.split("::").next().filter(|root| !root.is_empty());
        let root = root.unwrap_or("std").to_owned();
        let key = (
            root.clone(),
            name.to_owned(),
            page.declaration.clone(),
            page.members.len(),
        );
        let has_members = !page.members.is_empty() || !page.traits.is_empty();
        let declaration = if kind == Kind::Primitive {
            name.to_owned()
        } else {
            page.declaration.clone()
        };
        if let Some(of) = self.known.get(&key) {
            let text = self.index.types[*of as usize].text;
            return Name {
                name: name.to_owned(),
                kind,
                text,
                of: Some(*of),
            };
        }
        let text = self.text(&declaration, &page.doc);
        let of = has_members.then(|| {
            let at = u32::try_from(self.index.types.len()).expect("fewer than 2^32 types");
            let members = page.members.iter().map(|member| Member {
                name: member.name.clone(),
                kind: member.kind,
                text: self.text(&member.signature, &member.doc),
            });
            let members = members.collect();
            self.index.types.push(Type {
                name: name.to_owned(),
                module: module.to_owned(),
                kind,
                text,
                members,
                derefs: page.derefs,
                traits: page.traits,
            });
            self.known.insert(key, at);
            at
        });
        Name {
            name: name.to_owned(),
            kind,
            text,
            of,
        }
    }

    fn text(&mut self, signature: &str, doc: &str) -> Text {
        let length = |bytes: usize| u32::try_from(bytes).expect("the texts stay below 4 GB");
        let text = Text {
            at: length(self.texts.len()),
            signature: length(signature.len()),
            doc: length(doc.len()),
        };
        self.texts.extend_from_slice(signature.as_bytes());
        self.texts.extend_from_slice(doc.as_bytes());
        text
    }

    fn save(self, folder: &Path) -> Result<(), Error> {
        let names = serde_json::to_vec(&self.index).expect("names are text");
        for (file, bytes) in [(INDEX, &names), (TEXTS, &self.texts)] {
            let path = folder.join(file);
            fs::write(&path, bytes).map_err(|error| unwritten(&path, &error))?;
        }
        Ok(())
    }
}

fn unwritten(path: &Path, error: &std::io::Error) -> Error {
    Error::new(
        "the index of names cannot be written",
        format!("{}: {error}", path.display()),
        "free some disk space, or set TMPDIR",
    )
}
