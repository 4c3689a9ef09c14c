//! Reads everything that the child says, all the time, and passes it on in order.
//!
//! One thread waits on three sources: the child's stdout, its stderr and the display channel.
//! Each display frame names a marker that stands in stdout before it, so text printed earlier
//! goes out earlier, and the end of a cell is a frame like any other.

use std::io::{self, Read};
use std::net::TcpStream;
use std::os::fd::{AsRawFd, RawFd};
use std::process::{ChildStderr, ChildStdout};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::content::{Content, Said};
use super::frame::{Event, Frame, LIMIT};
use super::marked::Marked;
use super::{Output, Sink};

/// How long a frame waits for its marker: a cell may have closed or redirected its stdout.
const MARKER_DEADLINE: Duration = Duration::from_secs(2);

pub struct Pump {
    pub stdout: ChildStdout,
    pub stderr: ChildStderr,
    pub display: TcpStream,
    pub token: String,
    /// The cell that plain text belongs to: the one that runs, or else the last one.
    pub cell: Arc<AtomicU64>,
    pub sink: Sink,
    /// Gets the number of each cell whose output is complete.
    pub ended: Sender<u64>,
    pub last_words: LastWords,
}

/// The end of what the child has written to stderr: often the reason of its death. A std mutex,
/// locked for a copy.
#[derive(Debug, Default, Clone)]
pub struct LastWords(Arc<Mutex<String>>);

impl LastWords {
    const LENGTH: usize = 16 * 1024;

    fn add(&self, text: &str) {
        let mut words = self.0.lock().expect("no panic under this lock");
        words.push_str(text);
        let cut = words.len().saturating_sub(LastWords::LENGTH);
        let start = (cut..words.len()).find(|at| words.is_char_boundary(*at));
        words.drain(..start.unwrap_or(0));
    }

    pub fn take(&self) -> String {
        std::mem::take(&mut self.0.lock().expect("no panic under this lock"))
    }
}

impl Pump {
    /// Runs until the child has closed the display channel and everything it said is passed on.
    pub fn run(mut self) {
        let mut flow = Flow {
            stdout: Marked::new(&self.token),
            stderr: Marked::new(&self.token),
            content: Content::new(),
            last_words: self.last_words.clone(),
            cell: self.cell.clone(),
            ended: 0,
            sink: self.sink.clone(),
        };
        let mut frames = Vec::new();
        loop {
            let ready = wait(
                &[
                    self.stdout.as_raw_fd(),
                    self.stderr.as_raw_fd(),
                    self.display.as_raw_fd(),
                ],
                flow.open(),
                None,
            );
            if ready[0] {
                flow.read_stdout(&mut self.stdout);
            }
            if ready[1] {
                flow.read_stderr(&mut self.stderr);
            }
            if ready[2] && !self.read_frames(&mut flow, &mut frames) {
                break;
            }
        }
        self.drain(&mut flow);
    }

    /// Returns whether the channel is still open.
    fn read_frames(&mut self, flow: &mut Flow, buffer: &mut Vec<u8>) -> bool {
        let mut chunk = [0; 65536];
        match self.display.read(&mut chunk) {
            Ok(0) | Err(_) => return false,
            Ok(length) => buffer.extend_from_slice(&chunk[..length]),
        }
        loop {
            match next_frame(buffer) {
                Ok(Some(frame)) => self.pass_on(flow, frame),
                Ok(None) => return true,
                Err(error) => {
                    eprintln!("the display channel sent something else than a frame: {error}");
                    return false;
                }
            }
        }
    }

    fn pass_on(&mut self, flow: &mut Flow, frame: Frame) {
        self.catch_up(flow, frame.mark, frame.event == Event::End);
        flow.flush();
        if frame.event == Event::End {
            flow.release();
            flow.flush();
            flow.ended = frame.cell;
            let _ = self.ended.send(frame.cell);
        } else {
            (flow.sink)(frame.cell, Output::Frame(frame.event));
        }
        flow.release();
    }

    /// Reads stdout (and stderr, where a cell ends) up to marker `mark`.
    fn catch_up(&mut self, flow: &mut Flow, mark: u64, both: bool) {
        let deadline = Instant::now() + MARKER_DEADLINE;
        loop {
            let behind = [
                flow.stdout.is_open() && flow.stdout.mark() < mark,
                both && flow.stderr.is_open() && flow.stderr.mark() < mark,
            ];
            // A marker whose frame never came must not hold up the ones after it.
            flow.release_before(mark);
            let left = deadline.saturating_duration_since(Instant::now());
            if behind == [false, false] || left.is_zero() {
                return;
            }
            let ready = wait(
                &[self.stdout.as_raw_fd(), self.stderr.as_raw_fd()],
                [behind[0], behind[1], false],
                Some(left),
            );
            if ready[0] {
                flow.read_stdout(&mut self.stdout);
            }
            if ready[1] {
                flow.read_stderr(&mut self.stderr);
            }
        }
    }

    /// Passes on what is left after the child has gone.
    fn drain(&mut self, flow: &mut Flow) {
        loop {
            flow.release();
            let open = [flow.stdout.is_open(), flow.stderr.is_open(), false];
            let ready = wait(
                &[self.stdout.as_raw_fd(), self.stderr.as_raw_fd()],
                open,
                Some(Duration::ZERO),
            );
            if ready[0] {
                flow.read_stdout(&mut self.stdout);
            }
            if ready[1] {
                flow.read_stderr(&mut self.stderr);
            }
            if !ready[0] && !ready[1] {
                flow.flush();
                return;
            }
        }
    }
}

/// The two text streams and the cell that they belong to now.
struct Flow {
    stdout: Marked,
    stderr: Marked,
    content: Content,
    last_words: LastWords,
    cell: Arc<AtomicU64>,
    /// The last cell that has ended.
    ended: u64,
    sink: Sink,
}

impl Flow {
    fn open(&self) -> [bool; 3] {
        [self.stdout.wants_more(), self.stderr.wants_more(), true]
    }

    fn release(&mut self) {
        self.release_stdout();
        self.release_stderr();
    }

    fn release_stdout(&mut self) {
        let (cell, sink) = (self.cell.load(Ordering::SeqCst), self.sink.clone());
        let content = &mut self.content;
        self.stdout.release(|owner, text| match owner {
            None => content.push(&text, &mut |said| pass(&sink, cell, said)),
            Some(owner) => sink(owner, Output::Stdout(text)),
        });
    }

    fn release_stderr(&mut self) {
        let (cell, sink) = (self.cell.load(Ordering::SeqCst), self.sink.clone());
        let last_words = &self.last_words;
        self.stderr.release(|owner, text| {
            last_words.add(&text);
            sink(owner.unwrap_or(cell), Output::Stderr(text));
        });
    }

    /// Lets a stream go on that waits at an older marker. One that waits at this very marker stays:
    /// what it holds comes after the frame.
    fn release_before(&mut self, mark: u64) {
        if self.stdout.mark() < mark {
            self.release_stdout();
        }
        if self.stderr.mark() < mark {
            self.release_stderr();
        }
    }

    /// Passes on what waits for another form of the same display.
    fn flush(&mut self) {
        let (cell, sink) = (self.cell.load(Ordering::SeqCst), self.sink.clone());
        self.content.flush(&mut |said| pass(&sink, cell, said));
    }

    fn read_stdout(&mut self, from: &mut ChildStdout) {
        let (cell, sink) = (self.cell.load(Ordering::SeqCst), self.sink.clone());
        let content = &mut self.content;
        self.stdout.read(from, |owner, text| match owner {
            None => content.push(&text, &mut |said| pass(&sink, cell, said)),
            Some(owner) => sink(owner, Output::Stdout(text)),
        });
        // While a cell runs, its end flushes; a thread that goes on has no such end.
        if cell == self.ended {
            self.flush();
        }
    }

    fn read_stderr(&mut self, from: &mut ChildStderr) {
        let (cell, sink) = (self.cell.load(Ordering::SeqCst), self.sink.clone());
        let last_words = &self.last_words;
        self.stderr.read(from, |owner, text| {
            last_words.add(&text);
            sink(owner.unwrap_or(cell), Output::Stderr(text));
        });
    }
}

fn pass(sink: &Sink, cell: u64, said: Said) {
    match said {
        Said::Text(text) => sink(cell, Output::Stdout(text)),
        Said::Display(data) => sink(cell, Output::Frame(Event::Display { id: None, data })),
    }
}

/// Takes one whole frame off the front of `buffer`.
fn next_frame(buffer: &mut Vec<u8>) -> io::Result<Option<Frame>> {
    let Some(length) = buffer.first_chunk::<4>() else {
        return Ok(None);
    };
    let length = u32::from_be_bytes(*length);
    if length > LIMIT {
        return Err(io::Error::other(format!("a frame of {length} bytes")));
    }
    let end = 4 + length as usize;
    if buffer.len() < end {
        return Ok(None);
    }
    let frame = serde_json::from_slice(&buffer[4..end])?;
    buffer.drain(..end);
    Ok(Some(frame))
}

/// Waits until one of the wanted descriptors can be read, and tells which.
fn wait(descriptors: &[RawFd], wanted: [bool; 3], limit: Option<Duration>) -> [bool; 3] {
    let mut entries: Vec<libc::pollfd> = descriptors
        .iter()
        .zip(wanted)
        .map(|(fd, wanted)| libc::pollfd {
            fd: if wanted { *fd } else { -1 },
            events: libc::POLLIN,
            revents: 0,
        })
        .collect();
    let limit = limit.map_or(-1, |limit| {
        i32::try_from(limit.as_millis()).unwrap_or(i32::MAX)
    });
    let count = libc::nfds_t::try_from(entries.len()).expect("two or three descriptors");
    // SAFETY: the array lives through the call and its length is passed along.
    unsafe { libc::poll(entries.as_mut_ptr(), count, limit) };
    let mut ready = [false; 3];
    for (slot, entry) in ready.iter_mut().zip(&entries) {
        *slot = entry.revents != 0;
    }
    ready
}
