//! The ordered queue of what goes out on iopub.
//!
//! Whatever is pushed leaves in that order. Only text that has not left yet grows by the text
//! that follows, and a display update that has not left yet is replaced by a newer one.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::pace::{MessageBudget, TextBudget};
use super::wire::{Parent, Post, StreamName};

/// Text waits so long for more, unless something else follows it.
const GATHER: Duration = Duration::from_millis(50);

/// A longer unfinished line is output and no prompt, in bytes.
const LONGEST_PROMPT: usize = 500;

/// What a message takes besides its text, about.
const OVERHEAD: usize = 512;

/// How far back an update that has not left yet is looked for.
const LOOK_BACK: usize = 64;

/// A message, with the request that caused it.
#[derive(Debug)]
pub struct Outgoing {
    pub parent: Option<Parent>,
    pub post: Post,
}

/// What to do next.
#[derive(Debug)]
pub enum Next {
    Send(Outgoing),
    Wait(Duration),
    Nothing,
}

#[derive(Debug)]
pub struct Queue {
    entries: VecDeque<Entry>,
    /// How many entries are not text.
    posts: usize,
    bytes: usize,
    text_left: Option<Instant>,
    text_budget: TextBudget,
    message_budget: MessageBudget,
}

#[derive(Debug)]
enum Entry {
    Text(Text),
    Post(Outgoing),
}

/// Stream text of one cell that has not left yet.
#[derive(Debug)]
struct Text {
    cell: u64,
    parent: Option<Parent>,
    name: StreamName,
    text: String,
    since: Instant,
    /// Set once some text was over the budget; what follows it is then skipped as well.
    skipped: Option<Skipped>,
}

#[derive(Debug)]
struct Skipped {
    lines: u64,
    bytes: usize,
    until: Instant,
}

impl Queue {
    pub fn new() -> Queue {
        Queue {
            entries: VecDeque::new(),
            posts: 0,
            bytes: 0,
            text_left: None,
            text_budget: TextBudget::new(),
            message_budget: MessageBudget::new(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns about how much memory the waiting displays hold.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Appends a message other than stream text.
    pub fn push(&mut self, parent: Option<Parent>, post: Post) {
        if let Post::Update { id, .. } = &post
            && let Some(waiting) = self.waiting_update(id)
        {
            let old = size(&waiting.post);
            let new = size(&post);
            *waiting = Outgoing { parent, post };
            self.bytes = self.bytes - old + new;
            return;
        }
        self.bytes += size(&post);
        self.posts += 1;
        self.entries
            .push_back(Entry::Post(Outgoing { parent, post }));
    }

    /// Appends stream text of `cell`. Text over the budget is skipped, and that is said.
    pub fn push_text(
        &mut self,
        now: Instant,
        cell: u64,
        parent: Option<Parent>,
        name: StreamName,
        text: &str,
    ) {
        let (text_budget, entry) = (
            &mut self.text_budget,
            waiting_text(&mut self.entries, cell, name),
        );
        let (taken, rest) = match entry {
            Some(Text {
                skipped: Some(skipped),
                ..
            }) => {
                skipped.lines += lines(text);
                skipped.bytes += text.len();
                return;
            }
            _ => text_budget.take(now, text),
        };
        let skipped = (!rest.is_empty()).then(|| Skipped {
            lines: lines(rest),
            bytes: rest.len(),
            until: text_budget.next_window().unwrap_or(now),
        });
        match entry {
            Some(waiting) => {
                waiting.text.push_str(taken);
                waiting.skipped = skipped;
            }
            None => self.entries.push_back(Entry::Text(Text {
                cell,
                parent,
                name,
                text: taken.to_owned(),
                since: now,
                skipped,
            })),
        }
    }

    /// Takes the unfinished last line of `cell`'s stdout out of the queue, for a prompt. Nothing
    /// where it has left already: it is on the page then.
    pub fn take_unfinished(&mut self, cell: u64) -> String {
        let waiting = waiting_text(&mut self.entries, cell, StreamName::Stdout);
        let Some(text) = waiting.filter(|text| text.skipped.is_none()) else {
            return String::new();
        };
        let start = text.text.rfind('\n').map_or(0, |at| at + 1);
        if text.text.len() - start > LONGEST_PROMPT {
            return String::new();
        }
        let line = text.text.split_off(start);
        self.entries
            .retain(|entry| !matches!(entry, Entry::Text(text) if text.is_empty()));
        line
    }

    /// Returns what is to be sent now, or how long to wait for it.
    pub fn next(&mut self, now: Instant) -> Next {
        let ready = match self.entries.front() {
            None => return Next::Nothing,
            Some(Entry::Text(text)) if self.posts == 0 => text.ready(self.text_left),
            Some(_) => None,
        };
        if let Some(ready) = ready.filter(|ready| *ready > now) {
            return Next::Wait(ready - now);
        }
        if let Err(wait) = self.message_budget.take(now) {
            return Next::Wait(wait);
        }
        match self.entries.pop_front() {
            None => Next::Nothing,
            Some(Entry::Post(outgoing)) => {
                self.posts -= 1;
                self.bytes -= size(&outgoing.post);
                Next::Send(outgoing)
            }
            Some(Entry::Text(text)) => {
                self.text_left = Some(now);
                Next::Send(text.into_outgoing())
            }
        }
    }

    /// Finds an update of `id` that has not left yet, if nothing between it and the end of the
    /// queue shows `id` anew.
    fn waiting_update(&mut self, id: &str) -> Option<&mut Outgoing> {
        for entry in self.entries.iter_mut().rev().take(LOOK_BACK) {
            let Entry::Post(outgoing) = entry else {
                continue;
            };
            match &outgoing.post {
                Post::Update { id: waiting, .. } if waiting == id => return Some(outgoing),
                Post::Display {
                    id: Some(shown), ..
                } if shown == id => return None,
                _ => {}
            }
        }
        None
    }
}

/// Finds text of the same cell and stream at the end of the queue. Text of other streams may
/// stand behind it: the two pipes have no common order anyway.
fn waiting_text(entries: &mut VecDeque<Entry>, cell: u64, name: StreamName) -> Option<&mut Text> {
    for entry in entries.iter_mut().rev() {
        match entry {
            Entry::Text(text) if text.cell == cell && text.name == name => return Some(text),
            Entry::Text(_) => {}
            Entry::Post(_) => return None,
        }
    }
    None
}

impl Text {
    fn is_empty(&self) -> bool {
        self.text.is_empty() && self.skipped.is_none()
    }

    fn ready(&self, text_left: Option<Instant>) -> Option<Instant> {
        match &self.skipped {
            // Until the window ends everything is skipped anyway, and one line is enough to say so.
            Some(skipped) => Some(skipped.until),
            None => {
                let gathered = text_left.map(|left| left + GATHER);
                // A line that is not finished may turn out to be a prompt.
                let finished = (!self.text.ends_with('\n')).then(|| self.since + GATHER);
                gathered.max(finished)
            }
        }
    }

    fn into_outgoing(mut self) -> Outgoing {
        if let Some(skipped) = self.skipped {
            if !self.text.is_empty() && !self.text.ends_with('\n') {
                self.text.push('\n');
            }
            let what = match skipped.lines {
                // Part of a line that has not ended: its length says more than its number.
                0 => format!("{} bytes", skipped.bytes),
                1 => "1 line".to_owned(),
                lines => format!("{lines} lines"),
            };
            self.text.push_str(&format!("... {what} skipped\n"));
        }
        Outgoing {
            parent: self.parent,
            post: Post::Stream {
                name: self.name,
                text: self.text,
            },
        }
    }
}

fn lines(text: &str) -> u64 {
    text.bytes().filter(|byte| *byte == b'\n').count() as u64
}

/// About how much memory a message holds.
fn size(post: &Post) -> usize {
    match post {
        Post::Display { data, .. } | Post::Update { data, .. } | Post::Result { data, .. } => {
            OVERHEAD + data.values().map(String::len).sum::<usize>()
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
