//! Builds the shared object that cells link: once, and again when something in it has changed.
//!
//! Cargo compiles the libraries in the workspace's one profile; one call of rustc turns the
//! prelude crate and everything below it into one shared object. That call is ours, not
//! `cargo rustc -p`: selecting one package would choose other features for what it shares with
//! the rest of the workspace, and compile Polars twice.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::{Digest, Sha256};

use super::artifacts::{read_artifacts, used_libraries};
use super::{SetupError, file_error};
use crate::evaluate::{
    INDEX_FORMAT, MANIFEST, Manifest, Provided, rustc_version, std_folder, write_index,
};

/// Crates that a cell can name without `:dep`.
const EXTERNS: [&str; 9] = [
    "chrono",
    "headwater_course",
    "headwater_streams",
    "plotters",
    "polars",
    "rdkafka",
    "serde",
    "serde_json",
    "tokio",
];
/// What the prelude crate itself names besides.
const PRIVATE: [&str; 2] = ["libc", "typeid"];
const DYLIB: &str = "libheadwater.so";
/// How long a replaced prelude stays, for kernels that started with it.
const KEPT: std::time::Duration = std::time::Duration::from_secs(24 * 60 * 60);

/// Returns the folder of a prelude that fits this compiler and these sources, built if need be.
///
/// In a clone it is built from the clone; an installed binary uses the prelude beside it.
///
/// # Errors
/// When the build fails, with the compiler's last words.
pub fn ensure(progress: &dyn Fn(&str)) -> Result<PathBuf, SetupError> {
    if let Some(folder) = std::env::var_os("HEADWATER_PRELUDE") {
        return Ok(folder.into());
    }
    match workspace() {
        Some(root) => build(&root, progress),
        None => installed(),
    }
}

/// Returns the root of the clone that this binary was built in, while it is there.
pub fn workspace() -> Option<PathBuf> {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = crate_folder.ancestors().nth(2)?;
    root.join("kernel/prelude/src/lib.rs")
        .exists()
        .then(|| root.to_owned())
}

fn installed() -> Result<PathBuf, SetupError> {
    super::folders::ready_prelude().ok_or_else(|| {
        SetupError::new(
            "the prelude cannot be built here",
            "this binary came without its sources, as a wheel does",
            "cargo headwater install, in a clone of the repository",
        )
    })
}

fn build(root: &Path, progress: &dyn Fn(&str)) -> Result<PathBuf, SetupError> {
    let rustc = rustc_version()?;
    let libraries = Libraries::build(root, progress)?;
    let fingerprint = libraries.fingerprint(root, &rustc);
    let home = libraries.folder.join("headwater-prelude");
    fs::create_dir_all(&home)
        .map_err(|error| file_error("no folder for the prelude", &home, &error))?;
    // Several kernels may start at once; the first one builds, the others wait for it here.
    let lock = home.join("lock");
    let guard = fs::File::create(&lock)
        .map_err(|error| file_error("no lock for the prelude", &lock, &error))?;
    guard
        .lock()
        .map_err(|error| file_error("no lock for the prelude", &lock, &error))?;
    let folder = home.join(&fingerprint[..16]);
    if !folder.join(MANIFEST).exists() {
        progress("linking the prelude that cells use");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("deps"))
            .map_err(|error| file_error("no folder for the prelude", &folder, &error))?;
        std::thread::scope(|scope| {
            // Completion can do without; cells cannot do without the prelude.
            let index = scope.spawn(|| libraries.write_index(&folder));
            libraries.link(root, &folder)?;
            if let Ok(Err(error)) = index.join() {
                progress(&format!("completion knows no library names: {error}"));
            }
            Ok::<(), SetupError>(())
        })?;
        let externs = libraries.copy_metadata(&folder)?;
        let manifest = Manifest {
            rustc,
            dylib: DYLIB.into(),
            externs,
            search: vec!["deps".into()],
            crates: libraries.provided(),
            fingerprint,
        };
        let text = serde_json::to_vec_pretty(&manifest).expect("paths of this machine are text");
        let path = folder.join(MANIFEST);
        fs::write(&path, text)
            .map_err(|error| file_error("the prelude cannot be written", &path, &error))?;
        forget_old(&home, &folder);
    }
    Ok(folder)
}

/// What cargo built, and where.
struct Libraries {
    /// The profile's folder: `target/debug`.
    folder: PathBuf,
    rlibs: BTreeMap<String, PathBuf>,
    /// Version and features of each library.
    crates: BTreeMap<String, Provided>,
    native: Vec<String>,
}

impl Libraries {
    /// Builds the workspace's libraries and notes the files that cargo names.
    fn build(root: &Path, progress: &dyn Fn(&str)) -> Result<Libraries, SetupError> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let broken = |error: std::io::Error| {
            SetupError::new("cargo does not run", error.to_string(), "headwater doctor")
        };
        let mut command = Command::new(cargo);
        // Under `cargo run` and `cargo test` these describe one package. Build scripts such as
        // ring's watch them, and would run again here and once more at the next build outside.
        for (name, _) in std::env::vars_os() {
            let described = [
                "CARGO_PKG_",
                "CARGO_MANIFEST_",
                "CARGO_BIN_",
                "CARGO_CRATE_",
                "OUT_DIR",
            ];
            if described
                .iter()
                .any(|start| name.to_string_lossy().starts_with(start))
            {
                command.env_remove(name);
            }
        }
        let mut child = command
            .args(["build", "--lib", "--message-format=json-render-diagnostics"])
            .current_dir(root)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(broken)?;
        let stdout = child.stdout.take().expect("stdout is piped");
        let reader = std::thread::spawn(move || read_artifacts(BufReader::new(stdout)));
        let mut last = Vec::new();
        for line in BufReader::new(child.stderr.take().expect("stderr is piped"))
            .lines()
            .map_while(Result::ok)
        {
            progress(line.trim());
            last.push(line);
        }
        let (rlibs, crates, native) = reader.join().expect("reading lines does not panic");
        if !child.wait().map_err(broken)?.success() {
            let words = last[last.len().saturating_sub(15)..].join("\n");
            return Err(SetupError::new(
                "the libraries do not build",
                words,
                format!("cargo build --lib, in {}", root.display()),
            ));
        }
        let polars = rlibs.get("polars").ok_or_else(|| {
            SetupError::new(
                "cargo did not name the libraries it built",
                "no polars among them",
                "cargo clean, then cargo lab",
            )
        })?;
        let folder = polars.ancestors().nth(2).unwrap_or(root).to_owned();
        Ok(Libraries {
            folder,
            rlibs,
            crates,
            native,
        })
    }

    /// Returns what is known of the crates that a cell can name.
    fn provided(&self) -> BTreeMap<String, Provided> {
        let known = EXTERNS
            .iter()
            .filter_map(|name| Some((*name, self.crates.get(*name)?)));
        known
            .map(|(name, provided)| (name.to_owned(), provided.clone()))
            .collect()
    }

    /// Changes whenever anything that goes into the prelude does. The crates that it names stand
    /// for those below them: one that changes has all above it compiled again. Others are not
    /// looked at, for cargo names some of them twice, and the kernel's own would count as well.
    fn fingerprint(&self, root: &Path, rustc: &str) -> String {
        let mut hash = Sha256::new();
        hash.update(rustc);
        hash.update(env!("CARGO_PKG_VERSION"));
        hash.update(INDEX_FORMAT);
        let mut sources = Vec::new();
        collect_sources(&root.join("kernel/prelude/src"), &mut sources);
        let named = EXTERNS.iter().chain(&PRIVATE);
        let libraries = named.filter_map(|name| self.rlibs.get(*name));
        for path in libraries.chain(&sources) {
            hash.update(path.to_string_lossy().as_bytes());
            let changed =
                fs::metadata(path).and_then(|file| file.modified().map(|time| (file.len(), time)));
            hash.update(format!("{changed:?}"));
        }
        hash.finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    fn link(&self, root: &Path, folder: &Path) -> Result<(), SetupError> {
        let mut command = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
        // RUSTC_BOOTSTRAP is for the one option that lists the libraries which were used.
        command
            .env("RUSTC_BOOTSTRAP", "1")
            .arg("-Zbinary-dep-depinfo");
        command.args([
            "--crate-name",
            "headwater",
            "--edition",
            "2024",
            "--crate-type",
            "dylib",
        ]);
        command.args([
            "-Cprefer-dynamic",
            "-Copt-level=0",
            "-Ccodegen-units=16",
            "-Cdebug-assertions=off",
            "-Cstrip=debuginfo",
        ]);
        command.arg("--emit").arg(format!(
            "link={},dep-info={}",
            folder.join(DYLIB).display(),
            folder.join("used.d").display()
        ));
        for name in EXTERNS.iter().chain(&PRIVATE) {
            if let Some(path) = self.rlibs.get(*name) {
                command
                    .arg("--extern")
                    .arg(format!("{name}={}", path.display()));
            }
        }
        command.arg(format!("-Clink-arg=-Wl,-rpath,{}", std_folder()?.display()));
        command
            .arg("-L")
            .arg(format!("dependency={}", self.folder.join("deps").display()));
        for path in &self.native {
            command.arg("-L").arg(path);
        }
        command.arg(root.join("kernel/prelude/src/lib.rs"));
        let output = command.output().map_err(|error| {
            SetupError::new(
                "the compiler does not run",
                error.to_string(),
                "headwater doctor",
            )
        })?;
        if output.status.success() {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let start = text.len().saturating_sub(3000);
        let start = (start..text.len())
            .find(|at| text.is_char_boundary(*at))
            .unwrap_or(0);
        Err(SetupError::new(
            "the prelude does not link",
            text[start..].to_owned(),
            "headwater doctor; is the disk full?",
        ))
    }

    /// Writes down which names the crates offer that a cell can reach.
    fn write_index(&self, folder: &Path) -> Result<(), crate::evaluate::Error> {
        let crates = EXTERNS
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), self.rlibs.get(*name)?.clone())));
        write_index(&crates.collect(), &self.folder.join("deps"), folder)
    }

    /// Puts the metadata of every library that went into the prelude beside it, so that a later
    /// build in the same target folder cannot pull it away from under a running kernel.
    fn copy_metadata(&self, folder: &Path) -> Result<BTreeMap<String, PathBuf>, SetupError> {
        let list = folder.join("used.d");
        let text = fs::read_to_string(&list).map_err(|error| {
            file_error("the compiler's list of libraries is missing", &list, &error)
        })?;
        for used in used_libraries(&text) {
            let source = Some(used.with_extension("rmeta"))
                .filter(|path| path.exists())
                .unwrap_or_else(|| used.clone());
            let Some(name) = source.file_name() else {
                continue;
            };
            let target = folder.join("deps").join(name);
            let copied =
                fs::hard_link(&source, &target).or_else(|_| fs::copy(&source, &target).map(drop));
            copied.map_err(|error| file_error("a library cannot be copied", &target, &error))?;
        }
        let mut externs = BTreeMap::from([("headwater".to_owned(), PathBuf::from(DYLIB))]);
        for name in EXTERNS {
            let Some(path) = self.rlibs.get(name) else {
                continue;
            };
            let rmeta = Path::new("deps")
                .join(path.with_extension("rmeta").file_name().unwrap_or_default());
            if folder.join(&rmeta).exists() {
                externs.insert(name.to_owned(), rmeta);
            }
        }
        Ok(externs)
    }
}

fn collect_sources(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut paths: Vec<_> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            collect_sources(&path, found)
        } else {
            found.push(path)
        }
    }
}

/// Deletes preludes that three newer ones have replaced and that are older than a day: a kernel
/// that still runs may use an older one.
fn forget_old(home: &Path, newest: &Path) {
    let mut folders: Vec<_> = fs::read_dir(home)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_dir() && path != newest)
        .collect();
    folders.sort_by_key(|path| fs::metadata(path).and_then(|file| file.modified()).ok());
    let is_old = |path: &Path| {
        let made = fs::metadata(path).and_then(|file| file.modified());
        made.is_ok_and(|made| made.elapsed().is_ok_and(|age| age > KEPT))
    };
    for old in folders.iter().rev().skip(2).filter(|path| is_old(path)) {
        let _ = fs::remove_dir_all(old);
    }
}
