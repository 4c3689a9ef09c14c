//! The one error of this library, with three parts: what went wrong, what was there, what to type.

use std::fmt;
use std::sync::Arc;

/// What every call of this library returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Says what went wrong, what was there instead, and what to type.
///
/// `Debug` prints the same text as `Display`, so that a cell which ends in `?` shows a message
/// and not the fields of a struct.
///
/// # Example
/// ```
/// let error = headwater_streams::Replay::dataset("flihgts").err().expect("no such data set");
/// assert!(error.is_missing_data());
/// assert!(error.to_string().starts_with("no data set `flihgts`"));
/// ```
#[derive(Clone)]
pub struct Error(Box<Parts>);

#[derive(Clone)]
struct Parts {
    kind: Kind,
    what: String,
    have: Option<String>,
    hint: Option<String>,
    cause: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Invalid,
    Interrupted,
    MissingData,
    UnknownColumn,
    UnknownTopic,
    Unreachable,
    TimedOut,
    Kafka,
}

impl Error {
    /// Returns an error about something that was asked for wrongly.
    pub fn new(what: impl Into<String>) -> Error {
        Error::of(Kind::Invalid, what.into())
    }

    /// Returns the error of a call that was interrupted.
    pub fn interrupted() -> Error {
        Error::of(Kind::Interrupted, "interrupted".into())
            .hint("run the cell again; variables and topics are untouched")
    }

    /// Returns this error with the line that says what was there.
    pub fn have(mut self, have: impl Into<String>) -> Error {
        self.0.have = Some(have.into());
        self
    }

    /// Returns this error with the line that says what to type.
    pub fn hint(mut self, hint: impl Into<String>) -> Error {
        self.0.hint = Some(hint.into());
        self
    }

    /// Returns this error with the error that caused it as its source.
    pub fn caused_by(mut self, cause: impl std::error::Error + Send + Sync + 'static) -> Error {
        self.0.cause = Some(Arc::new(cause));
        self
    }

    /// Returns whether the call was interrupted.
    pub fn is_interrupted(&self) -> bool {
        self.0.kind == Kind::Interrupted
    }

    /// Returns whether a data set or file is not there.
    pub fn is_missing_data(&self) -> bool {
        self.0.kind == Kind::MissingData
    }

    /// Returns whether a column is not there.
    pub fn is_unknown_column(&self) -> bool {
        self.0.kind == Kind::UnknownColumn
    }

    /// Returns whether a topic is not there.
    pub fn is_unknown_topic(&self) -> bool {
        self.0.kind == Kind::UnknownTopic
    }

    /// Returns whether no broker answered.
    pub fn is_unreachable(&self) -> bool {
        self.0.kind == Kind::Unreachable
    }

    /// Returns whether something did not happen within its time limit.
    pub fn is_timed_out(&self) -> bool {
        self.0.kind == Kind::TimedOut
    }

    /// Returns whether the Kafka client or the broker refused.
    pub fn is_kafka(&self) -> bool {
        self.0.kind == Kind::Kafka
    }

    /// Says that a thread of ours has panicked, and with which message.
    pub(crate) fn panicked(what: &str, cause: &(dyn std::any::Any + Send)) -> Error {
        let said = cause
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| cause.downcast_ref::<&str>().copied());
        Error::new(format!("{what} has panicked")).have(said.unwrap_or("no message").to_owned())
    }

    pub(crate) fn missing_data(what: String) -> Error {
        Error::of(Kind::MissingData, what)
    }

    pub(crate) fn unknown_topic(what: String) -> Error {
        Error::of(Kind::UnknownTopic, what)
    }

    pub(crate) fn unreachable(what: String) -> Error {
        Error::of(Kind::Unreachable, what)
    }

    pub(crate) fn timed_out(what: String) -> Error {
        Error::of(Kind::TimedOut, what)
    }

    /// Says which column is missing where, what the columns are, and which one was likely meant.
    pub(crate) fn unknown_column(
        name: &str,
        place: &str,
        schema: &polars::prelude::Schema,
    ) -> Error {
        let columns: Vec<String> = schema
            .iter()
            .map(|(name, dtype)| format!("{name} ({dtype})"))
            .collect();
        let columns = if columns.is_empty() {
            "no columns at all".into()
        } else {
            columns.join(", ")
        };
        let error = Error::of(
            Kind::UnknownColumn,
            format!("no column `{name}` in {place}"),
        )
        .have(columns);
        match crate::name::nearest(name, schema.iter_names().map(|name| name.as_str())) {
            Some(near) => error.hint(format!("\"{near}\"")),
            None => error.hint("one of these names"),
        }
    }

    fn of(kind: Kind, what: String) -> Error {
        Error(Box::new(Parts {
            kind,
            what,
            have: None,
            hint: None,
            cause: None,
        }))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.what)?;
        if let Some(have) = &self.0.have {
            write!(f, "\n  have: {have}")?;
        }
        if let Some(hint) = &self.0.hint {
            write!(f, "\n  try:  {hint}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.cause.as_deref().map(|cause| cause as _)
    }
}

impl From<polars::error::PolarsError> for Error {
    fn from(cause: polars::error::PolarsError) -> Error {
        let text = cause.to_string();
        let first = text.lines().next().unwrap_or_default().to_owned();
        Error::new("Polars could not do this")
            .have(first)
            .caused_by(cause)
    }
}

impl From<rdkafka::error::KafkaError> for Error {
    fn from(cause: rdkafka::error::KafkaError) -> Error {
        use rdkafka::error::RDKafkaErrorCode::{
            UnknownPartition, UnknownTopic, UnknownTopicOrPartition,
        };
        let gone = matches!(
            cause.rdkafka_error_code(),
            Some(UnknownPartition | UnknownTopic | UnknownTopicOrPartition)
        );
        let error = match gone {
            true => Error::unknown_topic("the topic is no longer there".into())
                .hint("cluster.topic(\"name\", partitions(3))? opens or creates it"),
            false => Error::of(Kind::Kafka, "the Kafka client reports an error".into())
                .hint("cluster.describe()? to see whether the broker is there and what it holds"),
        };
        error.have(cause.to_string()).caused_by(cause)
    }
}
