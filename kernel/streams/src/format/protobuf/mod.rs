//! Records in Protobuf's binary encoding
//! ([specification](https://protobuf.dev/programming-guides/encoding/)), one message a record.
//!
//! Columns: bool is bool, int32 i32, int64 i64, uint32 u32, uint64 u64, float f32, double f64, string and
//! enum str, bytes binary, `google.protobuf.Timestamp` datetime\[ns, UTC\]; repeated fields, maps and other
//! messages are their JSON text. A field without a value is null where the schema tells that from its
//! default (`optional`, messages, members of a oneof).

mod read;
mod value;
mod write;

use polars::prelude::{DataType, TimeUnit, TimeZone};
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use protox::Compiler;
use protox::file::{ChainFileResolver, File, FileResolver, GoogleFileResolver};

use crate::{Error, Result};

pub(crate) use read::Parser;
pub(crate) use write::{ProtobufRows, record_of};

/// A message of a `.proto` text.
pub(crate) struct Message {
    descriptor: MessageDescriptor,
    /// In the order of the text.
    fields: Vec<FieldDescriptor>,
}

/// The text that a cell gives, as if it were a file.
struct Given(String);

const FILE: &str = "cell.proto";

impl FileResolver for Given {
    fn open_file(&self, name: &str) -> std::result::Result<File, protox::Error> {
        match name {
            FILE => File::from_source(name, &self.0),
            _ => Err(protox::Error::file_not_found(name)),
        }
    }
}

impl Message {
    /// Compiles a `.proto` text and finds a message in it, by its full name or the last part.
    pub fn compile(proto: &str, name: &str) -> Result<Message> {
        let unreadable = |cause: protox::Error| {
            Error::new("this .proto text cannot be read")
                .have(one_line(&format!("{cause:?}")))
                .hint("syntax = \"proto3\"; message Level { string gauge = 1; optional double level_cm = 2; }")
        };
        let mut files = ChainFileResolver::new();
        files.add(Given(proto.into()));
        files.add(GoogleFileResolver::new());
        let mut compiler = Compiler::with_file_resolver(files);
        compiler.include_imports(true);
        compiler.open_file(FILE).map_err(unreadable)?;
        let pool = compiler.descriptor_pool();
        let own: Vec<MessageDescriptor> = (pool.all_messages())
            .filter(|message| message.parent_file().name() == FILE)
            .collect();
        let found =
            (own.iter()).find(|message| message.full_name() == name || message.name() == name);
        let Some(descriptor) = found.cloned() else {
            let names: Vec<&str> = own.iter().map(|message| message.full_name()).collect();
            let near = crate::name::nearest(name, names.iter().copied());
            return Err(
                Error::new(format!("no message `{name}` in the .proto text"))
                    .have(names.join(", "))
                    .hint(near.map_or("one of these names".into(), |near| format!("\"{near}\""))),
            );
        };
        let mut fields: Vec<FieldDescriptor> = descriptor.fields().collect();
        fields.sort_by_key(FieldDescriptor::number);
        Ok(Message { descriptor, fields })
    }

    /// Returns the message's full name.
    pub fn name(&self) -> &str {
        self.descriptor.full_name()
    }
}

/// Returns the dtype of a field's column.
fn dtype(field: &FieldDescriptor) -> DataType {
    if field.is_list() || field.is_map() {
        return DataType::String;
    }
    match field.kind() {
        Kind::Bool => DataType::Boolean,
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => DataType::Int32,
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => DataType::Int64,
        Kind::Uint32 | Kind::Fixed32 => DataType::UInt32,
        Kind::Uint64 | Kind::Fixed64 => DataType::UInt64,
        Kind::Float => DataType::Float32,
        Kind::Double => DataType::Float64,
        Kind::Bytes => DataType::Binary,
        Kind::String | Kind::Enum(_) => DataType::String,
        Kind::Message(message) if is_timestamp(&message) => {
            DataType::Datetime(TimeUnit::Nanoseconds, Some(TimeZone::UTC))
        }
        Kind::Message(_) => DataType::String,
    }
}

fn is_timestamp(message: &MessageDescriptor) -> bool {
    message.full_name() == "google.protobuf.Timestamp"
}

/// Writes a field as a `.proto` text does, for messages.
fn word(field: &FieldDescriptor) -> String {
    let label = match (field.is_list(), field.supports_presence()) {
        (true, _) => "repeated ",
        (_, true) => "optional ",
        _ => "",
    };
    match field.kind() {
        Kind::Message(message) if field.is_map() => format!("map {}", message.name()),
        Kind::Message(message) => format!("{label}{}", message.full_name()),
        Kind::Enum(kind) => format!("{label}{}", kind.full_name()),
        kind => format!("{label}{}", format!("{kind:?}").to_lowercase()),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
