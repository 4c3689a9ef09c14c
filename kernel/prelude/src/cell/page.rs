//! What a cell may do to its page by itself: show something, replace it, clear it, ask.

use std::io;

use headwater_streams::display;
use headwater_streams::frame::Bundle;

use super::input;

/// Erases what the cell has shown so far: at once, or, with `wait`, when it shows something next,
/// which flickers less.
pub fn clear_output(wait: bool) {
    display::clear(wait);
}

/// Shows a value that is there in several forms, by MIME type: the front end takes the richest one
/// it can draw. Text is given as it is, binary types such as `image/png` in base64, JSON types as
/// JSON text.
///
/// # Example
/// ```
/// let shown = headwater::show_mime([("text/html", "<b>3</b> flights"), ("text/plain", "3 flights")]);
/// shown.update([("text/html", "<b>4</b> flights"), ("text/plain", "4 flights")]);
/// ```
pub fn show_mime<T: Into<String>>(forms: impl IntoIterator<Item = (&'static str, T)>) -> Shown {
    show(bundle(forms))
}

/// Shows HTML.
pub fn show_html(html: &str) -> Shown {
    show(bundle([("text/html", html), ("text/plain", html)]))
}

/// Asks the person for a line that is not shown while it is typed.
///
/// # Errors
/// Where the front end takes no input, or the cell is interrupted meanwhile.
pub fn read_password(prompt: &str) -> io::Result<String> {
    input::ask(Some(prompt.to_owned()), true)
}

/// Something shown that can be replaced in place, also by a later cell.
#[derive(Debug, Clone)]
pub struct Shown {
    id: String,
}

impl Shown {
    /// Replaces it, wherever it is shown.
    pub fn update<T: Into<String>>(&self, forms: impl IntoIterator<Item = (&'static str, T)>) {
        display::update(&self.id, bundle(forms));
    }

    /// Returns the id by which front ends know it.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Shows nothing more: it is on the page already.
    pub fn evcxr_display(&self) {}
}

fn show(data: Bundle) -> Shown {
    let id = display::new_id();
    display::show_as(&id, data);
    Shown { id }
}

fn bundle<T: Into<String>>(forms: impl IntoIterator<Item = (&'static str, T)>) -> Bundle {
    let forms = forms.into_iter();
    forms
        .map(|(mime, text)| (mime.to_owned(), text.into()))
        .collect()
}
