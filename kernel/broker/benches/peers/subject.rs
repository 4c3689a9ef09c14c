//! The brokers that are compared, each in a process of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use headwater_broker::{Flush, Server, ServerConfig};

/// A broker and how it is set up.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Memory,
    /// Files, written before the reply and synced by the operating system when it likes: what
    /// Apache Kafka does too.
    Disk,
    /// Files, synced before the reply.
    Synced,
    Apache,
}

impl Kind {
    pub const ALL: [Kind; 4] = [Kind::Memory, Kind::Disk, Kind::Synced, Kind::Apache];

    pub fn name(self) -> &'static str {
        match self {
            Kind::Memory => "memory",
            Kind::Disk => "disk",
            Kind::Synced => "synced",
            Kind::Apache => "apache",
        }
    }
}

/// A running broker; it is stopped when this drops.
pub struct Subject {
    pub bootstrap: String,
    /// The process to look at: for Apache Kafka the JVM, not the script that started it.
    pub pid: u32,
    child: Child,
    _folder: tempfile::TempDir,
}

impl Subject {
    /// Starts a broker and returns when it has answered a metadata request.
    pub fn start(kind: Kind) -> Subject {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut command = match kind {
            Kind::Apache => {
                let scripts = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients");
                let mut command = Command::new("python3");
                command.arg(format!("{scripts}/apache_kafka.py"));
                command
            }
            _ => {
                let mut command = Command::new(std::env::current_exe().expect("a path"));
                command.arg("broker").arg(kind.name()).arg(folder.path());
                command
            }
        };
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the broker's process starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("stdout is piped"))
            .read_line(&mut line)
            .expect("the broker tells its address");
        let word_after = |word: &str| {
            let (_, rest) = line.split_once(word)?;
            rest.split([',', ' ', '\n']).next().map(str::to_owned)
        };
        let bootstrap = word_after(" at ").unwrap_or_else(|| panic!("no address in: {line}"));
        let pid = word_after("process ").and_then(|digits| digits.parse().ok());
        first_metadata(&bootstrap);
        Subject {
            bootstrap,
            pid: pid.unwrap_or(child.id()),
            child,
            _folder: folder,
        }
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        // Ours ends with its standard input, Apache Kafka's script with Ctrl-C.
        drop(self.child.stdin.take());
        // SAFETY: a plain system call on a child that was not waited for yet.
        unsafe { libc::kill(self.child.id() as libc::pid_t, libc::SIGINT) };
        let _ = self.child.wait();
    }
}

/// The broker process: tells its address, and ends with its standard input.
pub fn serve(arguments: &[String]) {
    let kind = arguments.first().map_or("memory", String::as_str);
    let mut config = ServerConfig::default();
    if kind != Kind::Memory.name() {
        config.data_dir = arguments.get(1).map(Into::into);
        config.flush = match kind == Kind::Synced.name() {
            true => Flush::Batch,
            false => Flush::None,
        };
    }
    let server = Server::start(config).expect("a free port");
    println!("broker at {}", server.bootstrap());
    std::io::stdin()
        .read_to_end(&mut Vec::new())
        .expect("stdin ends");
}

/// Asks for metadata, version 0, and waits for the answer.
fn first_metadata(bootstrap: &str) {
    let mut socket = TcpStream::connect(bootstrap).expect("a connection");
    socket
        .set_read_timeout(Some(Duration::from_secs(60)))
        .expect("a time limit");
    let request = [0, 0, 0, 14, 0, 3, 0, 0, 0, 0, 0, 1, 0xff, 0xff, 0, 0, 0, 0];
    socket.write_all(&request).expect("sent");
    let mut answer = [0; 8];
    socket.read_exact(&mut answer).expect("an answer");
    assert_eq!(answer[4..], [0, 0, 0, 1]);
}
