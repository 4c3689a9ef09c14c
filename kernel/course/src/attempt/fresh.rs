//! A fresh process of this program: started ahead, given a job, limited and always collected.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use headwater_streams::frame;

use super::End;
use super::child::{Child, pipe, scratch};
use super::serve::{ENV, Job, READY};

/// A process that waits for a job; it ends by itself when this one does. Held for one exchange.
static SPARE: Mutex<Option<Fresh>> = Mutex::new(None);

/// How long a process may take to get ready.
const START: Duration = Duration::from_secs(20);

/// A process that has nothing to do yet.
struct Fresh {
    child: Child,
    job: ChildStdin,
}

/// Has the job done; returns one line a call, and how it ended.
pub(super) fn run(limit: Duration, job: &Job) -> (Vec<String>, End) {
    let spare = SPARE.lock().expect("no panic under this lock").take();
    // A spare one may have ended meanwhile; a process that was just started has not.
    let begun = match spare.map(|fresh| fresh.begin(job)) {
        Some(Ok(child)) => Ok(child),
        _ => Fresh::start().and_then(|fresh| fresh.begin(job)),
    };
    let mut child = match begun {
        Ok(child) => child,
        Err(error) => return (Vec::new(), End::NotStarted(error.to_string())),
    };
    let (lines, end) = child.collect(limit, job.calls);
    if let Some(why) = lines.first().and_then(|line| line.strip_prefix('!')) {
        return (Vec::new(), End::NotStarted(why.to_owned()));
    }
    *SPARE.lock().expect("no panic under this lock") = Fresh::start().ok();
    (lines, end)
}

impl Fresh {
    fn start() -> io::Result<Fresh> {
        let (answers, to_parent) = pipe()?;
        let said = scratch()?;
        let mut process = Command::new(std::env::current_exe()?)
            .args(std::env::args_os().skip(1))
            .env(ENV, "1")
            .env_remove(frame::ENV)
            .stdin(Stdio::piped())
            .stdout(to_parent)
            .stderr(said.try_clone()?)
            .process_group(0)
            .spawn()?;
        let pid = libc::pid_t::try_from(process.id()).map_err(io::Error::other)?;
        let child = Child {
            pid,
            answers,
            said,
            group: true,
            collected: false,
        };
        let job = process
            .stdin
            .take()
            .ok_or_else(|| io::Error::other("no way in"))?;
        Ok(Fresh { child, job })
    }

    /// Waits until the process is ready, and gives it the job.
    fn begin(mut self, job: &Job) -> io::Result<Child> {
        await_ready(&mut self.child)?;
        let mut line = serde_json::to_string(job).map_err(io::Error::other)?;
        line.push('\n');
        self.job.write_all(line.as_bytes())?;
        Ok(self.child)
    }
}

fn await_ready(child: &mut Child) -> io::Result<()> {
    let deadline = std::time::Instant::now() + START;
    let mut said = [0; READY.len()];
    let mut count = 0;
    while count < said.len() {
        if std::time::Instant::now() > deadline {
            return Err(io::Error::other("the process for it did not get ready"));
        }
        if !child.is_readable(Duration::from_millis(50)) {
            continue;
        }
        let answers: &mut File = &mut child.answers;
        match answers.read(&mut said[count..])? {
            0 => return Err(io::Error::other("the process for it ended at once")),
            more => count += more,
        }
    }
    match said == *READY {
        true => Ok(()),
        false => Err(io::Error::other("another program answered")),
    }
}
