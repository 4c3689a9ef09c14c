//! Answers requests as they come, also while a cell runs. Only cells are queued.

use std::sync::Arc;

use tokio::sync::Notify;

use jupyter_protocol::KernelInfoReply;

use super::cells::Cells;
use super::comms::Comms;
use super::history::{History, Question};
use super::output::Output;
use super::wire::{Answer, Comm, Inbox, Outbox, Parent, Ports, Request, Topic};
use crate::evaluate::{Completeness, completeness};

/// What answering needs; one for the shell and one for the control socket.
#[derive(Clone)]
pub struct Dispatch {
    pub output: Output,
    pub replies: Outbox,
    pub cells: Cells,
    pub history: History,
    pub comms: Comms,
    pub facts: Arc<Facts>,
    /// Told when a front end asks the kernel to stop.
    pub stop: Arc<Notify>,
}

/// What does not change while the kernel runs.
pub struct Facts {
    pub info: KernelInfoReply,
    pub ports: Ports,
}

impl Dispatch {
    /// Answers everything that comes into `inbox`.
    pub async fn run(self, mut inbox: Inbox) {
        loop {
            let Request { parent, topic } = inbox.next().await;
            match topic {
                Topic::Execute(execute) => self.cells.execute(parent, execute),
                Topic::Nothing { message_type } => {
                    eprintln!("headwater: ignored a message that asks for nothing: {message_type}");
                }
                Topic::History(question) => self.look_up(parent, question),
                Topic::Comm(comm) => self.comm(&parent, comm),
                Topic::Malformed {
                    message_type,
                    reason,
                } if !message_type.ends_with("_request") => {
                    eprintln!("headwater: ignored a `{message_type}`: {reason}");
                }
                Topic::Input { .. } => {
                    eprintln!("headwater: ignored a line of input that did not come on stdin");
                }
                // These two may take a moment, and nothing waits for them.
                Topic::Complete { code, cursor } => self.later(parent, move |cells| {
                    Answer::Completions(cells.complete(&code, cursor))
                }),
                Topic::Inspect {
                    code,
                    cursor,
                    detail,
                } => self.later(parent, move |cells| {
                    Answer::Inspection(cells.inspect(&code, cursor, detail))
                }),
                topic => self.now(&parent, topic),
            }
        }
    }

    /// Answers at once.
    fn now(&self, parent: &Parent, topic: Topic) {
        self.output.busy(parent);
        let is_last = matches!(topic, Topic::Shutdown { .. });
        if let Some(answer) = self.answer(topic) {
            self.replies.reply(parent, answer);
        }
        self.output.idle(parent);
        if is_last {
            self.stop.notify_one();
        }
    }

    fn answer(&self, topic: Topic) -> Option<Answer> {
        Some(match topic {
            Topic::KernelInfo => Answer::KernelInfo(Box::new(self.facts.info.clone())),
            Topic::Connect => Answer::Ports(self.facts.ports.clone()),
            Topic::IsComplete { code } => Answer::Completeness(readiness(&code)),
            Topic::CommInfo { target } => Answer::Comms(self.comms.open(target.as_deref())),
            Topic::Interrupt => {
                self.cells.interrupt();
                Answer::Interrupted
            }
            Topic::Shutdown { restart } => Answer::Shutdown { restart },
            Topic::Debug { command, number } => Answer::NotDebugged { command, number },
            Topic::Unknown { message_type } => Answer::NotKnown { message_type },
            Topic::Malformed {
                message_type,
                reason,
            } => Answer::Malformed {
                message_type,
                reason,
                count: self.cells.count(),
            },
            Topic::Execute(_)
            | Topic::Complete { .. }
            | Topic::Inspect { .. }
            | Topic::History(_)
            | Topic::Comm(_)
            | Topic::Input { .. }
            | Topic::Nothing { .. } => return None,
        })
    }

    /// A message of a comm has no reply; what the comm says goes out like other output.
    fn comm(&self, parent: &Parent, comm: Comm) {
        self.output.busy(parent);
        for post in self.comms.hear(comm, || self.cells.variables()) {
            self.output.post(parent, post);
        }
        self.output.idle(parent);
    }

    /// Answers when the history has been searched.
    fn look_up(&self, parent: Parent, question: Question) {
        let this = self.clone();
        this.output.busy(&parent);
        tokio::spawn(async move {
            let found = this.history.find(question).await;
            this.replies.reply(&parent, Answer::History(found));
            this.output.idle(&parent);
        });
    }

    /// Answers when `find` is done, on another thread.
    fn later(&self, parent: Parent, find: impl FnOnce(&Cells) -> Answer + Send + 'static) {
        let this = self.clone();
        this.output.busy(&parent);
        tokio::task::spawn_blocking(move || {
            this.replies.reply(&parent, find(&this.cells));
            this.output.idle(&parent);
        });
    }
}

/// Returns whether code can be run, or nothing where this kernel cannot tell: the lines after
/// `:evcxr` or `:dep` are evcxr's.
fn readiness(code: &str) -> Option<Completeness> {
    let is_evcxr = [":evcxr", ":dep"]
        .iter()
        .any(|sign| code.trim_start().starts_with(sign));
    let has_more_lines = code.trim().contains('\n');
    (!(is_evcxr && has_more_lines)).then(|| completeness(code))
}
