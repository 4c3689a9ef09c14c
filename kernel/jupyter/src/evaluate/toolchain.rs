//! The compiler, the linker and the prebuilt prelude that cells are compiled against.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};

use super::Error;
use super::dependency::Library;

/// The file in the prelude's folder that says what is there.
pub const MANIFEST: &str = "prelude.json";

/// What a prelude's folder holds. Paths are relative to the folder, or absolute.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The whole answer of `rustc -vV` at the time it was built.
    pub rustc: String,
    /// The shared object that cells link.
    pub dylib: PathBuf,
    /// Crates that a cell can name, and the file with their metadata.
    pub externs: BTreeMap<String, PathBuf>,
    /// Folders with the metadata of everything below.
    pub search: Vec<PathBuf>,
    /// What the crates among `externs` are, for `:dep` lines that ask for one of them.
    #[serde(default)]
    pub crates: BTreeMap<String, Provided>,
    /// Names, types and sizes of the inputs: another value means that it is out of date.
    pub fingerprint: String,
}

/// A crate that the prelude holds.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provided {
    pub version: String,
    pub features: Vec<String>,
}

impl Manifest {
    /// Reads the manifest of the prelude in `folder`.
    ///
    /// # Errors
    /// When there is none, with what to type.
    pub fn read(folder: &Path) -> Result<Manifest, Error> {
        let path = folder.join(MANIFEST);
        let text = std::fs::read(&path).map_err(|error| {
            Error::new(
                "no prebuilt prelude",
                format!("{}: {error}", path.display()),
                "headwater install, or cargo lab in a clone of the repository",
            )
        })?;
        serde_json::from_slice(&text).map_err(|error| {
            Error::new(
                "the prelude's manifest cannot be read",
                format!("{}: {error}", path.display()),
                "headwater install",
            )
        })
    }
}

/// Everything that compiling a cell needs.
#[derive(Debug, Clone)]
pub struct Toolchain {
    pub rustc: PathBuf,
    /// The folder with the standard library, shared and static.
    pub std_folder: PathBuf,
    pub std_dylib: String,
    /// rust-lld, where the toolchain ships it; else cells are linked through `cc`.
    pub lld: Option<PathBuf>,
    pub dylib: PathBuf,
    pub externs: BTreeMap<String, PathBuf>,
    pub search: Vec<PathBuf>,
    pub manifest: Manifest,
}

impl Toolchain {
    /// Finds the compiler and checks that the prelude in `folder` was built by it.
    ///
    /// # Errors
    /// When there is no compiler, no prelude, or the two do not fit, with what to type.
    pub fn find(folder: &Path) -> Result<Toolchain, Error> {
        let manifest = Manifest::read(folder)?;
        let version = rustc_version()?;
        if version != manifest.rustc {
            let first = |text: &str| text.lines().next().unwrap_or("unknown").to_owned();
            return Err(Error::new(
                "the prelude was built by another compiler",
                format!(
                    "{} built it, {} is here now",
                    first(&manifest.rustc),
                    first(&version)
                ),
                "headwater install, which builds it again",
            ));
        }
        let target = target_folder(&version)?;
        let std_folder = target.join("lib");
        let std_dylib = find_std(&std_folder)?;
        let lld = Some(target.join("bin/rust-lld")).filter(|path| path.exists());
        // The shim of rustup takes 10 ms and more at each call; the compiler itself is here.
        let rustc = Some(sysroot()?.join("bin/rustc"))
            .filter(|path| path.exists())
            .unwrap_or_else(|| "rustc".into());
        let absolute = |path: PathBuf| folder.join(path);
        Ok(Toolchain {
            rustc,
            std_folder,
            std_dylib,
            lld,
            dylib: absolute(manifest.dylib.clone()),
            externs: manifest
                .externs
                .iter()
                .map(|(name, path)| (name.clone(), absolute(path.clone())))
                .collect(),
            search: manifest.search.iter().cloned().map(absolute).collect(),
            manifest,
        })
    }
}

impl Toolchain {
    /// Tells the compiler which crates a cell can name, those that `:dep` has added among them,
    /// and where it finds what is below them.
    pub fn name_crates(&self, command: &mut Command, added: Option<&Library>) {
        let externs = added.into_iter().flat_map(|library| &library.externs);
        for (name, path) in self.externs.iter().chain(externs) {
            command
                .arg("--extern")
                .arg(format!("{name}={}", path.display()));
        }
        let search = added.map(|library| &library.search);
        for folder in self.search.iter().chain(search) {
            command
                .arg("-L")
                .arg(format!("dependency={}", folder.display()));
        }
    }
}

/// Returns the whole answer of `rustc -vV`.
///
/// # Errors
/// When no compiler is found, with what to type.
pub fn rustc_version() -> Result<String, Error> {
    ask_rustc(&["-vV"])
}

/// Returns the folder with the compiler's own standard library.
///
/// # Errors
/// When no compiler is found, with what to type.
pub fn std_folder() -> Result<PathBuf, Error> {
    Ok(target_folder(&rustc_version()?)?.join("lib"))
}

fn target_folder(version: &str) -> Result<PathBuf, Error> {
    let host = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .unwrap_or_default();
    Ok(sysroot()?.join("lib/rustlib").join(host))
}

fn sysroot() -> Result<PathBuf, Error> {
    Ok(PathBuf::from(ask_rustc(&["--print", "sysroot"])?.trim()))
}

fn ask_rustc(arguments: &[&str]) -> Result<String, Error> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let missing = |what: String| {
        Error::new(
            "the Rust compiler does not answer",
            what,
            "curl https://sh.rustup.rs -sSf | sh, then open a new terminal",
        )
    };
    let output = Command::new(&rustc)
        .args(arguments)
        .output()
        .map_err(|error| missing(format!("{}: {error}", rustc.display())))?;
    if !output.status.success() {
        return Err(missing(
            String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        ));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn find_std(folder: &Path) -> Result<String, Error> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .find(|name| {
            name.starts_with("libstd-") && (name.ends_with(".so") || name.ends_with(".dylib"))
        })
        .ok_or_else(|| {
            Error::new(
                "the toolchain has no shared standard library",
                folder.display().to_string(),
                "rustup toolchain install stable",
            )
        })
}
