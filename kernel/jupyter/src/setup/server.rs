//! The JupyterLab process: its settings, its address, its end.

use std::fs;
use std::io;
use std::net::{IpAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::process::{Child, Command};

use super::course::{Course, DATASETS_ENV};
use super::folders::Folders;
use super::jupyter::{Jupyter, last_lines};
use super::{SetupError, file_error};

/// How long JupyterLab may take until it listens: a cold disk under load needs a minute.
const START: Duration = Duration::from_secs(120);
/// How long it may take to end its kernels and itself.
const STOP: Duration = Duration::from_secs(15);
const POLL: Duration = Duration::from_millis(50);

/// What the server is started with.
pub struct Launch<'a> {
    pub jupyter: &'a Jupyter,
    pub folders: &'a Folders,
    pub course: &'a Course,
    /// The value of `HEADWATER_CONTROL`: the broker that all notebooks share.
    pub control: &'a str,
    pub listen: IpAddr,
    /// `None` takes 8888 or one of the next that is free; 0 takes any.
    pub port: Option<u16>,
    pub browser: bool,
}

/// A running JupyterLab.
pub struct Server {
    child: Child,
    group: i32,
    /// Jupyter's files about running servers and kernels; deleted with this value.
    runtime: tempfile::TempDir,
    log: PathBuf,
}

impl Server {
    /// Starts JupyterLab; [`Server::address`] waits until it listens.
    ///
    /// # Errors
    /// When the port is taken, a folder cannot be written, or the program does not run.
    pub fn start(launch: &Launch<'_>) -> Result<Server, SetupError> {
        check_port(launch.listen, launch.port)?;
        let folder = launch.folders.lab();
        let fail =
            |error: io::Error| file_error("JupyterLab could not be prepared", &folder, &error);
        let config = folder.join("config");
        write_settings(&config).map_err(fail)?;
        let runtime = tempfile::Builder::new()
            .prefix("headwater-lab-")
            .tempdir()
            .map_err(fail)?;
        let log = folder.join("jupyterlab.log");
        let output = fs::File::create(&log).map_err(fail)?;
        let mut command = Command::new(&launch.jupyter.command[0]);
        command.args(&launch.jupyter.command[1..]);
        command.args(arguments(launch, &folder));
        command.current_dir(&launch.course.root);
        command.env("JUPYTER_RUNTIME_DIR", runtime.path());
        command.env(
            "JUPYTER_CONFIG_PATH",
            in_front("JUPYTER_CONFIG_PATH", &config),
        );
        command.env(
            "JUPYTER_PATH",
            in_front("JUPYTER_PATH", &launch.jupyter.data),
        );
        command.env(headwater_broker::control::ENV, launch.control);
        if let (None, Some(folder)) = (std::env::var_os(DATASETS_ENV), launch.course.datasets()) {
            command.env(DATASETS_ENV, folder);
        }
        command.stdin(Stdio::null());
        command.stdout(output.try_clone().map_err(fail)?);
        command.stderr(output);
        // Its own process group: Ctrl-C in the terminal reaches `lab` alone, which then ends
        // JupyterLab in order, instead of both asking at once whether to stop.
        command.process_group(0);
        die_with_parent(&mut command);
        let child = command.spawn().map_err(|error| {
            let program = Path::new(&launch.jupyter.command[0]);
            file_error("JupyterLab does not run", program, &error)
        })?;
        let group = child.id().expect("a child that was not awaited has an id") as i32;
        Ok(Server {
            child,
            group,
            runtime,
            log,
        })
    }

    /// Returns the address of `path` with the token, as soon as JupyterLab listens.
    ///
    /// # Errors
    /// When it ends or stays silent, with its last words.
    pub async fn address(&mut self, path: &str) -> Result<String, SetupError> {
        let wait = async {
            loop {
                if let Some(address) = read_address(self.runtime.path(), path) {
                    return Ok(address);
                }
                if let Ok(Some(status)) = self.child.try_wait() {
                    return Err(format!("it ended with {status}"));
                }
                tokio::time::sleep(POLL).await;
            }
        };
        let why = match tokio::time::timeout(START, wait).await {
            Ok(Ok(address)) => return Ok(address),
            Ok(Err(ended)) => ended,
            Err(_) => format!("it was silent for {} s", START.as_secs()),
        };
        Err(self.failure(&why))
    }

    /// Waits until JupyterLab ends by itself, as after File → Shut Down.
    ///
    /// # Errors
    /// When it ended with an error.
    pub async fn ended(&mut self) -> Result<(), SetupError> {
        match self.child.wait().await {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(self.failure(&format!("it ended with {status}"))),
            Err(error) => Err(self.failure(&error.to_string())),
        }
    }

    /// Ends JupyterLab, which ends its kernels; kills what is left after 15 seconds.
    pub async fn stop(mut self) {
        signal_group(self.group, libc::SIGTERM);
        if tokio::time::timeout(STOP, self.child.wait()).await.is_err() {
            signal_group(self.group, libc::SIGKILL);
            // After SIGKILL to its own child the wait cannot take long.
            let _ = self.child.wait().await;
        }
    }

    fn failure(&self, why: &str) -> SetupError {
        let said = fs::read_to_string(&self.log).unwrap_or_default();
        SetupError::new(
            "JupyterLab did not start",
            format!("{why}: {}", last_lines(&said, 3)),
            format!("less {}", self.log.display()),
        )
    }
}

fn arguments(launch: &Launch<'_>, folder: &Path) -> Vec<String> {
    let address = format!("/lab/tree/{}", launch.course.notebook_in_address());
    let mut arguments = vec![
        format!("--ServerApp.ip={}", launch.listen),
        format!("--ServerApp.root_dir={}", launch.course.root.display()),
        format!(
            "--ServerApp.open_browser={}",
            if launch.browser { "True" } else { "False" }
        ),
        format!("--LabApp.default_url={address}"),
        // The person's own JupyterLab keeps its open tabs, and we ours.
        format!(
            "--LabApp.workspaces_dir={}",
            folder.join("workspaces").display()
        ),
    ];
    if let Some(port) = launch.port {
        arguments.push(format!("--ServerApp.port={port}"));
        arguments.push("--ServerApp.port_retries=0".to_owned());
    }
    // SAFETY: geteuid reads a number of this process and cannot fail.
    if unsafe { libc::geteuid() } == 0 {
        // Root is the only user there is in many containers; Jupyter refuses it unless asked.
        arguments.push("--allow-root".to_owned());
    }
    arguments
}

/// Writes settings that JupyterLab reads besides the person's own: no news, no update checks, no
/// list of extensions from the network, for none of it works in a class room without one.
fn write_settings(config: &Path) -> io::Result<()> {
    let server = json!({ "LabApp": {
        "news_url": null,
        "check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
        "extension_manager": "readonly",
    } });
    let page = json!({ "disabledExtensions": {
        "@jupyterlab/apputils-extension:announcements": true,
    } });
    let overrides = json!({ "@jupyterlab/apputils-extension:notification": {
        "fetchNews": "false",
        "checkForUpdates": false,
    } });
    fs::create_dir_all(config.join("labconfig"))?;
    fs::write(
        config.join("jupyter_lab_config.json"),
        format!("{server:#}\n"),
    )?;
    fs::write(
        config.join("labconfig/page_config.json"),
        format!("{page:#}\n"),
    )?;
    fs::write(
        config.join("labconfig/default_setting_overrides.json"),
        format!("{overrides:#}\n"),
    )
}

/// Puts `folder` before what a variable with a list of folders holds already.
fn in_front(variable: &str, folder: &Path) -> std::ffi::OsString {
    let before = std::env::var_os(variable).unwrap_or_default();
    let mut list = folder.as_os_str().to_owned();
    if !before.is_empty() {
        list.push(":");
        list.push(before);
    }
    list
}

fn check_port(listen: IpAddr, port: Option<u16>) -> Result<(), SetupError> {
    let Some(port) = port else { return Ok(()) };
    match TcpListener::bind((listen, port)) {
        Ok(_) => Ok(()),
        Err(error) => Err(SetupError::new(
            format!("port {port} cannot be used"),
            format!("{listen}:{port}: {error}"),
            "--port 0, which takes a free one",
        )),
    }
}

/// Reads the address from the file that Jupyter writes once it listens.
fn read_address(runtime: &Path, path: &str) -> Option<String> {
    let mut files = fs::read_dir(runtime)
        .ok()?
        .flatten()
        .map(|entry| entry.path());
    let file = files.find(|file| {
        let name = file
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        name.starts_with("jpserver-") && name.ends_with(".json")
    })?;
    // The file may be half-written at this moment; then the next look sees all of it.
    let info: Value = serde_json::from_slice(&fs::read(file).ok()?).ok()?;
    let port = info["port"].as_u64()?;
    let base = info["base_url"].as_str()?;
    let token = match info["token"].as_str() {
        Some(token) if !token.is_empty() => format!("?token={token}"),
        _ => String::new(),
    };
    Some(format!(
        "http://127.0.0.1:{port}{base}lab/tree/{path}{token}"
    ))
}

fn signal_group(group: i32, signal: i32) {
    // SAFETY: kill takes two numbers; the group is the one that `start` made and still owns, for
    // its leader has not been awaited when this is called.
    unsafe { libc::kill(-group, signal) };
}

#[cfg(target_os = "linux")]
fn die_with_parent(command: &mut Command) {
    // Where `lab` is killed outright, JupyterLab still ends, and its kernels with it.
    // SAFETY: prctl is safe to call between fork and exec and touches no memory.
    unsafe {
        command.pre_exec(|| {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGTERM);
            Ok(())
        });
    }
}

#[cfg(not(target_os = "linux"))]
fn die_with_parent(_: &mut Command) {}
