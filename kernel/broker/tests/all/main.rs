//! The broker as its clients see it (rdkafka), and its core without sockets.

mod clients;
mod keyed;
mod raw;
mod stepped;

mod changes;
mod cleaner;
mod codecs;
mod compaction;
mod consumer_histories;
mod consumers;
mod control;
mod fuzz;
mod garbage;
mod group_kinds;
mod groups;
mod idempotence;
mod inspection;
mod limits;
mod manners;
mod members;
mod nodes;
mod offsets;
mod replicas;
mod security;
mod tls;
mod topics;
mod transactional;
mod transactions;
mod txn_apis;
mod txn_clients;
mod txn_interleaved;
mod txn_offsets;
mod users;
mod versions;
mod waiting;
