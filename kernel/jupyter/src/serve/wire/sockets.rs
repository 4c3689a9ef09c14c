//! Binds the five sockets that a connection file names.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use jupyter_protocol::ConnectionInfo;
use jupyter_zmq_client::{
    KernelHeartbeatConnection, KernelShellConnection, Result as SocketResult,
    create_kernel_control_connection, create_kernel_heartbeat_connection,
    create_kernel_iopub_xpub_connection, create_kernel_shell_connection,
    create_kernel_stdin_connection,
};

use zeromq::{SocketRecv, SocketSend};

use super::{Inbox, Outbox, Publisher};
use crate::evaluate::Error;

/// How often a port that was free a moment ago may turn out to be taken.
const TRIES: u32 = 20;

/// All sockets of a kernel.
pub struct Sockets {
    pub shell: (Inbox, Outbox),
    pub control: (Inbox, Outbox),
    pub stdin: (Inbox, Outbox),
    pub publisher: Publisher,
    pub heartbeat: Heartbeat,
    pub ports: Ports,
}

/// Where the sockets listen, under the names of `connect_reply`.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Ports {
    shell_port: u16,
    iopub_port: u16,
    stdin_port: u16,
    control_port: u16,
    hb_port: u16,
}

/// Answers "are you there".
pub struct Heartbeat(KernelHeartbeatConnection);

impl Heartbeat {
    /// Sends one ping back as it came.
    pub async fn beat(&mut self) {
        let echoed = match self.0.socket.recv().await {
            Ok(ping) => self.0.socket.send(ping).await,
            Err(error) => Err(error),
        };
        if echoed.is_err() {
            // A monitor that hung up between ping and pong; the next one is still answered.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Binds the sockets named in the connection file at `path`. Ports given as 0 are chosen here and
/// the file is written again with them.
///
/// # Errors
/// When the file cannot be read, is not a connection file, or a port is taken.
pub async fn bind(path: &Path) -> Result<Sockets, Error> {
    let text = fs::read_to_string(path).map_err(|error| unreadable(path, &error))?;
    let given: ConnectionInfo =
        serde_json::from_str(&text).map_err(|error| unreadable(path, &error))?;
    let session = uuid::Uuid::new_v4().simple().to_string();
    let mut info = given.clone();
    let shell = bind_port(
        &mut info,
        |info| &mut info.shell_port,
        async |info| create_kernel_shell_connection(info, &session).await,
    );
    let shell = shell.await?;
    let control = bind_port(
        &mut info,
        |info| &mut info.control_port,
        async |info| create_kernel_control_connection(info, &session).await,
    );
    let control = control.await?;
    let stdin = bind_port(
        &mut info,
        |info| &mut info.stdin_port,
        async |info| create_kernel_stdin_connection(info, &session).await,
    );
    let stdin = stdin.await?;
    let iopub = bind_port(
        &mut info,
        |info| &mut info.iopub_port,
        async |info| create_kernel_iopub_xpub_connection(info, &session).await,
    );
    let iopub = iopub.await?;
    let heartbeat = bind_port(
        &mut info,
        |info| &mut info.hb_port,
        create_kernel_heartbeat_connection,
    )
    .await?;
    if info != given {
        replace(path, &info).map_err(|error| unreadable(path, &error))?;
    }
    Ok(Sockets {
        shell: halves("shell", shell),
        control: halves("control", control),
        stdin: halves("stdin", stdin),
        publisher: Publisher::new(iopub),
        heartbeat: Heartbeat(heartbeat),
        ports: Ports {
            shell_port: info.shell_port,
            iopub_port: info.iopub_port,
            stdin_port: info.stdin_port,
            control_port: info.control_port,
            hb_port: info.hb_port,
        },
    })
}

/// Reading and writing at the same time: a reply must not wait for the next request.
fn halves(name: &'static str, connection: KernelShellConnection) -> (Inbox, Outbox) {
    let (sender, receiver) = connection.split();
    (Inbox::new(name, receiver), Outbox::new(name, sender))
}

/// Binds one port. Where it is ours to choose and another process takes it between finding and
/// binding, another one is tried.
async fn bind_port<T>(
    info: &mut ConnectionInfo,
    port: fn(&mut ConnectionInfo) -> &mut u16,
    create: impl AsyncFn(&ConnectionInfo) -> SocketResult<T>,
) -> Result<T, Error> {
    let is_ours_to_choose = *port(info) == 0;
    let mut tries = 0;
    loop {
        if is_ours_to_choose {
            *port(info) = free_port(&info.ip).map_err(|error| not_bound(&info.ip, 0, &error))?;
        }
        tries += 1;
        match create(info).await {
            Ok(bound) => return Ok(bound),
            Err(_) if is_ours_to_choose && tries < TRIES => {}
            Err(error) => {
                let taken = *port(info);
                return Err(not_bound(&info.ip, taken, &error));
            }
        }
    }
}

fn free_port(ip: &str) -> std::io::Result<u16> {
    Ok(TcpListener::bind((ip, 0))?.local_addr()?.port())
}

/// Writes the file whole or not at all: the front end may be reading it now.
fn replace(path: &Path, info: &ConnectionInfo) -> std::io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
    serde_json::to_writer_pretty(&mut file, info)?;
    file.persist(path)?;
    Ok(())
}

fn unreadable(path: &Path, cause: &dyn std::fmt::Display) -> Error {
    Error::new(
        format!("no connection file `{}`", path.display()),
        cause.to_string(),
        "headwater lab, or headwater run NOTEBOOK: they start the kernel themselves",
    )
}

fn not_bound(ip: &str, port: u16, cause: &dyn std::fmt::Display) -> Error {
    Error::new(
        format!("the kernel cannot listen on {ip}:{port}"),
        cause.to_string(),
        "restart the kernel: the front end then picks other ports",
    )
}
