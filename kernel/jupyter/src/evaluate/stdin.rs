//! The stdin of cells, on the kernel's side: questions come over the display channel, answers go
//! back on a socket. The child's half is `prelude/src/cell/input.rs`.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use libc::{c_int, c_void, size_t, ssize_t};

use super::frame::{self, Answer, Event};
use super::{Output, Sink};

/// A cell that waits for a line of input.
#[derive(Debug, Clone)]
pub struct Question {
    /// What to show before the place to type; else the unfinished last line of the cell's stdout.
    pub prompt: Option<String>,
    pub password: bool,
    number: u64,
    /// Locked for one write.
    socket: Arc<Mutex<UnixStream>>,
}

impl Question {
    /// Gives the cell its line, without the end of it, or says why there is none.
    pub fn answer(self, line: Result<String, String>) {
        let answer = Answer {
            number: self.number,
            line,
        };
        let mut socket = self.socket.lock().expect("no panic under this lock");
        // Where the child is gone, nobody waits any more.
        let _ = frame::write(&mut *socket, &answer);
    }
}

impl PartialEq for Question {
    fn eq(&self, other: &Question) -> bool {
        self.number == other.number && Arc::ptr_eq(&self.socket, &other.socket)
    }
}

/// Returns what to start a child with as stdin, and a sink for its pump that turns the child's
/// questions into [`Output::Input`].
///
/// # Errors
/// When the system has no descriptor left.
pub fn open(sink: Sink) -> std::io::Result<(OwnedFd, Sink)> {
    let (ours, theirs) = UnixStream::pair()?;
    let socket = Arc::new(Mutex::new(ours));
    let asking: Sink = Arc::new(move |cell, output| match output {
        Output::Frame(Event::Input {
            number,
            prompt,
            password,
        }) => {
            let question = Question {
                prompt,
                password,
                number,
                socket: socket.clone(),
            };
            sink(cell, Output::Input(question));
        }
        output => sink(cell, output),
    });
    Ok((theirs.into(), asking))
}

/// Reads stdin for a cell; the prelude exports it as `headwater_read`.
pub type Reader = unsafe extern "C" fn(*mut u8, size_t) -> isize;

/// The [`Reader`] of the loaded prelude; 0 in every process that runs no cells.
static READER: AtomicUsize = AtomicUsize::new(0);

/// From here on, reads of stdin are the prelude's.
pub fn hand_over(reader: Reader) {
    READER.store(reader as usize, Ordering::SeqCst);
}

/// Does what the C library's `read` does, but asks the person where a cell reads stdin.
///
/// # Safety
/// As for `read`.
pub unsafe fn read(descriptor: c_int, buffer: *mut c_void, length: size_t) -> ssize_t {
    let reader = READER.load(Ordering::SeqCst);
    if descriptor != libc::STDIN_FILENO || reader == 0 {
        // SAFETY: the caller's promise; the call sets errno as `read` does.
        return unsafe { libc::syscall(libc::SYS_read, descriptor, buffer, length) as ssize_t };
    }
    // SAFETY: only `hand_over` stores here, and it stores such a function.
    let reader = unsafe { std::mem::transmute::<usize, Reader>(reader) };
    // SAFETY: the caller has room for `length` bytes.
    let taken = unsafe { reader(buffer.cast(), length) };
    if taken < 0 {
        // SAFETY: the place of this thread's error number.
        unsafe { *libc::__errno_location() = i32::try_from(-taken).unwrap_or(libc::EIO) };
        return -1;
    }
    taken
}
