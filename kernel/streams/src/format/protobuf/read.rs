//! Reads messages.

use std::sync::Arc;

use prost_reflect::DynamicMessage;

use super::value::cell;
use super::{Message, dtype};
use crate::format::{Parse, Parsed, Refused, Shape};
use crate::record::cell::Cell;

/// Reads the records of one message type.
pub(crate) struct Parser {
    message: Arc<Message>,
    shape: Arc<Shape>,
}

impl Parser {
    pub fn new(message: Arc<Message>) -> Parser {
        let column = |field| {
            (
                prost_reflect::FieldDescriptor::name(field).into(),
                dtype(field),
            )
        };
        let columns = message.fields.iter().map(column).collect();
        Parser {
            shape: Arc::new(Shape { columns }),
            message,
        }
    }
}

impl Parse for Parser {
    fn parse<'a>(&mut self, payload: &'a [u8]) -> Result<Parsed<'a>, Refused> {
        let refused =
            |why: String| Refused::Record(format!("not a message {}: {why}", self.message.name()));
        let message = DynamicMessage::decode(self.message.descriptor.clone(), payload)
            .map_err(|cause| refused(cause.to_string()))?;
        let cells = self.message.fields.iter().map(|field| {
            match field.supports_presence() && !message.has_field(field) {
                true => Ok(Cell::Null),
                false => cell(&message.get_field(field), field),
            }
        });
        Ok(Parsed {
            shape: self.shape.clone(),
            cells: cells.collect::<Result<_, _>>().map_err(refused)?,
        })
    }
}
