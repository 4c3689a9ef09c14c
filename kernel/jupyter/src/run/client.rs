//! The other end of the sockets: starts a kernel and talks to it as any front end does.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use bytes::Bytes;
use jupyter_protocol::{
    ConnectionInfo, JupyterMessage, JupyterMessageContent as Content, Transport, UnknownMessage,
};
use jupyter_zmq_client::{
    ClientControlConnection, ClientIoPubConnection, ClientShellConnection, ClientStdinConnection,
    Connection, RawMessage, create_client_control_connection, create_client_iopub_connection,
    create_client_shell_connection_with_identity, create_client_stdin_connection_with_identity,
    peer_identity_for_session,
};
use serde_json::Value;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};
use zeromq::SocketRecv;

use crate::evaluate::Error;
use crate::serve::{HISTORY_ENV, IN_MEMORY, PARENT_ENV};

/// How long a kernel may take to bind its sockets and to answer for the first time.
const START: Duration = Duration::from_secs(60);
/// How long a kernel may take to end after it was asked to.
const END: Duration = Duration::from_secs(10);

/// Where a message was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    Shell,
    Control,
    Iopub,
    Stdin,
}

/// A message from the kernel.
#[derive(Debug, Clone)]
pub struct Heard {
    pub channel: Channel,
    pub message_type: String,
    /// The id of the request that caused it, as [`Kernel::ask`] returned it.
    pub parent: Option<String>,
    pub content: Value,
    pub header: Value,
    pub buffers: Vec<Bytes>,
}

impl Heard {
    /// Reads the next message of a socket, as it is: the crate's types would drop what they do not
    /// know.
    async fn read<S: SocketRecv>(
        channel: Channel,
        connection: &mut Connection<S>,
    ) -> jupyter_zmq_client::Result<Heard> {
        let parts = connection.socket.recv().await?;
        let mut raw = RawMessage::from_multipart(parts, &connection.mac)?;
        let buffers = raw.jparts.split_off(4);
        let header: Value = serde_json::from_slice(&raw.jparts[0])?;
        let parent: Value = serde_json::from_slice(&raw.jparts[1])?;
        Ok(Heard {
            channel,
            message_type: header["msg_type"].as_str().unwrap_or_default().to_owned(),
            parent: parent["msg_id"].as_str().map(str::to_owned),
            content: serde_json::from_slice(&raw.jparts[3])?,
            header,
            buffers,
        })
    }

    /// Returns whether this is the reply of type `message_type` to request `id`.
    pub fn is_reply(&self, id: &str, message_type: &str) -> bool {
        !matches!(self.channel, Channel::Iopub | Channel::Stdin)
            && self.message_type == message_type
            && self.is_under(id)
    }

    /// Returns whether this says that the kernel is done with request `id`.
    pub fn is_idle(&self, id: &str) -> bool {
        self.message_type == "status"
            && self.content["execution_state"] == "idle"
            && self.is_under(id)
    }

    /// Returns whether request `id` caused this.
    pub fn is_under(&self, id: &str) -> bool {
        self.parent.as_deref() == Some(id)
    }
}

/// How to start a kernel.
#[derive(Debug, Clone)]
pub struct Start {
    /// The `headwater` binary.
    pub binary: PathBuf,
    /// The folder that cells run in.
    pub workdir: PathBuf,
    /// Variables set for the kernel besides the ones of this process.
    pub variables: Vec<(String, String)>,
}

/// A running kernel, and the sockets to it. Dropping it ends the kernel at once.
pub struct Kernel {
    child: Child,
    info: ConnectionInfo,
    session: String,
    shell: ClientShellConnection,
    control: ClientControlConnection,
    iopub: ClientIoPubConnection,
    stdin: ClientStdinConnection,
    /// Holds the connection file.
    _folder: tempfile::TempDir,
}

impl Kernel {
    /// Starts a kernel and waits until nothing that it says can be missed.
    ///
    /// # Errors
    /// When it does not start or does not answer.
    pub async fn start(start: &Start) -> Result<Kernel, Error> {
        let folder = tempfile::Builder::new().prefix("headwater-run-").tempdir();
        let folder = folder.map_err(|error| not_started(&error.to_string()))?;
        let file = folder.path().join("connection.json");
        let key = uuid::Uuid::new_v4().simple().to_string();
        std::fs::write(&file, connection_file(&key))
            .map_err(|error| not_started(&error.to_string()))?;
        let mut child = spawn(start, &file).map_err(|error| not_started(&error.to_string()))?;
        let info = bound(&mut child, &file).await?;
        let session = uuid::Uuid::new_v4().simple().to_string();
        let connected = timeout(START, connect(&info, &session)).await;
        let (shell, control, iopub, stdin) = match connected {
            Ok(Ok(sockets)) => sockets,
            Ok(Err(error)) => return Err(not_started(&error.to_string())),
            Err(_) => return Err(not_started("it does not answer on its sockets")),
        };
        Ok(Kernel {
            child,
            info,
            session,
            shell,
            control,
            iopub,
            stdin,
            _folder: folder,
        })
    }

    /// Returns the process id.
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Returns the addresses and the key of this kernel.
    pub fn connection(&self) -> &ConnectionInfo {
        &self.info
    }

    /// Sends a message on shell, control or stdin and returns its id.
    ///
    /// # Errors
    /// When the kernel is gone.
    pub async fn ask(
        &mut self,
        channel: Channel,
        message_type: &str,
        content: Value,
    ) -> Result<String, Error> {
        self.ask_with(channel, message_type, content, Vec::new())
            .await
    }

    /// Sends a message with buffers.
    ///
    /// # Errors
    /// When the kernel is gone.
    pub async fn ask_with(
        &mut self,
        channel: Channel,
        message_type: &str,
        content: Value,
        buffers: Vec<Bytes>,
    ) -> Result<String, Error> {
        // Sent as it is, also where it is not of the protocol: tests do that.
        let content = Content::UnknownMessage(UnknownMessage {
            msg_type: message_type.to_owned(),
            content,
        });
        let message = JupyterMessage::new(content, None)
            .with_session(&self.session)
            .with_buffers(buffers);
        let id = message.header.msg_id.clone();
        let sent = match channel {
            Channel::Shell => self.shell.send(message).await,
            Channel::Control => self.control.send(message).await,
            Channel::Stdin => self.stdin.send(message).await,
            Channel::Iopub => panic!("nobody sends on iopub but the kernel"),
        };
        sent.map_err(|error| gone(&error.to_string()))?;
        Ok(id)
    }

    /// Asks for `code` to be run and returns the request's id.
    ///
    /// # Errors
    /// When the kernel is gone.
    pub async fn execute(&mut self, code: &str) -> Result<String, Error> {
        let content = serde_json::json!({
            "code": code, "silent": false, "store_history": true,
            "user_expressions": {}, "allow_stdin": false, "stop_on_error": true,
        });
        self.ask(Channel::Shell, "execute_request", content).await
    }

    /// Waits for the next message, from whichever socket it comes.
    ///
    /// # Errors
    /// When the kernel ends, or says something that is not of the protocol.
    pub async fn next(&mut self) -> Result<Heard, Error> {
        let heard = tokio::select! {
            // In this order: output that was sent before a reply is also heard before it.
            biased;
            heard = Heard::read(Channel::Iopub, &mut self.iopub) => heard,
            heard = Heard::read(Channel::Stdin, &mut self.stdin) => heard,
            heard = Heard::read(Channel::Shell, &mut self.shell) => heard,
            heard = Heard::read(Channel::Control, &mut self.control) => heard,
            status = self.child.wait() => {
                return Err(gone(&status.map_or_else(|error| error.to_string(), |status| status.to_string())));
            }
        };
        heard.map_err(|error| gone(&error.to_string()))
    }

    /// Asks the kernel to end, passes on what it still says, and ends it if it does not.
    /// Returns whether it ended by itself.
    pub async fn stop(mut self, mut hear: impl FnMut(Heard)) -> bool {
        let asked = self.ask(
            Channel::Control,
            "shutdown_request",
            serde_json::json!({"restart": false}),
        );
        let deadline = Instant::now() + END;
        if asked.await.is_ok() {
            while let Ok(Ok(heard)) = tokio::time::timeout_at(deadline, self.next()).await {
                hear(heard);
            }
        }
        let ended = tokio::time::timeout_at(deadline, self.child.wait())
            .await
            .is_ok();
        // What it had sent before it ended may still lie in the socket.
        let limit = Duration::from_millis(20);
        while let Ok(Ok(heard)) = timeout(limit, Heard::read(Channel::Iopub, &mut self.iopub)).await
        {
            hear(heard);
        }
        if !ended {
            let _ = self.child.kill().await;
        }
        ended
    }
}

/// Ports of 0: the kernel chooses them and writes the file again, so no other process can take
/// them in between.
fn connection_file(key: &str) -> String {
    let info = ConnectionInfo {
        ip: "127.0.0.1".to_owned(),
        transport: Transport::TCP,
        shell_port: 0,
        iopub_port: 0,
        stdin_port: 0,
        control_port: 0,
        hb_port: 0,
        key: key.to_owned(),
        signature_scheme: "hmac-sha256".to_owned(),
        kernel_name: Some("headwater".to_owned()),
    };
    serde_json::to_string(&info).expect("strings and numbers")
}

/// Names the file of a learner's progress, as `headwater_course::progress` reads it.
const PROGRESS_ENV: &str = "HEADWATER_PROGRESS";

fn spawn(start: &Start, file: &Path) -> std::io::Result<Child> {
    Command::new(&start.binary)
        .arg("kernel")
        .arg(file)
        .current_dir(&start.workdir)
        // What a program runs is not what a person typed.
        .env(HISTORY_ENV, IN_MEMORY)
        // Nor what a learner has solved, unless a file for it is named.
        .env(
            PROGRESS_ENV,
            std::env::var_os(PROGRESS_ENV).unwrap_or_default(),
        )
        .envs(start.variables.iter().map(|(name, value)| (name, value)))
        // The kernel ends by itself should this process be killed.
        .env(PARENT_ENV, std::process::id().to_string())
        // A group of its own: Ctrl-C is for this process, which then stops the kernel.
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
}

async fn bound(child: &mut Child, file: &Path) -> Result<ConnectionInfo, Error> {
    let deadline = Instant::now() + START;
    loop {
        let text =
            std::fs::read_to_string(file).map_err(|error| not_started(&error.to_string()))?;
        let info: ConnectionInfo =
            serde_json::from_str(&text).map_err(|error| not_started(&error.to_string()))?;
        if info.hb_port != 0 {
            return Ok(info);
        }
        if let Ok(Some(status)) = child.try_wait() {
            return Err(not_started(&format!("it ended at once: {status}")));
        }
        if Instant::now() > deadline {
            return Err(not_started("it does not bind its sockets"));
        }
        sleep(Duration::from_millis(2)).await;
    }
}

type Sockets = (
    ClientShellConnection,
    ClientControlConnection,
    ClientIoPubConnection,
    ClientStdinConnection,
);

async fn connect(info: &ConnectionInfo, session: &str) -> jupyter_zmq_client::Result<Sockets> {
    let mut iopub = create_client_iopub_connection(info, "", session).await?;
    while !matches!(iopub.read().await?.content, Content::IoPubWelcome(_)) {}
    let identity = peer_identity_for_session(session)?;
    let stdin = create_client_stdin_connection_with_identity(info, session, identity.clone());
    let stdin = stdin.await?;
    let mut shell = create_client_shell_connection_with_identity(info, session, identity).await?;
    let control = create_client_control_connection(info, session).await?;
    let ask = JupyterMessage::new(jupyter_protocol::KernelInfoRequest {}, None);
    let id = ask.header.msg_id.clone();
    shell.send(ask).await?;
    shell.read().await?;
    // Its busy and idle are read here, so that what comes next belongs to the caller.
    loop {
        let heard = Heard::read(Channel::Iopub, &mut iopub).await?;
        if heard.is_idle(&id) {
            return Ok((shell, control, iopub, stdin));
        }
    }
}

fn not_started(have: &str) -> Error {
    Error::new("the kernel did not start", have, "headwater doctor")
}

fn gone(have: &str) -> Error {
    Error::new(
        "the kernel is gone",
        have,
        "run it again; `headwater doctor` checks memory and disk",
    )
}
