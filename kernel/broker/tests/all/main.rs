//! The broker as its clients see it (rdkafka), and its core without sockets.

mod clients;
mod stepped;

mod changes;
mod codecs;
mod control;
mod garbage;
mod groups;
mod idempotence;
mod limits;
mod members;
mod offsets;
mod topics;
mod versions;
mod waiting;
