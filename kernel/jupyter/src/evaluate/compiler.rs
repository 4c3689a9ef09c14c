//! One call of rustc makes an object file of a cell, one call of rust-lld a shared object.
//!
//! The linker never reads the prelude's hundred thousand symbols: it links against empty stand-ins
//! that carry the right names, and the loader finds the symbols in the libraries that the child
//! has loaded long before.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::Error;
use super::dependency::Library;
use super::diagnostics::{self, Diagnostic};
use super::running::Running;
use super::toolchain::{Manifest, Toolchain};

/// Compiles the cells of one session in a folder of its own.
pub struct Compiler {
    toolchain: Toolchain,
    folder: PathBuf,
    stubs: Vec<PathBuf>,
    running: Running,
    /// What `:dep` lines have added.
    dependencies: Option<Library>,
    /// `:opt` sets it; 0 compiles fastest.
    pub opt_level: u8,
}

/// What compiling a program gave.
pub struct Compiled {
    pub object: Option<PathBuf>,
    pub diagnostics: Vec<Diagnostic>,
    pub took: Duration,
}

impl Compiler {
    /// Prepares `folder`: the stand-ins that cells are linked against.
    ///
    /// # Errors
    /// When the folder cannot be written or the linker does not run.
    pub fn new(toolchain: Toolchain, folder: &Path) -> Result<Compiler, Error> {
        let mut compiler = Compiler {
            toolchain,
            folder: folder.to_owned(),
            stubs: Vec::new(),
            running: Running::default(),
            dependencies: None,
            opt_level: 0,
        };
        if let Some(lld) = compiler.toolchain.lld.clone() {
            let names = [
                compiler.toolchain.std_dylib.clone(),
                file_name(&compiler.toolchain.dylib),
            ];
            for name in names {
                compiler.stubs.push(compiler.stub(&lld, &name)?);
            }
        }
        Ok(compiler)
    }

    pub fn dylib(&self) -> PathBuf {
        self.toolchain.dylib.clone()
    }

    pub fn running(&self) -> Running {
        self.running.clone()
    }

    pub fn rustc(&self) -> &Path {
        &self.toolchain.rustc
    }

    pub fn manifest(&self) -> &Manifest {
        &self.toolchain.manifest
    }

    /// The folder of this session's sources and libraries.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Makes the crates of a library available to every cell from now on, in place of an earlier
    /// library of dependencies.
    ///
    /// # Errors
    /// When the stand-in that cells link cannot be made.
    pub(super) fn use_dependencies(&mut self, library: Library) -> Result<(), Error> {
        if let Some(lld) = self.toolchain.lld.clone() {
            if let Some(old) = &self.dependencies {
                let name = file_name(&old.path);
                self.stubs.retain(|stub| file_name(stub) != name);
            }
            let stub = self.stub(&lld, &file_name(&library.path))?;
            self.stubs.push(stub);
        }
        self.dependencies = Some(library);
        Ok(())
    }

    /// Returns the library with the crates that `:dep` has added.
    pub(super) fn dependencies(&self) -> Option<&Library> {
        self.dependencies.as_ref()
    }

    /// Forgets the dependencies.
    pub(super) fn drop_dependencies(&mut self) {
        if let Some(old) = self.dependencies.take() {
            let name = file_name(&old.path);
            self.stubs.retain(|stub| file_name(stub) != name);
        }
    }

    /// Compiles a program to an object file. A program with errors gives none, and says why.
    ///
    /// # Errors
    /// When the compiler cannot be run at all, or was killed.
    pub fn compile(&self, name: &str, text: &str) -> Result<Compiled, Error> {
        let started = Instant::now();
        let source = self.folder.join(format!("{name}.rs"));
        let object = self.folder.join(format!("{name}.o"));
        std::fs::write(&source, text).map_err(|error| self.unwritable(&source, &error))?;
        let mut command = Command::new(&self.toolchain.rustc);
        // RUSTC_BOOTSTRAP lets the stable compiler print whole type names; cells gain nothing.
        command.env("RUSTC_BOOTSTRAP", "1").args([
            "-Ztrim-diagnostic-paths=no",
            "-Zwrite-long-types-to-disk=no",
        ]);
        command.args([
            "--crate-name",
            "cell",
            "--edition",
            "2024",
            "--crate-type",
            "cdylib",
            "--emit=obj",
        ]);
        command.args([
            "-Cprefer-dynamic",
            "-Cdebuginfo=0",
            "-Ccodegen-units=1",
            "--error-format=json",
        ]);
        command.args([
            "-Cdebug-assertions=off",
            "-Coverflow-checks=on",
            "-Cmetadata=headwater",
        ]);
        command.arg(format!(
            "--remap-path-prefix={}=cell ",
            self.folder.display()
        ));
        command.arg(format!("-Copt-level={}", self.opt_level));
        self.toolchain
            .name_crates(&mut command, self.dependencies.as_ref());
        command.arg("-o").arg(&object).arg(&source);
        let (success, stderr) = self.run(command)?;
        let diagnostics = diagnostics::parse(&stderr);
        if !success && !diagnostics.iter().any(Diagnostic::is_error) {
            let said = stderr.lines().rev().take(5).collect::<Vec<_>>().join(" / ");
            return Err(Error::new(
                "the compiler ended without an error message",
                said,
                "run the cell again; headwater doctor",
            ));
        }
        Ok(Compiled {
            object: success.then_some(object),
            diagnostics,
            took: started.elapsed(),
        })
    }

    /// Returns the shared object that [`Compiler::link`] makes of the program `name`.
    pub fn library(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.so"))
    }

    /// Links an object file, and the libraries that it takes statics from; returns the shared
    /// object.
    ///
    /// # Errors
    /// When the linker fails, with what it said.
    pub fn link(&self, object: &Path, libraries: &[PathBuf]) -> Result<PathBuf, Error> {
        let output = object.with_extension("so");
        let mut command = self.linker(object);
        // Without names of their own they are noted with their paths, where the loader finds them
        // again: loaded already, or anew in a new child.
        command.args(libraries);
        command.arg("-o").arg(&output);
        let (success, stderr) = self.run(command)?;
        if !success {
            return Err(Error::new(
                "the cell could not be linked",
                stderr.trim().to_owned(),
                "headwater doctor",
            ));
        }
        let _ = std::fs::remove_file(object);
        Ok(output)
    }

    fn linker(&self, object: &Path) -> Command {
        let prelude = self.toolchain.dylib.parent().unwrap_or(Path::new("."));
        let Some(lld) = &self.toolchain.lld else {
            let mut command = Command::new("cc");
            command
                .arg("-shared")
                .arg(object)
                .arg(&self.toolchain.dylib);
            command.arg(self.toolchain.std_folder.join(&self.toolchain.std_dylib));
            command.arg(format!("-Wl,-rpath,{}", prelude.display()));
            if let Some(library) = &self.dependencies {
                command.arg(&library.path);
                command.arg(format!("-Wl,-rpath,{}", self.folder.display()));
            }
            command.arg(format!(
                "-Wl,-rpath,{}",
                self.toolchain.std_folder.display()
            ));
            return command;
        };
        let mut command = Command::new(lld);
        command.args([
            "-flavor",
            "gnu",
            "-shared",
            "--no-as-needed",
            "--eh-frame-hdr",
            "--gc-sections",
        ]);
        command.arg(object).args(&self.stubs);
        command
            .arg("-rpath")
            .arg(prelude)
            .arg("-rpath")
            .arg(&self.toolchain.std_folder);
        if self.dependencies.is_some() {
            command.arg("-rpath").arg(&self.folder);
        }
        command
    }

    /// Makes an empty shared object that carries the name `soname`.
    fn stub(&self, lld: &Path, soname: &str) -> Result<PathBuf, Error> {
        let empty = self.folder.join("empty.ld");
        std::fs::write(&empty, "/* nothing */\n")
            .map_err(|error| self.unwritable(&empty, &error))?;
        let folder = self.folder.join("stubs");
        std::fs::create_dir_all(&folder).map_err(|error| self.unwritable(&folder, &error))?;
        let output = folder.join(soname);
        let mut command = Command::new(lld);
        command
            .args([
                "-flavor",
                "gnu",
                "-m",
                emulation(),
                "-shared",
                "-soname",
                soname,
            ])
            .arg(&empty)
            .arg("-o")
            .arg(&output);
        let (success, stderr) = self.run(command)?;
        if success {
            Ok(output)
        } else {
            Err(Error::new(
                "the linker does not work",
                stderr,
                "headwater doctor",
            ))
        }
    }

    /// Runs a command so that [`Running::kill`] can end it; returns success and its stderr.
    pub(super) fn run(&self, mut command: Command) -> Result<(bool, String), Error> {
        let program = command.get_program().to_string_lossy().into_owned();
        let broken = |error: std::io::Error| {
            Error::new(
                "a tool cannot be run",
                format!("{program}: {error}"),
                "headwater doctor",
            )
        };
        // In its own folder: one that is ended leaves what it was writing where it stands.
        let mut child = command
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(broken)?;
        let mut stderr = child.stderr.take().expect("stderr is piped");
        self.running.watch(child);
        let mut text = Vec::new();
        let read = std::io::Read::read_to_end(&mut stderr, &mut text);
        let status = self.running.wait().map_err(broken)?;
        read.map_err(broken)?;
        if status.code().is_none() {
            return Err(Error::new(
                "interrupted while the cell was being compiled",
                program,
                "run the cell again",
            ));
        }
        Ok((
            status.success(),
            String::from_utf8_lossy(&text).into_owned(),
        ))
    }

    pub(super) fn unwritable(&self, path: &Path, error: &std::io::Error) -> Error {
        Error::new(
            "the cell cannot be written",
            format!("{}: {error}", path.display()),
            "free some disk space, or set TMPDIR",
        )
    }
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

fn emulation() -> &'static str {
    if cfg!(target_arch = "aarch64") {
        "aarch64linux"
    } else {
        "elf_x86_64"
    }
}
