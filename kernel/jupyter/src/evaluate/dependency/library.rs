//! One shared object of a session's dependencies.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use super::cargo::Crates;
use crate::evaluate::Error;
use crate::evaluate::compiler::Compiler;

/// What compiling and linking a cell against the dependencies needs.
#[derive(Debug, Clone)]
pub struct Library {
    pub path: PathBuf,
    /// Names that cells use, and the library that holds the metadata of each.
    pub externs: BTreeMap<String, PathBuf>,
    pub search: PathBuf,
}

impl Compiler {
    /// Links the crates into one shared object called `name`.
    ///
    /// # Errors
    /// When the compiler refuses, with its last words.
    pub(in crate::evaluate) fn link_dependencies(
        &self,
        name: &str,
        crates: &Crates,
    ) -> Result<Library, Error> {
        let source = self.folder().join(format!("{name}.rs"));
        let path = self.folder().join(format!("lib{name}.so"));
        let linked: Vec<_> = crates
            .libraries
            .keys()
            .filter(|name| !crates.macros.contains(name))
            .collect();
        let text: String = linked
            .iter()
            .map(|name| format!("pub use {name};\n"))
            .collect();
        std::fs::write(&source, text).map_err(|error| self.unwritable(&source, &error))?;
        let mut command = Command::new(self.rustc());
        command.args([
            "--crate-name",
            name,
            "--edition",
            "2024",
            "--crate-type",
            "dylib",
        ]);
        // Symbols of C libraries that the prelude holds too, such as zstd's, must not be taken
        // from there: the versions may differ.
        command.args([
            "-Cprefer-dynamic",
            "-Cstrip=debuginfo",
            "-Clink-arg=-Wl,-Bsymbolic",
        ]);
        for name in &linked {
            let library = &crates.libraries[*name];
            command
                .arg("--extern")
                .arg(format!("{name}={}", library.display()));
        }
        command
            .arg("-L")
            .arg(format!("dependency={}", crates.search.display()));
        for path in &crates.native {
            command.arg("-L").arg(path);
        }
        command.arg("-o").arg(&path).arg(&source);
        let (success, stderr) = self.run(command)?;
        if !success {
            let words: Vec<&str> = stderr.lines().take(15).collect();
            return Err(Error::new(
                "the dependencies do not link",
                words.join("\n        "),
                "without the last :dep line, in a new session",
            ));
        }
        let mut externs = crates.libraries.clone();
        externs.insert(name.to_owned(), path.clone());
        Ok(Library {
            path,
            externs,
            search: crates.search.clone(),
        })
    }
}
