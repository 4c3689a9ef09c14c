//! The broker as its clients see it (rdkafka), and its core without sockets.

mod clients;
mod codecs;
mod topics;
