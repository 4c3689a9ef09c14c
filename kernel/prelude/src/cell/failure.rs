//! What a failing `?` in a cell turns into.

use std::any::Any;
use std::fmt::{Debug, Display};
use std::panic::Location;

use super::input;

/// The error of a cell's `?`: any error type converts into it.
///
/// It deliberately implements neither `Debug` nor `Error`, for then the conversion below would
/// overlap with the one from a type to itself.
pub struct Failure {
    pub(super) name: String,
    pub(super) message: String,
    pub(super) line: u32,
}

impl<E: Debug + 'static> From<E> for Failure {
    #[track_caller]
    fn from(error: E) -> Self {
        let line = Location::caller().line();
        if let Some((name, message)) = input::explain(&error) {
            return Failure {
                name,
                message,
                line,
            };
        }
        let message = readable(&error).unwrap_or_else(|| format!("{error:?}"));
        failure(std::any::type_name::<E>(), message, &error, line)
    }
}

fn failure(type_name: &str, message: String, error: &dyn Any, line: u32) -> Failure {
    let interrupted = error
        .downcast_ref::<headwater_streams::Error>()
        .is_some_and(headwater_streams::Error::is_interrupted);
    let name = if interrupted {
        "Interrupted".to_owned()
    } else {
        let path = type_name.split('<').next().unwrap_or(type_name);
        path.rsplit("::").next().unwrap_or(path).to_owned()
    };
    Failure {
        name,
        message,
        line,
    }
}

/// Returns the error as a person reads it, for the types that are known to say it better with
/// `Display`; everything else shows its `Debug` form, for `?` asks for no more than that.
fn readable(error: &dyn Any) -> Option<String> {
    fn of<T: Display + 'static>(error: &dyn Any) -> Option<String> {
        error.downcast_ref::<T>().map(T::to_string)
    }
    of::<headwater_streams::Error>(error)
        .or_else(|| of::<polars::error::PolarsError>(error))
        .or_else(|| of::<rdkafka::error::KafkaError>(error))
        .or_else(|| of::<serde_json::Error>(error))
        .or_else(|| of::<std::io::Error>(error))
        .or_else(|| of::<Box<dyn std::error::Error>>(error))
        .or_else(|| of::<Box<dyn std::error::Error + Send + Sync>>(error))
        .or_else(|| of::<String>(error))
        .or_else(|| of::<&'static str>(error))
        .or_else(|| of::<std::num::ParseIntError>(error))
        .or_else(|| of::<std::num::ParseFloatError>(error))
}
