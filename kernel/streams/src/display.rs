//! Sends pictures, tables and text to the cell that caused them.
//!
//! In a notebook the kernel has put an address into the environment and this module keeps one
//! connection to it. Without a kernel (a plain program, a doctest) the text twin of whatever is
//! shown goes to standard output, and updates are dropped.

use std::cell::Cell;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::frame::{self, Bundle, Event, Frame, Hello};

/// One lock for socket and marker, held for one write: the order in which frames leave is the
/// order in which their markers stand in stdout. A std mutex, for no await happens under it.
static CHANNEL: Mutex<Option<Channel>> = Mutex::new(None);

/// The cell that runs now; see [`current_cell`].
static CURRENT: AtomicU64 = AtomicU64::new(0);

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

thread_local! {
    /// Set on threads that belong to one cell, such as a live query's.
    static OWNER: Cell<Option<u64>> = const { Cell::new(None) };
}

struct Channel {
    socket: TcpStream,
    token: String,
    mark: u64,
}

/// Connects to the kernel named by `HEADWATER_DISPLAY`; without that variable it does nothing.
///
/// # Errors
/// When the kernel does not accept the connection.
pub fn connect() -> std::io::Result<()> {
    let Ok(place) = std::env::var(frame::ENV) else {
        return Ok(());
    };
    let (address, token) = place.split_once('/').unwrap_or((&place, ""));
    let mut socket = TcpStream::connect(address)?;
    socket.set_nodelay(true)?;
    frame::write(
        &mut socket,
        &Hello {
            token: token.to_owned(),
        },
    )?;
    let channel = Channel {
        socket,
        token: token.to_owned(),
        mark: 0,
    };
    *CHANNEL.lock().expect("no panic under this lock") = Some(channel);
    Ok(())
}

/// Calls `act` from a thread of its own once the kernel is gone, however it went: the system
/// closes its end of the connection. The cell runner ends the process with it.
///
/// # Errors
/// When the connection cannot be watched.
pub fn when_kernel_ends(act: fn()) -> std::io::Result<()> {
    let channel = CHANNEL.lock().expect("no panic under this lock");
    let Some(channel) = channel.as_ref() else {
        return Ok(());
    };
    let mut socket = channel.socket.try_clone()?;
    std::thread::Builder::new()
        .name("kernel watch".to_owned())
        .spawn(move || {
            // The kernel never writes here, so that this returns only at the end.
            let _ = socket.read(&mut [0]);
            act();
        })?;
    Ok(())
}

/// Returns whether a kernel listens.
pub fn is_connected() -> bool {
    CHANNEL.lock().is_ok_and(|channel| channel.is_some())
}

/// Returns the cell that owns this thread, or else the one that runs now.
///
/// A handle that goes on after its cell has returned keeps this number, and its thread calls
/// [`adopt`] with it.
pub fn current_cell() -> u64 {
    OWNER
        .get()
        .unwrap_or_else(|| CURRENT.load(Ordering::Relaxed))
}

/// Says that a new cell runs now. The cell runner calls it.
pub fn enter_cell(cell: u64) {
    CURRENT.store(cell, Ordering::Relaxed);
}

/// Makes everything that this thread shows land in `cell`.
pub fn adopt(cell: u64) {
    OWNER.set(Some(cell));
}

/// Returns a display id that no other display of this session has.
pub fn new_id() -> String {
    format!(
        "headwater-{}-{}",
        std::process::id(),
        NEXT_ID.fetch_add(1, Ordering::Relaxed)
    )
}

/// Shows `data` in the current cell.
pub fn show(data: Bundle) {
    send(Event::Display { id: None, data });
}

/// Shows `data` under `id`, so that [`update`] can replace it.
pub fn show_as(id: &str, data: Bundle) {
    send(Event::Display {
        id: Some(id.to_owned()),
        data,
    });
}

/// Replaces what `id` shows.
pub fn update(id: &str, data: Bundle) {
    send(Event::Update {
        id: id.to_owned(),
        data,
    });
}

/// Shows `data` as the value of the running cell.
pub fn result(data: Bundle) {
    send(Event::Result { data });
}

/// Erases what the current cell shows, at once or when it shows something next.
pub fn clear(wait: bool) {
    send(Event::Clear { wait });
}

/// Asks the kernel for a line of input; the cell runner waits for the answer that bears `number`.
/// What was printed before, also without a newline, is on the page by then.
pub fn ask(number: u64, prompt: Option<String>, password: bool) {
    send(Event::Input {
        number,
        prompt,
        password,
    });
}

/// Says that the running cell has returned: a marker in stdout and in stderr, then the frame
/// that names it. Returns the marker's number. The cell runner calls it.
pub fn end_cell() -> u64 {
    send(Event::End)
}

fn send(event: Event) -> u64 {
    let cell = current_cell();
    let mut guard = CHANNEL.lock().expect("no panic under this lock");
    let Some(channel) = guard.as_mut() else {
        drop(guard);
        print_twin(&event);
        return 0;
    };
    channel.mark += 1;
    // Text printed before this frame must come out before it: the kernel reads stdout up to here.
    let mut stdout = std::io::stdout();
    let marker = frame::marker(&channel.token, channel.mark);
    let _ = stdout.write_all(&marker);
    let _ = stdout.flush();
    if event == Event::End {
        let _ = std::io::stderr().write_all(&marker);
    }
    let mark = channel.mark;
    let frame = Frame { cell, mark, event };
    if let Err(error) = frame::write(&mut channel.socket, &frame) {
        *guard = None;
        eprintln!("the kernel's display channel is gone ({error}); pictures are shown as text");
    }
    mark
}

fn print_twin(event: &Event) {
    if let Event::Display { data, .. } | Event::Result { data } = event
        && let Some(text) = data.get("text/plain")
    {
        println!("{text}");
    }
}
