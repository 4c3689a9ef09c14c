//! The one error of this crate: what went wrong, what was there, what to type instead.

use std::fmt;

/// Result of everything in this crate that can fail for its caller.
pub type Result<T> = std::result::Result<T, Error>;

/// Tells why a broker, or the channel that asks for one, could not do what was asked.
#[derive(thiserror::Error)]
pub enum Error {
    /// The address to listen on was taken or not ours.
    #[error("cannot listen on {address}\n  have: {source}\n  try:  port 0, which picks a free one")]
    Listen {
        address: String,
        #[source]
        source: std::io::Error,
    },
    /// A cluster of no node, or of too many.
    #[error("no cluster of {nodes} nodes\n  try:  1 to {most} nodes")]
    Nodes { nodes: usize, most: usize },
    /// The cluster has no node of this id.
    #[error("no node {node} in this cluster\n  have: nodes 1 to {nodes}\n  try:  one of these")]
    UnknownNode { node: i32, nodes: usize },
    /// The operating system gave no thread or no timer.
    #[error("cannot start the broker's thread\n  have: {0}\n  try:  closing other programs")]
    Thread(#[source] std::io::Error),
    /// Nobody answered, or the answer broke off.
    #[error(
        "no answer from the broker's control channel at {place}\n  have: {source}\n  try:  restarting the kernel"
    )]
    Control {
        place: String,
        #[source]
        source: std::io::Error,
    },
    /// The other side answered that it will not.
    #[error("the broker's control channel refused\n  have: {why}\n  try:  restarting the kernel")]
    Refused { why: String },
    /// A file with users, a certificate or a key that cannot be used.
    #[error("cannot use {path}\n  have: {why}\n  try:  another file, or mend this one")]
    SecretFile { path: String, why: String },
    /// A name or a password that cannot be a user's.
    #[error("no user `{name}` was made\n  have: {why}\n  try:  another name or password")]
    User { name: String, why: String },
    /// The disk was full, or a file could not be read or written.
    #[error(
        "cannot use the data directory\n  have: {path}: {source}\n  try:  room on the disk, and rights to the files"
    )]
    Storage {
        path: String,
        #[source]
        source: std::io::Error,
    },
    /// Another process has the directory.
    #[error(
        "the data directory is in use\n  have: {dir}, which another broker has locked\n  try:  stopping that broker, or another directory"
    )]
    DirectoryInUse { dir: String },
    /// The directory was not made by a broker.
    #[error(
        "this is no data directory\n  have: {dir}, with `{found}` in it\n  try:  an empty or a new directory"
    )]
    NotADataDirectory { dir: String, found: String },
    /// The directory was written by another version.
    #[error(
        "the data directory has another format\n  have: {file}: `{found}`\n  try:  the version of Headwater that wrote it, or another directory"
    )]
    DirectoryFormat { file: String, found: String },
    /// The directory belongs to a cluster of other nodes.
    #[error(
        "the data directory belongs to another cluster\n  have: {have}\n  try:  starting as many nodes as wrote it, or another directory"
    )]
    OtherCluster { have: String },
    /// A file holds what no crash explains; going on would hide that records are missing.
    #[error(
        "the data directory is damaged\n  have: {file}, offset {offset}, byte {position}: {why}\n  try:  bringing the file back from a copy; or moving it and what follows it in the log away, which loses those records"
    )]
    Damaged {
        file: String,
        offset: i64,
        position: u64,
        why: String,
    },
    /// `HEADWATER_CONTROL` does not hold `address/token`.
    #[error("no control channel in `{place}`\n  try:  127.0.0.1:<port>/<token>")]
    Place { place: String },
}

/// Equals `Display`, so that a `?` in a cell prints the message and no Rust structure.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error {
    /// Returns true where the other side of the control channel said no (wrong token, bad name).
    pub fn is_refused(&self) -> bool {
        matches!(self, Error::Refused { .. })
    }
}
