//! Records that are one value: text, or bytes as they are.

use std::borrow::Cow;
use std::sync::Arc;

use polars::prelude::DataType;

use super::{Parse, Parsed, Refused, Shape, VALUE};
use crate::record::cell::Cell;

/// Reads text.
pub(super) struct Texts(Arc<Shape>);

/// Reads bytes.
pub(super) struct Bytes(Arc<Shape>);

impl Texts {
    pub fn new() -> Texts {
        Texts(one(DataType::String))
    }
}

impl Bytes {
    pub fn new() -> Bytes {
        Bytes(one(DataType::Binary))
    }
}

impl Parse for Texts {
    fn parse<'a>(&mut self, payload: &'a [u8]) -> Result<Parsed<'a>, Refused> {
        let text = std::str::from_utf8(payload).map_err(|cause| {
            Refused::Record(format!("not UTF-8 from byte {} on", cause.valid_up_to()))
        })?;
        Ok(Parsed {
            shape: self.0.clone(),
            cells: vec![Cell::Text(Cow::Borrowed(text))],
        })
    }
}

impl Parse for Bytes {
    fn parse<'a>(&mut self, payload: &'a [u8]) -> Result<Parsed<'a>, Refused> {
        Ok(Parsed {
            shape: self.0.clone(),
            cells: vec![Cell::Bytes(Cow::Borrowed(payload))],
        })
    }
}

fn one(dtype: DataType) -> Arc<Shape> {
    Arc::new(Shape {
        columns: vec![(VALUE.into(), dtype)],
    })
}
