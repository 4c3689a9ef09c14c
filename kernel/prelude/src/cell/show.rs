//! Shows the value of a cell's last expression, in the richest form that its type offers.
//!
//! In this order: a method `evcxr_display` of the type itself (the convention of evcxr, which
//! all public types of this library follow), [`headwater_streams::Show`] for types of other
//! crates, `Debug`, and else the name of the type. Which one applies is settled while the cell
//! compiles, so that a trailing expression needs no second try.

use std::fmt::Debug;

use headwater_streams::Show;
use headwater_streams::display;
use headwater_streams::frame::Bundle;

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

fn show_debug(value: &dyn Debug, type_name: &str) {
    let settings = settings::get();
    let text = settings::debug(value, settings.result);
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

fn show_text(text: String) {
    display::result(Bundle::from([("text/plain".to_owned(), text)]));
}
