//! Crates that the prelude holds already, so that a `:dep` line for them costs nothing.

use semver::{Version, VersionReq};

use super::spec::Spec;
use crate::evaluate::Error;
use crate::evaluate::toolchain::{Manifest, Provided};

/// Returns what to say where the prelude holds the crate that `spec` asks for, and `None` where it
/// does not know it. A version, feature or repository that is not the prelude's is named, for the
/// crate of the prelude is used all the same: two in one cell would have types that do not fit.
///
/// # Errors
/// When a copy on this machine is asked for, which is surely meant.
pub fn look_up(spec: &Spec, manifest: &Manifest) -> Result<Option<String>, Error> {
    let Some(Provided { version, features }) = manifest.crates.get(&spec.crate_name()) else {
        return Ok(None);
    };
    if spec.value.get("path").is_some() {
        return Err(Error::new(
            format!(
                "`{}` is part of the prelude, in one form for all cells",
                spec.key
            ),
            format!("version {version} with {}", features.join(", ")),
            "begin the cell with :evcxr, which has crates and variables of its own",
        ));
    }
    let mut differs = Vec::new();
    match spec.version() {
        None => differs.push("a git repository".to_owned()),
        Some(asked) if !is_in(version, asked) => differs.push(format!("version {asked}")),
        Some(_) => {}
    }
    let known = spec.features().into_iter();
    differs.extend(
        known
            .filter(|feature| !features.contains(feature))
            .map(|feature| format!("feature {feature}")),
    );
    let instead = match differs.as_slice() {
        [] => String::new(),
        differs => format!(
            "; it is used in place of what was asked for: {}",
            differs.join(", ")
        ),
    };
    Ok(Some(format!(
        "{} {version} is part of the prelude{instead}",
        spec.key
    )))
}

fn is_in(version: &str, asked: &str) -> bool {
    let parsed = (Version::parse(version), VersionReq::parse(asked));
    matches!(parsed, (Ok(version), Ok(asked)) if asked.matches(&version))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn ask(line: &str) -> Result<Option<String>, Error> {
        let plotters = Provided {
            version: "0.3.7".to_owned(),
            features: vec!["evcxr".to_owned(), "all_series".to_owned()],
        };
        let manifest = Manifest {
            crates: [("plotters".to_owned(), plotters)].into(),
            ..Manifest::default()
        };
        look_up(&Spec::parse(line, Path::new("/")).unwrap(), &manifest)
    }

    #[test]
    fn a_version_and_features_that_the_prelude_has_are_taken_from_it() {
        let line = "plotters = { version = \"^0.3.0\", default-features = false, features = [\"evcxr\", \"all_series\"] }";
        assert_eq!(
            ask(line).unwrap().as_deref(),
            Some("plotters 0.3.7 is part of the prelude")
        );
        assert_eq!(ask("rand").unwrap(), None);
    }

    #[test]
    fn what_differs_is_named() {
        for (line, differs) in [
            ("plotters = \"0.2\"", "version 0.2"),
            (
                "plotters = { version = \"0.3\", features = [\"ttf\"] }",
                "feature ttf",
            ),
            (
                "plotters = { git = \"https://localhost/x\" }",
                "a git repository",
            ),
        ] {
            let said = ask(line).unwrap().unwrap();
            assert!(said.ends_with(&format!("asked for: {differs}")), "{said}");
        }
    }

    #[test]
    fn a_copy_on_this_machine_is_refused() {
        let path = ask("plotters = { path = \"x\" }").unwrap_err().to_string();
        assert!(path.contains(":evcxr"), "{path}");
    }
}
