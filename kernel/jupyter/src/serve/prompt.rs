//! Questions to the person: a cell reads stdin, the front end shows a place to type.

use std::sync::{Arc, Mutex, MutexGuard};

use super::wire::{Outbox, Parent};
use crate::evaluate::stdin::Question;

/// What a read fails with where nobody can type.
const NO_INPUT: &str = "this front end takes no input\n  have: an execute request without allow_stdin\n  try:  run the cell in JupyterLab or in a console, or write the text into the cell";
const NOT_RUNNING: &str = "no input: the cell that asks for it does not run any more\n  have: a thread that went on after its cell\n  try:  read_line in the cell, then move the line into the thread";
const NOT_LISTENING: &str = "no input: the front end does not listen on the stdin channel\n  have: an execute request with allow_stdin\n  try:  connect that channel, with the identity of the shell channel";

/// Asks, and passes the answer on; one question at a time, for one cell runs at a time.
#[derive(Clone)]
pub struct Prompts {
    outbox: Outbox,
    /// Locked for a few instructions, never across a wait.
    pending: Arc<Mutex<Option<Pending>>>,
}

/// A question that the front end has not answered yet.
struct Pending {
    id: String,
    question: Question,
}

/// Whether a cell may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    Granted,
    Refused,
    Ended,
}

impl Prompts {
    /// Asks on the stdin socket that `outbox` writes to.
    pub fn new(outbox: Outbox) -> Prompts {
        Prompts {
            outbox,
            pending: Arc::default(),
        }
    }

    /// Asks whoever runs the cell `parent`, if the cell may.
    pub fn ask(&self, parent: Option<Parent>, may: Permission, prompt: String, question: Question) {
        let parent = match (may, parent) {
            (Permission::Granted, Some(parent)) => parent,
            (Permission::Refused, _) => return question.answer(Err(NO_INPUT.to_owned())),
            _ => return question.answer(Err(NOT_RUNNING.to_owned())),
        };
        let this = self.clone();
        // Held until the question is noted: `unheard` waits for that on its own thread.
        let mut pending = self.lock();
        let id = self
            .outbox
            .ask(&parent, prompt, question.password, move |id| {
                this.unheard(id);
            });
        // One that is still there was given up by an interrupted read.
        *pending = Some(Pending { id, question });
    }

    /// Takes what the person has typed. A line for another question than the one that waits is
    /// dropped and logged.
    pub fn answered(&self, id: Option<&str>, line: String) {
        let mut pending = self.lock();
        let waits = pending.as_ref().is_some_and(|pending| {
            // Not every front end says which question it answers.
            id.is_none_or(|id| id == pending.id)
        });
        if !waits {
            eprintln!("headwater: ignored a line of input that no cell waits for");
            return;
        }
        if let Some(pending) = pending.take() {
            pending.question.answer(Ok(line));
        }
    }

    /// Forgets the question of a cell that has ended.
    pub fn give_up(&self) {
        if let Some(pending) = self.lock().take() {
            pending.question.answer(Err(NOT_RUNNING.to_owned()));
        }
    }

    fn unheard(&self, id: &str) {
        let mut pending = self.lock();
        if let Some(unheard) = pending.take_if(|pending| pending.id == id) {
            unheard.question.answer(Err(NOT_LISTENING.to_owned()));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Pending>> {
        self.pending.lock().expect("no panic under this lock")
    }
}
