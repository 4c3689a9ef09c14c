//! The child process that runs cells: started, talked to, interrupted, mourned.

use std::net::{TcpListener, TcpStream};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::frame::{self, Hello};
use super::protocol::{self, Described, Outcome, Reply, Request};
use super::pump::{LastWords, Pump};
use super::{Error, Options, Sink, stdin};
use crate::setup::DATASETS_ENV;

/// How long the child may take to load the prelude on a busy machine.
const START_DEADLINE: Duration = Duration::from_secs(60);

/// A child, from its start to its end.
pub struct Process {
    child: Child,
    /// Comes from the thread that accepts the child's connections.
    connected: Receiver<Result<TcpStream, Error>>,
    run: Option<TcpStream>,
    ended: Receiver<u64>,
    /// The cell that text on stdout and stderr belongs to; the pump reads it.
    current: Arc<AtomicU64>,
    last_words: LastWords,
    /// What the child said of the variables that the last cell touched.
    described: Vec<Described>,
}

/// How the child left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Death {
    status: Option<ExitStatus>,
    /// The end of what it wrote to stderr.
    last_words: String,
}

impl Death {
    /// Says what happened, in a few words.
    pub fn describe(&self) -> String {
        // The standard library's own words before it aborts.
        if self.last_words.contains("has overflowed its stack") {
            return "it overflowed its stack".to_owned();
        }
        if let Some((_, bytes)) = self.last_words.rsplit_once("memory allocation of ") {
            let bytes = bytes.split(' ').next().unwrap_or_default();
            return format!("it asked for {bytes} bytes, and there was no memory for it");
        }
        let Some(status) = self.status else {
            return "its process is gone".to_owned();
        };
        match (status.code(), status.signal()) {
            (Some(code), _) => format!("it ended its process with exit code {code}"),
            (_, Some(libc::SIGABRT)) => "its process was aborted (SIGABRT)".to_owned(),
            (_, Some(libc::SIGSEGV)) => {
                "its process overflowed the stack or touched memory that is not its own (SIGSEGV)"
                    .to_owned()
            }
            (_, Some(libc::SIGBUS)) => {
                "its process touched memory that is not there (SIGBUS)".to_owned()
            }
            (_, Some(libc::SIGKILL)) => {
                "its process was killed (SIGKILL); it may have run out of memory".to_owned()
            }
            (_, Some(signal)) => format!("its process was ended by signal {signal}"),
            _ => "its process is gone".to_owned(),
        }
    }
}

impl Process {
    /// Starts a child and returns at once; it loads the prelude while the first cell compiles.
    ///
    /// # Errors
    /// When no process can be started.
    pub fn start(options: &Options, dylib: &std::path::Path, sink: Sink) -> Result<Process, Error> {
        let broken = |error: std::io::Error| {
            Error::new(
                "the process for cells cannot be started",
                error.to_string(),
                "headwater doctor",
            )
        };
        let listener = TcpListener::bind("127.0.0.1:0").map_err(broken)?;
        let address = listener.local_addr().map_err(broken)?;
        let (display, run) = (
            Uuid::new_v4().simple().to_string(),
            Uuid::new_v4().simple().to_string(),
        );
        let (stdin, sink) = stdin::open(sink).map_err(broken)?;
        let mut command = Command::new(options.binary()?);
        command
            .arg("child")
            .arg(dylib)
            .current_dir(&options.workdir);
        command
            .env(frame::ENV, format!("{address}/{display}"))
            .env(protocol::ENV, format!("{address}/{run}"));
        // A notebook may stand anywhere; in a clone the data sets are found all the same.
        if std::env::var_os(DATASETS_ENV).is_none()
            && let Some(root) = crate::setup::prelude::workspace()
        {
            command.env(DATASETS_ENV, root.join("datasets"));
        }
        if let Some(control) = &options.control {
            command.env(headwater_broker::control::ENV, control);
        }
        command
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // A group of its own: Ctrl-C in a terminal is for the kernel, which passes it on once.
        command.process_group(0);
        let mut child = command.spawn().map_err(broken)?;
        let (stdout, stderr) = (
            child.stdout.take().expect("piped"),
            child.stderr.take().expect("piped"),
        );
        let (send_connected, connected) = channel();
        let (send_ended, ended) = channel();
        let (current, id) = (Arc::new(AtomicU64::new(0)), child.id());
        let cell = current.clone();
        let last_words = LastWords::default();
        let words = last_words.clone();
        std::thread::Builder::new()
            .name("pump".to_owned())
            .spawn(move || match accept(&listener, id, &display, &run) {
                Ok((display_socket, run_socket)) => {
                    drop(listener);
                    let _ = send_connected.send(Ok(run_socket));
                    Pump {
                        stdout,
                        stderr,
                        display: display_socket,
                        token: display,
                        cell,
                        sink,
                        ended: send_ended,
                        last_words: words,
                    }
                    .run();
                }
                Err(error) => {
                    let said = std::io::read_to_string(stderr).unwrap_or_default();
                    let error = Error::new(
                        "the process for cells did not come up",
                        format!("{error}; {said}"),
                        "headwater install, then restart the kernel",
                    );
                    let _ = send_connected.send(Err(error));
                }
            })
            .map_err(broken)?;
        Ok(Process {
            child,
            connected,
            run: None,
            ended,
            current,
            last_words,
            described: Vec::new(),
        })
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until the child takes cells; returns whether it has just come up.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn ready(&mut self) -> Result<bool, Error> {
        if self.run.is_some() {
            return Ok(false);
        }
        let gone = || {
            Error::new(
                "the process for cells did not come up",
                "no word from it",
                "headwater doctor",
            )
        };
        let mut socket = self
            .connected
            .recv_timeout(START_DEADLINE)
            .map_err(|_| gone())??;
        match frame::read(&mut socket) {
            Ok(Reply::Ready) => {}
            _ => return Err(gone()),
        }
        self.run = Some(socket);
        Ok(true)
    }

    /// Runs a compiled cell and waits until it has ended and all it printed is passed on.
    ///
    /// # Errors
    /// How the child died, where it did.
    pub fn run(&mut self, cell: u64, library: String, entry: String) -> Result<Outcome, Death> {
        self.current.store(cell, Ordering::SeqCst);
        let outcome = self.ask(&Request::Run {
            cell,
            library,
            entry,
        });
        match outcome {
            Some(Reply::Done {
                outcome, described, ..
            }) => {
                self.described = described;
                while self
                    .ended
                    .recv_timeout(Duration::from_secs(10))
                    .is_ok_and(|ended| ended != cell)
                {}
                Ok(outcome)
            }
            _ => Err(self.bury()),
        }
    }

    /// Takes what the child said of the variables that the last cell touched.
    pub fn take_described(&mut self) -> Vec<Described> {
        std::mem::take(&mut self.described)
    }

    /// Drops variables in the child.
    pub fn forget(&mut self, names: &[String]) {
        if !names.is_empty() {
            let names = names.to_vec();
            self.tell(&Request::Forget { names });
        }
    }

    /// Sends a request that has no answer. Where the child is gone, the next cell will say so.
    pub fn tell(&mut self, request: &Request) {
        if let Some(socket) = self.run.as_mut() {
            let _ = frame::write(socket, request);
        }
    }

    fn ask(&mut self, request: &Request) -> Option<Reply> {
        let socket = self.run.as_mut()?;
        frame::write(socket, request).ok()?;
        frame::read(socket).ok()
    }

    /// Waits for the end of a child that has closed its channel, and of its output.
    fn bury(&mut self) -> Death {
        let deadline = Instant::now() + Duration::from_secs(5);
        let status = loop {
            match self.child.try_wait() {
                Ok(Some(status)) => break Some(status),
                Ok(None) if Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(5))
                }
                _ => break None,
            }
        };
        // The pump's end closes this channel: then everything that was said is passed on.
        while self.ended.recv_timeout(Duration::from_secs(5)).is_ok() {}
        Death {
            status,
            last_words: self.last_words.take(),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Accepts the child's two connections; anything without one of the tokens is turned away.
fn accept(
    listener: &TcpListener,
    child: u32,
    display: &str,
    run: &str,
) -> std::io::Result<(TcpStream, TcpStream)> {
    listener.set_nonblocking(true)?;
    let deadline = Instant::now() + START_DEADLINE;
    let (mut display_socket, mut run_socket) = (None, None);
    while display_socket.is_none() || run_socket.is_none() {
        match listener.accept() {
            Ok((mut socket, _)) => {
                socket.set_nonblocking(false)?;
                socket.set_nodelay(true)?;
                socket.set_read_timeout(Some(Duration::from_secs(5)))?;
                let Ok(hello) = frame::read::<Hello>(&mut socket) else {
                    continue;
                };
                socket.set_read_timeout(None)?;
                if hello.token == display {
                    display_socket = Some(socket);
                } else if hello.token == run {
                    run_socket = Some(socket);
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                if has_ended(child) {
                    return Err(std::io::Error::other("it ended at once"));
                }
                if Instant::now() > deadline {
                    return Err(std::io::Error::other("it did not connect within 60 s"));
                }
                std::thread::sleep(Duration::from_millis(2));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(display_socket
        .zip(run_socket)
        .expect("the loop ends when both are there"))
}

/// Returns whether a child has ended, and leaves its status for `wait` to fetch.
fn has_ended(child: u32) -> bool {
    // SAFETY: all zeros is a valid siginfo_t, and the call writes nothing else.
    unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        let options = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
        libc::waitid(libc::P_PID, child, &mut info, options) == 0 && info.si_signo != 0
    }
}
