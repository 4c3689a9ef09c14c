//! Answers requests as they come, also while a cell runs. Only cells are queued.

use std::sync::Arc;

use tokio::sync::Notify;

use super::execute::Cells;
use super::output::Output;
use super::wire::{Answer, Inbox, Outbox, Parent, Post, Request, Topic};
use crate::evaluate::completeness;

/// What answering needs; one for the shell and one for the control socket.
#[derive(Clone)]
pub struct Dispatch {
    pub output: Output,
    pub replies: Outbox,
    pub cells: Cells,
    /// Told when a front end asks the kernel to stop.
    pub stop: Arc<Notify>,
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
        if let Some(answer) = self.answer(parent, topic) {
            self.replies.reply(parent, answer);
        }
        self.output.idle(parent);
        if is_last {
            self.stop.notify_one();
        }
    }

    fn answer(&self, parent: &Parent, topic: Topic) -> Option<Answer> {
        Some(match topic {
            Topic::KernelInfo => Answer::KernelInfo,
            Topic::IsComplete { code } => Answer::Completeness(completeness(&code)),
            Topic::History => Answer::History,
            Topic::CommInfo => Answer::Comms,
            Topic::CommOpen { comm } => {
                // No target is registered here; the protocol wants such a comm closed again.
                self.output.post(parent, Post::CommClose { comm });
                return None;
            }
            Topic::Interrupt => {
                self.cells.interrupt();
                Answer::Interrupted
            }
            Topic::Shutdown { restart } => Answer::Shutdown { restart },
            Topic::Unknown { message_type } => Answer::NotKnown { message_type },
            Topic::CommTraffic
            | Topic::Execute(_)
            | Topic::Complete { .. }
            | Topic::Inspect { .. }
            | Topic::Nothing { .. } => return None,
        })
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
