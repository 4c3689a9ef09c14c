//! A PostgreSQL server of its own for tests: a new cluster in a temporary folder, on a free port.

use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

/// The one that runs; it stops with its last user. Locked while it starts.
static RUNNING: Mutex<Weak<Server>> = Mutex::new(Weak::new());

/// A running server.
pub struct Server {
    url: String,
    programs: PathBuf,
    folder: tempfile::TempDir,
    postmaster: Child,
    user: Option<u32>,
}

impl Server {
    /// Returns the server that all share; nothing, and says so, where PostgreSQL is not installed.
    pub fn shared() -> Option<Arc<Server>> {
        let mut running = RUNNING
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(server) = running.upgrade() {
            return Some(server);
        }
        let Some(programs) = programs() else {
            // Past the capture of the test runner: a test that did nothing must not look like one.
            let _ = writeln!(
                std::io::stderr(),
                "SKIPPED: no PostgreSQL in /usr/lib/postgresql/*/bin, nothing about it was tested"
            );
            return None;
        };
        let server = Arc::new(Server::start(programs));
        *running = Arc::downgrade(&server);
        Some(server)
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    fn start(programs: PathBuf) -> Server {
        let folder = tempfile::tempdir().expect("a folder");
        let user = other_user();
        let data = folder.path().join("data");
        std::fs::create_dir(&data).expect("a folder");
        for path in [folder.path(), &data] {
            std::os::unix::fs::chown(path, user, user).expect("ours to give");
        }
        let made = program(&programs, "initdb", user)
            .args([
                "-U",
                "headwater",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C",
                "--no-sync",
                "-D",
            ])
            .arg(&data)
            .output()
            .expect("initdb runs");
        assert!(made.status.success(), "{made:?}");
        // Somebody else may take the port in between: then the next one.
        for _ in 0..5 {
            let free = TcpListener::bind("127.0.0.1:0").expect("a port");
            let port = free.local_addr().expect("bound").port();
            drop(free);
            let mut postmaster = program(&programs, "postgres", user)
                .arg("-D")
                .arg(&data)
                .args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1"])
                .args(["-c", "unix_socket_directories=", "-c", "fsync=off"])
                .spawn()
                .expect("postgres runs");
            let url = format!("postgres://headwater@127.0.0.1:{port}/postgres");
            if answers(&url, &mut postmaster) {
                return Server {
                    url,
                    programs,
                    folder,
                    postmaster,
                    user,
                };
            }
        }
        panic!("PostgreSQL does not start");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let stopped = program(&self.programs, "pg_ctl", self.user)
            .args(["stop", "-m", "immediate", "-D"])
            .arg(self.folder.path().join("data"))
            .status();
        if !stopped.is_ok_and(|status| status.success()) {
            let _ = self.postmaster.kill();
        }
        let _ = self.postmaster.wait();
    }
}

fn answers(url: &str, postmaster: &mut Child) -> bool {
    for _ in 0..1000 {
        if postgres::Client::connect(url, postgres::NoTls).is_ok() {
            return true;
        }
        if postmaster.try_wait().is_ok_and(|ended| ended.is_some()) {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}

fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let folders = versions.filter_map(|version| Some(version.ok()?.path().join("bin")));
    folders
        .filter(|folder| folder.join("initdb").is_file())
        .max()
}

/// Returns another user's number where we are root: PostgreSQL refuses to run as root.
fn other_user() -> Option<u32> {
    use std::os::unix::fs::MetadataExt as _;
    let us = std::fs::metadata("/proc/self").ok()?.uid();
    let names = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let number = |name: &str| {
        let line = names
            .lines()
            .find(|line| line.split(':').next() == Some(name))?;
        line.split(':').nth(2)?.parse().ok()
    };
    (us == 0).then(|| {
        number("postgres")
            .or_else(|| number("nobody"))
            .unwrap_or(65_534)
    })
}

fn program(programs: &Path, name: &str, user: Option<u32>) -> Command {
    use std::os::unix::process::CommandExt as _;
    let mut command = Command::new(programs.join(name));
    if let Some(user) = user {
        command.uid(user).gid(user);
    }
    command
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}
