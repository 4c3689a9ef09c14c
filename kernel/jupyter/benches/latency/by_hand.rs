//! The same cells as plain functions, compiled by one call of rustc and linked by one call of
//! rust-lld against the same shared object: what is left of a cell's time when there is no kernel.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use headwater_kernel::evaluate::{Manifest, std_folder};

/// Compiles and links plain functions in a folder of its own.
pub struct ByHand {
    folder: tempfile::TempDir,
    rustc: PathBuf,
    lld: PathBuf,
    prelude: PathBuf,
    manifest: Manifest,
    stubs: Vec<PathBuf>,
}

impl ByHand {
    /// Makes the stand-ins for the prelude and the standard library.
    pub fn new(prelude: &Path) -> ByHand {
        let folder = tempfile::tempdir().expect("a folder for sources");
        let library = std_folder().expect("a compiler");
        let target = library.parent().expect("lib stands in the target's folder");
        let sysroot = target.ancestors().nth(3).expect("lib/rustlib/<target>");
        let manifest = Manifest::read(prelude).expect("the prelude is there");
        let mut by_hand = ByHand {
            folder,
            rustc: sysroot.join("bin/rustc"),
            lld: target.join("bin/rust-lld"),
            prelude: prelude.to_owned(),
            manifest,
            stubs: Vec::new(),
        };
        let std = std::fs::read_dir(&library)
            .expect("the standard library's folder")
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .find(|name| name.starts_with("libstd-") && name.ends_with(".so"))
            .expect("a shared standard library");
        let dylib = by_hand.manifest.dylib.to_string_lossy().into_owned();
        by_hand.stubs = [std, dylib].iter().map(|name| by_hand.stub(name)).collect();
        by_hand
    }

    /// Returns how long it takes to turn the statements into a shared object. With `fails` set the
    /// compiler must refuse them.
    pub fn time(&self, statements: &str, fails: bool) -> Duration {
        let source = self.folder.path().join("cell.rs");
        let object = source.with_extension("o");
        std::fs::write(&source, statements).expect("the folder can be written");
        let mut rustc = Command::new(&self.rustc);
        rustc.args(["--edition=2024", "--crate-type=cdylib", "--emit=obj"]);
        rustc.args(["-Cprefer-dynamic", "-Cdebuginfo=0", "-Ccodegen-units=1"]);
        rustc.args(["-Awarnings", "--error-format=json"]);
        for (name, path) in &self.manifest.externs {
            let path = self.prelude.join(path);
            rustc
                .arg("--extern")
                .arg(format!("{name}={}", path.display()));
        }
        for folder in &self.manifest.search {
            let folder = self.prelude.join(folder);
            rustc.arg(format!("-Ldependency={}", folder.display()));
        }
        rustc.arg("-o").arg(&object).arg(&source);
        let mut lld = Command::new(&self.lld);
        lld.args(["-flavor", "gnu", "-shared", "--eh-frame-hdr"]);
        lld.arg(&object).args(&self.stubs);
        lld.arg("-o").arg(object.with_extension("so"));
        let started = Instant::now();
        let compiled = rustc.output().expect("rustc runs");
        assert_eq!(
            compiled.status.success(),
            !fails,
            "{statements}\n{}",
            String::from_utf8_lossy(&compiled.stderr)
        );
        if !fails {
            assert!(lld.status().expect("rust-lld runs").success());
        }
        started.elapsed()
    }

    fn stub(&self, soname: &str) -> PathBuf {
        let empty = self.folder.path().join("empty.ld");
        std::fs::write(&empty, "").expect("the folder can be written");
        let output = self.folder.path().join(soname);
        let made = Command::new(&self.lld)
            .args([
                "-flavor",
                "gnu",
                "-m",
                "elf_x86_64",
                "-shared",
                "-soname",
                soname,
            ])
            .arg(&empty)
            .arg("-o")
            .arg(&output)
            .status();
        assert!(made.expect("rust-lld runs").success());
        output
    }
}
