//! One value of a record as JSON gives it.

use std::borrow::Cow;

/// A JSON value; an array or object is kept as its JSON text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Cow<'a, str>),
}
