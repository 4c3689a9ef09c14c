//! What a failing `?` in a cell turns into.

use std::any::TypeId;
use std::fmt::{Debug, Display};
use std::marker::PhantomData;
use std::panic::Location;

use super::protocol::Format;
use super::{input, settings};

/// The error of a cell's `?`: any error type converts into it.
///
/// It deliberately implements neither `Debug` nor `Error`, for then the conversion below would
/// overlap with the one from a type to itself.
pub struct Failure {
    pub(super) name: String,
    pub(super) message: String,
    pub(super) line: u32,
}

impl<E: Debug> From<E> for Failure {
    #[track_caller]
    fn from(error: E) -> Self {
        let line = Location::caller().line();
        let format = settings::get().error;
        let known = Known::of(&error);
        if let Some((name, message)) = known.get().and_then(input::explain) {
            return Failure {
                name,
                message,
                line,
            };
        }
        let message = (format == Format::Display)
            .then(|| readable(&known))
            .flatten()
            .unwrap_or_else(|| settings::debug(&error, format));
        failure(std::any::type_name::<E>(), message, &known, line)
    }
}

fn failure(type_name: &str, message: String, error: &Known, line: u32) -> Failure {
    let interrupted = error
        .get::<headwater_streams::Error>()
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

/// An error of a type that may borrow, as a poisoned lock's does: `Any` takes only those that do
/// not.
struct Known<'a> {
    id: TypeId,
    place: *const (),
    error: PhantomData<&'a ()>,
}

impl<'a> Known<'a> {
    fn of<E>(error: &'a E) -> Known<'a> {
        Known {
            id: typeid::of::<E>(),
            place: std::ptr::from_ref(error).cast(),
            error: PhantomData,
        }
    }

    fn get<T: 'static>(&self) -> Option<&'a T> {
        // SAFETY: the error is a `T` but for lifetimes, and it is borrowed for `'a`. Where those
        // differ (a `&str` that is not static) only this module sees the reference, and copies.
        (self.id == TypeId::of::<T>()).then(|| unsafe { &*self.place.cast::<T>() })
    }
}

/// Returns the error as a person reads it, for the types that are known to say it better with
/// `Display`; everything else shows its `Debug` form, for `?` asks for no more than that.
fn readable(error: &Known) -> Option<String> {
    fn of<T: Display + 'static>(error: &Known) -> Option<String> {
        error.get::<T>().map(T::to_string)
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
