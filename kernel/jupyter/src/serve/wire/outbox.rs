//! The sending half of the shell, control and stdin sockets.

use jupyter_protocol::JupyterMessage;
use jupyter_zmq_client::RouterSendConnection;
use tokio::sync::{mpsc, oneshot};

use super::{Answer, Parent, message};

/// Sends to front ends; clones share one socket. Messages leave in the order they came in.
#[derive(Debug, Clone)]
pub struct Outbox {
    sender: mpsc::UnboundedSender<Outgoing>,
}

enum Outgoing {
    Reply(Box<JupyterMessage>),
    /// A question of the kernel, and whom to tell that nobody can be asked.
    Question(Box<JupyterMessage>, Box<dyn FnOnce() + Send>),
    Flush(oneshot::Sender<()>),
}

impl Outbox {
    pub(super) fn new(name: &'static str, mut connection: RouterSendConnection) -> Outbox {
        let (sender, mut receiver) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Some(outgoing) = receiver.recv().await {
                match outgoing {
                    Outgoing::Reply(reply) => {
                        if let Err(error) = connection.send(*reply).await {
                            eprintln!("headwater: a reply on {name} was not sent: {error}");
                        }
                    }
                    Outgoing::Question(question, unheard) => {
                        if let Err(error) = connection.send(*question).await {
                            eprintln!("headwater: a question on {name} was not sent: {error}");
                            unheard();
                        }
                    }
                    Outgoing::Flush(done) => drop(done.send(())),
                }
            }
        });
        Outbox { sender }
    }

    /// Sends `answer` to whoever asked.
    pub fn reply(&self, parent: &Parent, answer: Answer) {
        let reply = self.addressed(parent, answer);
        // The task behind the channel ends only with the kernel.
        let _ = self.sender.send(Outgoing::Reply(reply));
    }

    /// Asks whoever sent the request `parent` for a line, and returns the question's id. Calls
    /// `unheard` where that front end does not listen on this socket.
    pub fn ask(
        &self,
        parent: &Parent,
        prompt: String,
        password: bool,
        unheard: impl FnOnce(&str) + Send + 'static,
    ) -> String {
        let question = self.addressed(parent, Answer::InputWanted { prompt, password });
        let id = question.header.msg_id.clone();
        let asked = id.clone();
        let unheard = Box::new(move || unheard(&asked));
        let _ = self.sender.send(Outgoing::Question(question, unheard));
        id
    }

    /// Waits until everything replied so far has been handed to the network.
    pub async fn flush(&self) {
        let (done, flushed) = oneshot::channel();
        if self.sender.send(Outgoing::Flush(done)).is_ok() {
            let _ = flushed.await;
        }
    }

    fn addressed(&self, parent: &Parent, answer: Answer) -> Box<JupyterMessage> {
        let mut outgoing = message(answer.into(), Some(parent));
        outgoing.zmq_identities.clone_from(&parent.identities);
        Box::new(outgoing)
    }
}

impl std::fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Outgoing::Reply(_) => "Reply",
            Outgoing::Question(..) => "Question",
            Outgoing::Flush(_) => "Flush",
        })
    }
}
