//! Notebook files: read and written without losing anything that this program does not know.
//!
//! Format: <https://nbformat.readthedocs.io/en/latest/format_description.html>

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::ser::{PrettyFormatter, Serializer};
use serde_json::{Map, Value, json};

use crate::evaluate::Error;

/// A notebook of format 4.
#[derive(Debug, Clone)]
pub struct Notebook {
    root: Value,
}

impl Notebook {
    /// Reads a notebook that this kernel can run.
    ///
    /// # Errors
    /// When there is no such file, it is no notebook of format 4, or it is for another language.
    pub fn read(path: &Path) -> Result<Notebook, Error> {
        let bytes = fs::read(path).map_err(|error| missing(path, &error))?;
        let root: Value = serde_json::from_slice(&bytes).map_err(|error| {
            let shown = path.display();
            let line = error.line();
            let have = format!("line {line}: {error}");
            let attempt = format!("open line {line} of it, or `git checkout -- {shown}`");
            Error::new(format!("`{shown}` is not JSON"), have, attempt)
        })?;
        check_format(path, &root)?;
        check_language(path, &root)?;
        Ok(Notebook { root })
    }

    /// Takes a notebook that was made and not read.
    pub fn of(root: Value) -> Notebook {
        Notebook { root }
    }

    /// Returns the cells.
    pub fn cells(&self) -> &[Value] {
        self.root["cells"].as_array().map_or(&[], Vec::as_slice)
    }

    /// Returns the fields of the cell at `index`.
    pub fn cell_mut(&mut self, index: usize) -> Option<&mut Map<String, Value>> {
        self.root["cells"].get_mut(index)?.as_object_mut()
    }

    /// Removes the cells of which `is_gone` is true.
    pub fn remove(&mut self, is_gone: impl Fn(&Value) -> bool) {
        if let Some(cells) = self.root["cells"].as_array_mut() {
            cells.retain(|cell| !is_gone(cell));
        }
    }

    /// Adds a cell at the end.
    pub fn push(&mut self, cell: Value) {
        if let Some(cells) = self.root["cells"].as_array_mut() {
            cells.push(cell);
        }
    }

    /// Returns the first heading of the text cells, without its marks.
    pub fn title(&self) -> Option<String> {
        let texts = self
            .cells()
            .iter()
            .filter(|cell| cell["cell_type"] == "markdown");
        texts.map(|cell| text(&cell["source"])).find_map(|text| {
            let heading = text.lines().find(|line| line.starts_with('#'))?;
            Some(heading.trim_start_matches('#').trim().to_owned())
        })
    }

    /// Records the language that ran the cells.
    pub fn set_language(&mut self, language: Value) {
        if self.root["metadata"].is_object() {
            self.root["metadata"]["language_info"] = language;
        }
    }

    /// Writes the notebook as Jupyter does: one blank of indent, a newline at the end.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        let mut bytes = Vec::new();
        let formatter = PrettyFormatter::with_indent(b" ");
        let mut serializer = Serializer::with_formatter(&mut bytes, formatter);
        self.root
            .serialize(&mut serializer)
            .expect("a JSON value into memory");
        bytes.push(b'\n');
        write(path, &bytes)
    }
}

/// Writes a file whole or not at all.
///
/// # Errors
/// When its folder cannot be written.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let written = fs::create_dir_all(folder).and_then(|()| {
        let mut file = tempfile::Builder::new()
            .permissions(permissions())
            .tempfile_in(folder)?;
        file.write_all(bytes)?;
        Ok(file.persist(path)?)
    });
    written.map(drop).map_err(|error| {
        let what = format!("`{}` cannot be written", path.display());
        Error::new(
            what,
            error.to_string(),
            "--out with a folder that you may write to",
        )
    })
}

fn permissions() -> fs::Permissions {
    use std::os::unix::fs::PermissionsExt;
    fs::Permissions::from_mode(0o644)
}

/// Returns a text that a notebook keeps as one string or as a list of lines.
pub fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(lines) => lines.iter().filter_map(Value::as_str).collect(),
        _ => String::new(),
    }
}

/// Returns `text` as a list of lines, as notebooks keep it: so it shows in a diff.
pub fn lines(text: &str) -> Value {
    json!(text.split_inclusive('\n').collect::<Vec<_>>())
}

fn missing(path: &Path, error: &std::io::Error) -> Error {
    let what = format!("no notebook `{}`", path.display());
    if error.kind() != std::io::ErrorKind::NotFound {
        return Error::new(
            what,
            error.to_string(),
            "the path of a file that you may read",
        );
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    let found = notebooks_in(folder).or_else(|| notebooks_in(Path::new("notebooks")));
    match found {
        Some(found) => {
            let attempt = format!("headwater run {}", found[0].display());
            let names: Vec<_> = found
                .iter()
                .map(|path| path.display().to_string())
                .collect();
            Error::new(what, names.join(", "), attempt)
        }
        None => {
            let place = if folder.as_os_str().is_empty() {
                Path::new(".")
            } else {
                folder
            };
            let have = format!("no .ipynb file in {}", place.display());
            Error::new(
                what,
                have,
                "headwater run notebooks/05-1-introduction-to-data-streaming.ipynb",
            )
        }
    }
}

fn notebooks_in(folder: &Path) -> Option<Vec<PathBuf>> {
    let place = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let entries = fs::read_dir(place).ok()?;
    let paths = entries.filter_map(|entry| Some(folder.join(entry.ok()?.file_name())));
    let mut found: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|end| end == "ipynb"))
        .collect();
    found.sort();
    found.truncate(10);
    (!found.is_empty()).then_some(found)
}

fn check_format(path: &Path, root: &Value) -> Result<(), Error> {
    let what = || format!("`{}` is not a notebook of format 4", path.display());
    let upgrade = format!(
        "jupyter nbconvert --to notebook --nbformat 4 --inplace {}",
        path.display()
    );
    match root["nbformat"].as_u64() {
        Some(4) if root["cells"].is_array() => Ok(()),
        Some(4) => Err(Error::new(
            what(),
            "no list of cells",
            "a file that Jupyter has saved",
        )),
        Some(other) => Err(Error::new(what(), format!("format {other}"), upgrade)),
        None => Err(Error::new(
            what(),
            "JSON without `nbformat`",
            "a file that Jupyter has saved",
        )),
    }
}

fn check_language(path: &Path, root: &Value) -> Result<(), Error> {
    let metadata = &root["metadata"];
    let language = metadata["kernelspec"]["language"]
        .as_str()
        .or_else(|| metadata["language_info"]["name"].as_str());
    let Some(language) = language.filter(|name| !name.eq_ignore_ascii_case("rust")) else {
        return Ok(());
    };
    let kernel = metadata["kernelspec"]["display_name"]
        .as_str()
        .unwrap_or("no name");
    Err(Error::new(
        format!("`{}` is for another language", path.display()),
        format!("{language} (kernel: {kernel}); this is a kernel for rust"),
        format!("jupyter execute {}", path.display()),
    ))
}
