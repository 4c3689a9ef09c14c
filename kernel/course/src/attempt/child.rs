//! A process that makes the calls: read from, limited and always collected.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use headwater_streams::interrupt;

use super::End;

/// Memory that the calls may take beyond what the process has, in bytes.
const MEMORY: u64 = 1 << 30;

/// How much of what the process says on stderr is kept, in bytes.
const SAID: u64 = 1 << 20;

/// Calls `call`; a panic becomes its message.
pub(super) fn catch<T>(call: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|payload| {
        let text = payload
            .downcast_ref::<&'static str>()
            .map(|text| (*text).to_owned());
        text.or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "a value that is not a text".into())
    })
}

/// A process that has not been collected yet; dropping it kills and collects it.
pub(super) struct Child {
    pub pid: libc::pid_t,
    pub answers: File,
    pub said: File,
    /// Whether it leads a process group, which ends with it.
    pub group: bool,
    pub collected: bool,
}

/// Limits memory, time and output of this process, which makes the calls.
pub(super) fn confine(limit: Duration, said: Option<&File>) {
    let now = File::open("/proc/self/statm")
        .and_then(io::read_to_string)
        .ok()
        .and_then(|text| text.split(' ').next()?.parse::<u64>().ok())
        .unwrap_or(0);
    // SAFETY: plain system calls on this process and on open file descriptors.
    unsafe {
        let page = u64::try_from(libc::sysconf(libc::_SC_PAGESIZE)).unwrap_or(4096);
        set_limit(libc::RLIMIT_AS, now * page + MEMORY);
        set_limit(libc::RLIMIT_FSIZE, SAID);
        set_limit(libc::RLIMIT_CORE, 0);
        // Over-long output must fail, not kill; an interrupt is the parent's to answer.
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
        libc::signal(libc::SIGINT, libc::SIG_IGN);
        libc::signal(libc::SIGALRM, libc::SIG_DFL);
        // Should the parent be killed meanwhile, nobody else would end an endless loop.
        libc::alarm(u32::try_from(limit.as_secs() + 2).unwrap_or(60));
        let nothing = libc::open(c"/dev/null".as_ptr(), libc::O_WRONLY);
        if nothing >= 0 {
            libc::dup2(nothing, 1);
        }
        if let Some(said) = said {
            libc::dup2(said.as_raw_fd(), 2);
        }
    }
}

unsafe fn set_limit(resource: libc::__rlimit_resource_t, most: u64) {
    let limit = libc::rlimit {
        rlim_cur: most,
        rlim_max: most,
    };
    // SAFETY: the pointer is to a live value; the caller is the process that makes the calls, which may limit itself.
    unsafe { libc::setrlimit(resource, &limit) };
}

impl Child {
    pub fn collect(&mut self, limit: Duration, calls: usize) -> (Vec<String>, End) {
        let deadline = Instant::now() + limit;
        let mut bytes = Vec::new();
        let end = loop {
            if interrupt::is_raised() {
                break End::Interrupted;
            }
            let Some(left) = deadline.checked_duration_since(Instant::now()) else {
                break End::TimeLimit;
            };
            if !self.is_readable(left.min(Duration::from_millis(50))) {
                continue;
            }
            let mut chunk = [0; 16 << 10];
            match self.answers.read(&mut chunk) {
                Ok(0) => break self.ended(),
                Ok(count) => bytes.extend_from_slice(&chunk[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break End::Died(error.to_string()),
            }
        };
        let whole = bytes
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        let text = String::from_utf8_lossy(&bytes[..whole]);
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let end = match end {
            End::Finished if lines.len() < calls => End::Died("it ended the process".into()),
            end => end,
        };
        (lines, end)
    }

    pub fn is_readable(&self, wait: Duration) -> bool {
        let mut wanted = libc::pollfd {
            fd: self.answers.as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        };
        let wait = i32::try_from(wait.as_millis()).unwrap_or(50).max(1);
        // SAFETY: one live entry, as the count says.
        unsafe { libc::poll(&mut wanted, 1, wait) > 0 }
    }

    /// Collects a process that has closed its pipe, and says why it ended.
    fn ended(&mut self) -> End {
        let status = self.wait();
        if libc::WIFEXITED(status) {
            return match libc::WEXITSTATUS(status) {
                0 => End::Finished,
                code => End::Died(format!("it ended the process with code {code}")),
            };
        }
        let said = self.said();
        match libc::WTERMSIG(status) {
            libc::SIGALRM => End::TimeLimit,
            _ if said.contains("overflowed its stack") => End::StackOverflow,
            _ if said.contains("memory allocation") => End::MemoryLimit,
            // Where the standard library has no handler for it; safe code has no other way here.
            libc::SIGSEGV => End::StackOverflow,
            signal => End::Died(format!("it ended the process with signal {signal}")),
        }
    }

    fn said(&mut self) -> String {
        let mut said = Vec::new();
        let read = self
            .said
            .rewind()
            .and_then(|()| (&mut self.said).take(SAID).read_to_end(&mut said));
        if read.is_err() {
            said.clear();
        }
        String::from_utf8_lossy(&said).into_owned()
    }

    /// Ends what the calls may have started besides.
    fn end_group(&self) {
        if self.group {
            // SAFETY: the group is named after a child of ours, and nobody else is in it.
            unsafe { libc::kill(-self.pid, libc::SIGKILL) };
        }
    }

    fn wait(&mut self) -> libc::c_int {
        let mut status = 0;
        // SAFETY: `status` is live, and `pid` is a child of ours that was not collected yet.
        while unsafe { libc::waitpid(self.pid, &mut status, 0) } < 0
            && io::Error::last_os_error().kind() == io::ErrorKind::Interrupted
        {}
        self.collected = true;
        self.end_group();
        status
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if !self.collected {
            // SAFETY: the child was not collected, so the number is still its own.
            unsafe { libc::kill(self.pid, libc::SIGKILL) };
            self.wait();
        }
    }
}

pub(super) fn pipe() -> io::Result<(File, File)> {
    let mut ends = [0; 2];
    // SAFETY: room for two descriptors, as the call wants.
    if unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) } < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: both descriptors are fresh and owned by nobody else.
    Ok(unsafe {
        (
            File::from(OwnedFd::from_raw_fd(ends[0])),
            File::from(OwnedFd::from_raw_fd(ends[1])),
        )
    })
}

/// Returns a file without a name, in memory.
pub(super) fn scratch() -> io::Result<File> {
    // SAFETY: the name is a C string; it only serves debugging.
    let fd = unsafe { libc::memfd_create(c"attempt".as_ptr(), libc::MFD_CLOEXEC) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is fresh and owned by nobody else.
    Ok(unsafe { File::from(OwnedFd::from_raw_fd(fd)) })
}
