//! How results and errors are written, as `:fmt`, `:efmt` and `:types` have set it.

use std::fmt::Debug;
use std::sync::RwLock;

use super::protocol::{Format, Settings};

/// Read at each result and error, written between cells: a std lock.
static SETTINGS: RwLock<Settings> = RwLock::new(Settings {
    result: Format::Debug,
    error: Format::Display,
    types: false,
});

pub(super) fn set(settings: Settings) {
    if let Ok(mut current) = SETTINGS.write() {
        *current = settings;
    }
}

pub(super) fn get() -> Settings {
    SETTINGS
        .read()
        .map(|settings| *settings)
        .unwrap_or_default()
}

/// Returns a value's `Debug` text, on one line or on several.
pub(super) fn debug(value: &dyn Debug, format: Format) -> String {
    match format {
        Format::Pretty => format!("{value:#?}"),
        Format::Debug | Format::Display => format!("{value:?}"),
    }
}
