//! The stdin of cells: a read asks the person, through the kernel and the front end.
//!
//! At its start the child's stdin is a socket to the kernel. It moves to a descriptor of its own,
//! and stdin itself becomes `/dev/null`, so that programs that a cell starts read nothing from it.
//! Whatever in this process reads stdin ends up in [`headwater_read`]: the executable stands in
//! for the C library's `read`. A read that finds no text left asks on the display channel, behind
//! everything that the cell has printed, and waits for the answer on the socket.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use headwater_streams::frame::{self, Answer};
use headwater_streams::{display, interrupt};

/// How often a waiting read looks whether the cell was interrupted.
const LOOK: Duration = Duration::from_millis(50);

/// Held while a read waits: the next one waits behind it, as at a terminal. A std mutex.
static INPUT: Mutex<Option<Input>> = Mutex::new(None);

/// Why the last read failed; short-lived, so not behind the lock above.
static REFUSED: Mutex<Option<String>> = Mutex::new(None);

struct Input {
    socket: UnixStream,
    /// A fork of this process must not take answers away from it.
    process: u32,
    asked: u64,
    /// Text of the last answer that nobody has read yet.
    left: Vec<u8>,
}

/// Takes the socket from the place of stdin. Where stdin is something else, it stays as it is.
///
/// # Errors
/// When the system has no descriptor left.
pub(super) fn connect() -> io::Result<()> {
    if !is_socket(libc::STDIN_FILENO) {
        return Ok(());
    }
    // SAFETY: the descriptor is open, and the copy belongs to nobody else.
    let socket = unsafe {
        let copy = libc::fcntl(libc::STDIN_FILENO, libc::F_DUPFD_CLOEXEC, 3);
        if copy < 0 {
            return Err(io::Error::last_os_error());
        }
        OwnedFd::from_raw_fd(copy)
    };
    let nothing = File::open("/dev/null")?;
    // SAFETY: both descriptors are open.
    if unsafe { libc::dup2(nothing.as_raw_fd(), libc::STDIN_FILENO) } < 0 {
        return Err(io::Error::last_os_error());
    }
    *lock(&INPUT) = Some(Input {
        socket: socket.into(),
        process: std::process::id(),
        asked: 0,
        left: Vec::new(),
    });
    Ok(())
}

/// Reads stdin for the executable's `read`: up to `length` bytes, or minus the number of an error.
///
/// # Safety
/// `buffer` must have room for `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn headwater_read(buffer: *mut u8, length: usize) -> isize {
    let read = std::panic::catch_unwind(|| read(length)).unwrap_or(Err(libc::EIO));
    match read {
        Ok(text) => {
            // SAFETY: `read` gives no more than `length` bytes, for which the caller has room.
            unsafe { std::ptr::copy_nonoverlapping(text.as_ptr(), buffer, text.len()) };
            text.len().cast_signed()
        }
        Err(number) => -(number as isize),
    }
}

fn read(length: usize) -> Result<Vec<u8>, i32> {
    let mut guard = lock(&INPUT);
    let Some(input) = guard.as_mut().filter(|input| input.is_here()) else {
        return Ok(Vec::new());
    };
    if input.left.is_empty() && length > 0 {
        let mut line = input.ask(None, false)?;
        line.push('\n');
        input.left = line.into_bytes();
    }
    let taken = length.min(input.left.len());
    Ok(input.left.drain(..taken).collect())
}

/// Asks for one line.
///
/// # Errors
/// Where the front end takes no input, or the cell is interrupted.
pub(super) fn ask(prompt: Option<String>, password: bool) -> io::Result<String> {
    let mut guard = lock(&INPUT);
    let here = guard.as_mut().filter(|input| input.is_here());
    let input = here.ok_or_else(|| io::Error::other("nobody can be asked for input here"))?;
    input
        .ask(prompt, password)
        .map_err(io::Error::from_raw_os_error)
}

/// Returns name and message of an error that [`headwater_read`] caused: the number that a read can
/// fail with says too little.
pub(super) fn explain(error: &io::Error) -> Option<(String, String)> {
    match error.raw_os_error()? {
        libc::ECANCELED if interrupt::is_raised() => {
            let message = "the cell was interrupted while it waited for input";
            Some(("Interrupted".to_owned(), message.to_owned()))
        }
        libc::ENOTSUP => Some(("NoInput".to_owned(), lock(&REFUSED).clone()?)),
        _ => None,
    }
}

impl Input {
    fn is_here(&self) -> bool {
        self.process == std::process::id()
    }

    fn ask(&mut self, prompt: Option<String>, password: bool) -> Result<String, i32> {
        self.asked += 1;
        display::ask(self.asked, prompt, password);
        loop {
            if interrupt::is_raised() {
                return Err(libc::ECANCELED);
            }
            if !self.has_answer() {
                continue;
            }
            let answer: Answer = frame::read(&mut self.socket).map_err(|_| libc::EIO)?;
            // The answer to a question that was given up must not answer this one.
            if answer.number != self.asked {
                continue;
            }
            return answer.line.map_err(|reason| {
                eprintln!("{reason}");
                *lock(&REFUSED) = Some(reason);
                libc::ENOTSUP
            });
        }
    }

    /// Waits a moment for the kernel.
    fn has_answer(&self) -> bool {
        let mut entry = libc::pollfd {
            fd: self.socket.as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        };
        let limit = i32::try_from(LOOK.as_millis()).expect("a moment");
        // SAFETY: one entry, which lives through the call.
        unsafe { libc::poll(&mut entry, 1, limit) > 0 }
    }
}

fn is_socket(descriptor: i32) -> bool {
    // SAFETY: all zeros is a valid stat, and the call writes nothing else.
    unsafe {
        let mut stat: libc::stat = std::mem::zeroed();
        libc::fstat(descriptor, &mut stat) == 0 && stat.st_mode & libc::S_IFMT == libc::S_IFSOCK
    }
}

/// A panic under these locks leaves nothing half-made.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
