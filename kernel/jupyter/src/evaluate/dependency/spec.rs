//! What a `:dep` line asks for, in the form of a line of `[dependencies]`.

use std::path::Path;

use toml::{Table, Value};

use crate::evaluate::Error;

/// One dependency: its name in code, and what Cargo's manifest would say of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    /// The key of the line; a crate may go by another name than its package.
    pub key: String,
    pub value: Value,
}

impl Spec {
    /// Reads `name`, `name = "1.0"` or `name = { version = "1.0", features = [..] }`. A relative
    /// path starts at `folder`.
    ///
    /// # Errors
    /// When the line is not of that form.
    pub fn parse(line: &str, folder: &Path) -> Result<Spec, Error> {
        let line = line.trim();
        let wrong = |have: String| {
            let attempt = ":dep rand = \"0.10\", or :dep mine = { path = \"../mine\" }";
            Error::new("not a dependency", have, attempt)
        };
        if !line.contains('=') {
            let is_name = |next: char| next.is_alphanumeric() || next == '_' || next == '-';
            if line.is_empty() || !line.chars().all(is_name) {
                return Err(wrong(format!("`{line}`")));
            }
            let value = Value::String("*".to_owned());
            return Ok(Spec {
                key: line.to_owned(),
                value,
            });
        }
        let table: Table = line
            .parse()
            .map_err(|error: toml::de::Error| wrong(error.message().to_owned()))?;
        let mut entries = table.into_iter();
        let (Some((key, value)), None) = (entries.next(), entries.next()) else {
            return Err(wrong("more than one name in one line".to_owned()));
        };
        if !matches!(value, Value::String(_) | Value::Table(_)) {
            return Err(wrong(format!("`{key}` is set to {value}")));
        }
        let mut spec = Spec { key, value };
        spec.anchor(folder);
        Ok(spec)
    }

    /// Returns the name that code uses.
    pub fn crate_name(&self) -> String {
        self.key.replace('-', "_")
    }

    /// Returns the version asked for; `None` where the source is not a registry.
    pub fn version(&self) -> Option<&str> {
        match &self.value {
            Value::String(version) => Some(version),
            Value::Table(table) if ["path", "git"].iter().any(|key| table.contains_key(*key)) => {
                None
            }
            Value::Table(table) => Some(table.get("version").map_or("*", text)),
            _ => None,
        }
    }

    /// Returns the features asked for by name.
    pub fn features(&self) -> Vec<String> {
        let features = self.field("features").and_then(Value::as_array);
        let names = features.into_iter().flatten().map(text);
        names.map(str::to_owned).collect()
    }

    /// Returns the git repository asked for.
    pub fn git(&self) -> Option<&str> {
        self.field("git").map(text)
    }

    fn field(&self, name: &str) -> Option<&Value> {
        self.value.as_table()?.get(name)
    }

    /// Makes a relative path absolute: the manifest stands elsewhere than the notebook.
    fn anchor(&mut self, folder: &Path) {
        if let Value::Table(table) = &mut self.value
            && let Some(Value::String(path)) = table.get_mut("path")
        {
            *path = folder.join(&*path).to_string_lossy().into_owned();
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Spec, Error> {
        Spec::parse(line, Path::new("/home/me"))
    }

    #[test]
    fn a_bare_name_asks_for_any_version() {
        let spec = parse("rand").unwrap();
        assert_eq!(
            (spec.crate_name(), spec.version()),
            ("rand".to_owned(), Some("*"))
        );
    }

    #[test]
    fn features_and_version_are_read_from_a_table() {
        let spec = parse("serde-x = { version = \"1\", features = [\"a\", \"b\"] }").unwrap();
        assert_eq!(spec.crate_name(), "serde_x");
        assert_eq!(spec.version(), Some("1"));
        assert_eq!(spec.features(), ["a", "b"]);
    }

    #[test]
    fn a_relative_path_starts_at_the_notebook() {
        let spec = parse("mine = { path = \"crates/mine\" }").unwrap();
        assert_eq!(spec.value["path"].as_str(), Some("/home/me/crates/mine"));
        assert_eq!(spec.version(), None);
    }

    #[test]
    fn a_line_that_is_no_dependency_says_what_one_looks_like() {
        for line in ["", "two words", "a = 1", "a = \"1\"\nb = \"2\"", "a = ["] {
            let error = parse(line).unwrap_err().to_string();
            assert!(error.contains(":dep rand = "), "{line}: {error}");
        }
    }
}
