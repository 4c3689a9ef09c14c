//! Shows the value of a cell's last expression, in the richest form that its type offers.
//!
//! In this order: a method `evcxr_display` of the type itself (the convention of evcxr, which
//! all public types of this library follow), [`headwater_streams::Show`] for types of other
//! crates, `Debug`, and else the name of the type. Which one applies is settled while the cell
//! compiles, so that a trailing expression needs no second try.

use std::fmt::{Debug, Write};

use headwater_streams::Show;
use headwater_streams::display;
use headwater_streams::frame::Bundle;

use super::protocol::Format;
use super::settings;

/// Shows the value of an expression as the result of the cell.
#[macro_export]
macro_rules! show_value {
    ($value:expr) => {
        match &($value) {
            value => {
                #[allow(unused_imports)]
                use $crate::cell::show::{
                    Answer as _, ByDebug as _, ByName as _, ByShow as _, NoDisplay as _,
                };
                // A reference, so that a method of the type or of a trait in scope is found
                // before the one that stands in, which takes a reference to a reference.
                if !(&*value).evcxr_display().has_shown() {
                    (&&&$crate::cell::show::Shown(value)).show_it();
                }
            }
        }
    };
}

/// Stands in where neither the type nor a trait in scope has a method `evcxr_display`.
pub trait NoDisplay {
    fn evcxr_display(&self) -> NotShown {
        NotShown
    }
}

impl<T: ?Sized> NoDisplay for &T {}

/// The answer of a type without `evcxr_display`.
pub struct NotShown;

/// Tells the two kinds of `evcxr_display` apart by what they return.
pub trait Answer {
    fn has_shown(&self) -> bool;
}

impl Answer for NotShown {
    fn has_shown(&self) -> bool {
        false
    }
}

impl Answer for () {
    fn has_shown(&self) -> bool {
        true
    }
}

/// Wraps the value for the choice between the traits below: the fewer references the compiler
/// has to take off, the sooner it stops.
pub struct Shown<'a, T: ?Sized>(pub &'a T);

pub trait ByShow {
    fn show_it(&self);
}

impl<T: Show + ?Sized> ByShow for &&Shown<'_, T> {
    fn show_it(&self) {
        self.0.show_result();
    }
}

pub trait ByDebug {
    fn show_it(&self);
}

impl<T: Debug + ?Sized> ByDebug for &Shown<'_, T> {
    fn show_it(&self) {
        show_debug(&self.0, std::any::type_name::<T>());
    }
}

pub trait ByName {
    fn show_it(&self);
}

impl<T: ?Sized> ByName for Shown<'_, T> {
    fn show_it(&self) {
        show_text(format!(
            "a value of type {}, which implements neither Debug nor Display",
            std::any::type_name::<T>()
        ));
    }
}

/// A text longer than this is cut: nobody reads it, and pages become slow.
const BYTES: usize = 20_000;

fn show_debug(value: &dyn Debug, type_name: &str) {
    let settings = settings::get();
    let mut text = Cut::default();
    // It stops writing where the text is cut, so that a long list is not printed in vain.
    let _ = match settings.result {
        Format::Pretty => write!(text, "{value:#?}"),
        Format::Debug | Format::Display => write!(text, "{value:?}"),
    };
    let Cut { mut text, is_cut } = text;
    if is_cut {
        let _ = write!(text, "… (cut at {BYTES} bytes)");
    }
    // The unit value is what statements without a result end in.
    if text == "()" {
        return;
    }
    show_text(if settings.types {
        format!("{text}: {type_name}")
    } else {
        text
    });
}

/// Takes text up to a length, and nothing after.
#[derive(Default)]
struct Cut {
    text: String,
    is_cut: bool,
}

impl Write for Cut {
    fn write_str(&mut self, more: &str) -> std::fmt::Result {
        let room = BYTES.saturating_sub(self.text.len());
        if more.len() <= room {
            self.text.push_str(more);
            return Ok(());
        }
        let end = (0..=room).rev().find(|at| more.is_char_boundary(*at));
        self.text.push_str(&more[..end.unwrap_or(0)]);
        self.is_cut = true;
        Err(std::fmt::Error)
    }
}

fn show_text(text: String) {
    display::result(Bundle::from([("text/plain".to_owned(), text)]));
}
