//! One value of a record, whatever the record is written in.

use std::borrow::Cow;
use std::fmt;

/// A value; an array or object is kept as its JSON text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Cow<'a, str>),
    Bytes(Cow<'a, [u8]>),
}

/// Shows the value as messages do.
impl fmt::Display for Cell<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cell::Null => f.write_str("null"),
            Cell::Bool(value) => write!(f, "{value}"),
            Cell::Int(value) => write!(f, "{value}"),
            Cell::Float(value) => write!(f, "{value}"),
            Cell::Text(text) => write!(f, "the text {text:?}"),
            Cell::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
        }
    }
}
