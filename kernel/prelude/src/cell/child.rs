//! The child's main loop: load a cell, run it, say how it ended.

use std::net::TcpStream;

use headwater_streams::{display, frame, interrupt};

use super::protocol::{self, Outcome, Reply, Request};
use super::{flush, guard, input, settings, store, threads};

type Entry = unsafe extern "C-unwind" fn();

/// Runs cells until the kernel goes away. The kernel's binary calls this after loading the
/// shared object that this crate is compiled into; it returns the process's exit code.
#[unsafe(no_mangle)]
pub extern "C" fn headwater_child_main() -> i32 {
    headwater_course::attempt::serve_if_asked();
    guard::install_panic_hook();
    catch_interrupts();
    go_first_when_memory_is_short();
    match serve() {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("the process that runs cells lost its kernel: {error}");
            1
        }
    }
}

fn serve() -> std::io::Result<()> {
    display::connect()?;
    input::connect()?;
    // SAFETY: ends the process at once, which is the point: a busy cell must not outlive its kernel.
    display::when_kernel_ends(|| unsafe { libc::_exit(0) })?;
    let place = std::env::var(protocol::ENV).map_err(std::io::Error::other)?;
    let (address, token) = place.split_once('/').unwrap_or((&place, ""));
    let mut kernel = TcpStream::connect(address)?;
    kernel.set_nodelay(true)?;
    frame::write(
        &mut kernel,
        &frame::Hello {
            token: token.to_owned(),
        },
    )?;
    flush::start()?;
    frame::write(&mut kernel, &Reply::Ready)?;
    loop {
        match frame::read(&mut kernel) {
            Ok(Request::Run {
                cell,
                library,
                entry,
            }) => {
                interrupt::clear();
                display::enter_cell(cell);
                threads::cell_runs(cell);
                flush::cell_runs(true);
                let outcome = run(&library, &entry);
                flush::cell_runs(false);
                let mark = display::end_cell();
                let described = store::describe_touched();
                let done = Reply::Done {
                    mark,
                    outcome,
                    described,
                };
                frame::write(&mut kernel, &done)?;
            }
            Ok(Request::Forget { names }) => names.iter().for_each(|name| store::forget(name)),
            Ok(Request::Set(settings)) => settings::set(settings),
            // SAFETY: set between cells, on the thread that runs them, as the person asked for;
            // a thread of an earlier cell that reads the environment through libc at this very
            // moment is the risk that `:env` has in evcxr, too.
            Ok(Request::Environment { name, value }) => unsafe { std::env::set_var(name, value) },
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

fn run(library: &str, entry: &str) -> Outcome {
    let entry = match load(library, entry) {
        Ok(entry) => entry,
        Err(message) => return Outcome::Unloadable { message },
    };
    // SAFETY: the kernel generated the function with this very signature.
    let left = std::panic::catch_unwind(|| unsafe { entry() });
    match left {
        Ok(()) => guard::take_outcome(),
        // Outside the guard only taking and putting variables back can panic.
        Err(payload) => Outcome::Panicked {
            message: guard::message_of(&*payload),
            line: 0,
        },
    }
}

/// Loads a cell. It is never unloaded: variables, threads and vtables point into it.
fn load(library: &str, entry: &str) -> Result<Entry, String> {
    let library = std::ffi::CString::new(library).map_err(|error| error.to_string())?;
    let entry = std::ffi::CString::new(entry).map_err(|error| error.to_string())?;
    // SAFETY: both strings are valid; the symbol is a function of type `Entry` (see `run`).
    unsafe {
        let handle = libc::dlopen(library.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL);
        if handle.is_null() {
            return Err(loader_error());
        }
        let symbol = libc::dlsym(handle, entry.as_ptr());
        if symbol.is_null() {
            return Err(loader_error());
        }
        Ok(std::mem::transmute::<*mut libc::c_void, Entry>(symbol))
    }
}

fn loader_error() -> String {
    // SAFETY: dlerror returns null or a C string that stays valid until the next dl call.
    unsafe {
        let text = libc::dlerror();
        if text.is_null() {
            return "the loader gave no reason".to_owned();
        }
        std::ffi::CStr::from_ptr(text)
            .to_string_lossy()
            .into_owned()
    }
}

/// Makes the system end this process, rather than the kernel with its broker and their data,
/// where a cell takes all memory there is.
fn go_first_when_memory_is_short() {
    // Elsewhere than on Linux there is no such file, and no such choice.
    let _ = std::fs::write("/proc/self/oom_score_adj", "900");
}

fn catch_interrupts() {
    extern "C" fn note(_: libc::c_int) {
        interrupt::raise();
    }
    // SAFETY: the handler only stores to an atomic.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = note as extern "C" fn(libc::c_int) as usize;
        action.sa_flags = libc::SA_RESTART;
        libc::sigaction(libc::SIGINT, &action, std::ptr::null_mut());
    }
}
