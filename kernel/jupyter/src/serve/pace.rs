//! How much may be published: Jupyter servers cut off kernels that send too much.
//!
//! jupyter_server drops every output of a cell, silently, after 1,000 messages or 1 MB of stream
//! text a second over three seconds; the limits here stay well below. Both types take the time
//! as an argument, so that tests need no clock.

use std::time::{Duration, Instant};

/// Stream text: at most so many bytes begin in any one window.
const TEXT_BYTES: usize = 512 * 1024;
const TEXT_WINDOW: Duration = Duration::from_secs(1);

/// Messages: this many a second, after a burst of as many as fit into half a second.
const MESSAGES_PER_SECOND: f64 = 200.0;
const MESSAGE_BURST: f64 = 100.0;

/// The bytes of stream text that may still be published in this window.
#[derive(Debug)]
pub struct TextBudget {
    window_end: Option<Instant>,
    left: usize,
}

impl TextBudget {
    pub fn new() -> TextBudget {
        TextBudget {
            window_end: None,
            left: TEXT_BYTES,
        }
    }

    /// Takes as much of `text` as may be published now and returns it with the rest. The cut is
    /// after a line where there is one.
    pub fn take<'text>(&mut self, now: Instant, text: &'text str) -> (&'text str, &'text str) {
        if self.window_end.is_none_or(|end| now >= end) {
            self.window_end = Some(now + TEXT_WINDOW);
            self.left = TEXT_BYTES;
        }
        let (cut, cost) = cut(text, self.left);
        self.left = if cut == text.len() {
            self.left - cost
        } else {
            0
        };
        text.split_at(cut)
    }

    /// Returns when text is taken again after [`TextBudget::take`] has refused some.
    pub fn next_window(&self) -> Option<Instant> {
        self.window_end
    }
}

/// Returns how many bytes of `text` cost at most `limit`, and what they cost.
fn cut(text: &str, limit: usize) -> (usize, usize) {
    let mut cost = 0;
    let mut line_end = 0;
    for (at, letter) in text.char_indices() {
        let next = cost + json_length(letter);
        if next > limit {
            return (
                if line_end > 0 || limit < TEXT_BYTES {
                    line_end
                } else {
                    at
                },
                cost,
            );
        }
        cost = next;
        if letter == '\n' {
            line_end = at + 1;
        }
    }
    (text.len(), cost)
}

/// What a letter takes within a JSON string, which is what the server counts.
fn json_length(letter: char) -> usize {
    match letter {
        '"' | '\\' | '\n' | '\r' | '\t' => 2,
        letter if letter < ' ' => 6,
        letter => letter.len_utf8(),
    }
}

/// Spaces messages out.
#[derive(Debug)]
pub struct MessageBudget {
    tokens: f64,
    at: Option<Instant>,
}

impl MessageBudget {
    pub fn new() -> MessageBudget {
        MessageBudget {
            tokens: MESSAGE_BURST,
            at: None,
        }
    }

    /// Takes one message, or returns how long to wait before there is one to take.
    pub fn take(&mut self, now: Instant) -> Result<(), Duration> {
        let passed = self
            .at
            .map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        self.at = Some(now);
        let earned = passed.as_secs_f64() * MESSAGES_PER_SECOND;
        self.tokens = (self.tokens + earned).min(MESSAGE_BURST);
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return Ok(());
        }
        Err(Duration::from_secs_f64(
            (1.0 - self.tokens) / MESSAGES_PER_SECOND,
        ))
    }
}
