//! The file that tells Jupyter how to start the kernel.
//!
//! <https://jupyter-client.readthedocs.io/en/stable/kernels.html#kernel-specs>

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{SetupError, file_error};

/// The name that notebooks ask for.
pub const NAME: &str = "headwater";

/// The variable that tells the kernel where its prelude is.
pub const PRELUDE_ENV: &str = "HEADWATER_PRELUDE";

/// Where the wheel keeps its kernelspec, logos among it; what it installs and what we write look alike.
macro_rules! from_wheel {
    ($name:literal) => {
        (
            $name,
            include_bytes!(concat!(
                "../../wheel/files/data/share/jupyter/kernels/headwater/",
                $name
            )),
        )
    };
}

const LOGOS: [(&str, &[u8]); 3] = [
    from_wheel!("logo-svg.svg"),
    from_wheel!("logo-32x32.png"),
    from_wheel!("logo-64x64.png"),
];

/// A kernel that Jupyter can start.
#[derive(Debug, Clone)]
pub struct KernelSpec {
    pub binary: PathBuf,
    pub prelude: PathBuf,
}

/// What writing found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    New,
    Changed,
    AsBefore,
}

impl KernelSpec {
    /// Returns the content of `kernel.json`.
    pub fn content(&self) -> Value {
        let mut content = json!({
            "argv": [self.binary.display().to_string(), "kernel", "{connection_file}"],
            "display_name": "Rust (Headwater)",
            "language": "rust",
            "interrupt_mode": "message",
            "env": {},
            "metadata": { "debugger": false, "headwater": { "version": env!("CARGO_PKG_VERSION") } },
        });
        content["env"][PRELUDE_ENV] = json!(self.prelude.display().to_string());
        content
    }

    /// Writes the kernelspec below `jupyter_data`, a folder that Jupyter looks into for `kernels/`.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn write(&self, jupyter_data: &Path) -> Result<Written, SetupError> {
        let folder = folder(jupyter_data);
        let fail = |error: std::io::Error| {
            file_error("the kernelspec could not be written", &folder, &error)
        };
        let text = format!("{:#}\n", self.content());
        let before = fs::read_to_string(folder.join("kernel.json")).ok();
        fs::create_dir_all(&folder).map_err(fail)?;
        for (name, bytes) in LOGOS {
            fs::write(folder.join(name), bytes).map_err(fail)?;
        }
        if before.as_deref() == Some(text.as_str()) {
            return Ok(Written::AsBefore);
        }
        // By rename: a Jupyter that lists its kernels now reads the old file or the new one.
        let fresh = folder.join("kernel.json.new");
        fs::write(&fresh, &text).map_err(fail)?;
        fs::rename(&fresh, folder.join("kernel.json")).map_err(fail)?;
        Ok(match before {
            Some(_) => Written::Changed,
            None => Written::New,
        })
    }
}

/// Returns the folder of the kernelspec below `jupyter_data`.
pub fn folder(jupyter_data: &Path) -> PathBuf {
    jupyter_data.join("kernels").join(NAME)
}

/// Reads the binary and the prelude that an installed kernelspec names.
pub fn read(jupyter_data: &Path) -> Option<KernelSpec> {
    let text = fs::read(folder(jupyter_data).join("kernel.json")).ok()?;
    let content: Value = serde_json::from_slice(&text).ok()?;
    Some(KernelSpec {
        binary: content["argv"][0].as_str()?.into(),
        prelude: content["env"][PRELUDE_ENV].as_str()?.into(),
    })
}
