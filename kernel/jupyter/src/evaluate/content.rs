//! evcxr's convention for rich output: a block in stdout that names its MIME type.
//!
//! ```text
//! EVCXR_BEGIN_CONTENT image/svg+xml
//! <svg> … </svg>
//! EVCXR_END_CONTENT
//! ```
//!
//! Blocks of different types that follow one another are forms of one display.
//! <https://github.com/evcxr/evcxr/blob/main/evcxr_jupyter/README.md>

use super::frame::Bundle;

const BEGIN: &str = "EVCXR_BEGIN_CONTENT ";
const END: &str = "EVCXR_END_CONTENT";

/// A block longer than this is text that only looks like one.
const LIMIT: usize = 64 << 20;

/// What stdout says, with the blocks taken out.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    Text(String),
    Display(Bundle),
}

/// Splits text that comes in pieces.
#[derive(Debug)]
pub struct Content {
    /// What may become a block, or is in one.
    held: String,
    /// The type of the block that `held` is in.
    mime: Option<String>,
    /// How much of `held` has been searched for the end of the block.
    searched: usize,
    starts_line: bool,
    /// Set behind a block whose line has not ended yet: that end is no text.
    ends_line: bool,
    bundle: Bundle,
}

impl Content {
    pub fn new() -> Content {
        Content {
            held: String::new(),
            mime: None,
            searched: 0,
            starts_line: true,
            ends_line: false,
            bundle: Bundle::new(),
        }
    }

    /// Takes the next piece, and says what is whole.
    pub fn push(&mut self, text: &str, say: &mut impl FnMut(Said)) {
        self.held.push_str(text);
        while self.step(say) {}
    }

    /// Says what is still held: no more text will come for now.
    pub fn flush(&mut self, say: &mut impl FnMut(Said)) {
        self.end_display(say);
        if self.mime.is_none() && !self.held.is_empty() {
            let held = std::mem::take(&mut self.held);
            self.text(held, say);
        }
    }

    /// Returns whether there may be more to do at once.
    fn step(&mut self, say: &mut impl FnMut(Said)) -> bool {
        if self.mime.is_some() {
            return self.end_block(say);
        }
        if std::mem::take(&mut self.ends_line) {
            self.ends_line = self.held.is_empty();
            if self.held.starts_with('\n') {
                self.held.remove(0);
            }
        }
        let Some(at) = self.line_with(BEGIN, 0) else {
            let keep = self.start_of_block();
            let rest = self.held.split_off(self.held.len() - keep);
            let text = std::mem::replace(&mut self.held, rest);
            self.text(text, say);
            return false;
        };
        let Some(length) = self.held[at..].find('\n') else {
            return false;
        };
        let rest = self.held.split_off(at);
        let before = std::mem::replace(&mut self.held, rest);
        self.text(before, say);
        let mime = self.held[BEGIN.len()..length].trim().to_owned();
        self.held.drain(..=length);
        if self.bundle.contains_key(&mime) {
            self.end_display(say);
        }
        self.mime = Some(mime);
        self.searched = 0;
        self.starts_line = true;
        true
    }

    fn end_block(&mut self, say: &mut impl FnMut(Said)) -> bool {
        let Some(at) = self.line_with(END, self.searched) else {
            // The end itself may be cut in two.
            self.searched = self.held.len().saturating_sub(END.len() + 1);
            while !self.held.is_char_boundary(self.searched) {
                self.searched -= 1;
            }
            if self.held.len() > LIMIT {
                let mime = self.mime.take().unwrap_or_default();
                let held = std::mem::take(&mut self.held);
                self.text(format!("{BEGIN}{mime}\n{held}"), say);
            }
            return false;
        };
        let rest = self.held.split_off(at);
        let content = std::mem::replace(&mut self.held, rest);
        self.held.drain(..END.len());
        self.ends_line = true;
        let content = content.strip_suffix('\n').unwrap_or(&content).to_owned();
        if let Some(mime) = self.mime.take() {
            self.bundle.insert(mime, content);
        }
        self.starts_line = true;
        true
    }

    /// Finds `word` at the start of a line.
    fn line_with(&self, word: &str, from: usize) -> Option<usize> {
        let mut start = from;
        while let Some(found) = self.held[start..].find(word) {
            let at = start + found;
            let starts_line = match at {
                0 => self.starts_line,
                at => self.held.as_bytes()[at - 1] == b'\n',
            };
            if starts_line {
                return Some(at);
            }
            start = at + word.len();
        }
        None
    }

    /// Returns how many bytes at the end may become a block.
    fn start_of_block(&self) -> usize {
        let line = self.held.rfind('\n').map_or(0, |at| at + 1);
        let last = &self.held[line..];
        let starts_line = line > 0 || self.starts_line;
        if starts_line && !last.is_empty() && BEGIN.starts_with(last) {
            last.len()
        } else {
            0
        }
    }

    fn text(&mut self, text: String, say: &mut impl FnMut(Said)) {
        if text.is_empty() {
            return;
        }
        self.end_display(say);
        self.starts_line = text.ends_with('\n');
        say(Said::Text(text));
    }

    fn end_display(&mut self, say: &mut impl FnMut(Said)) {
        if !self.bundle.is_empty() {
            say(Said::Display(std::mem::take(&mut self.bundle)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Joins neighbouring texts, so that how the text was cut does not show.
    fn said(pieces: &[&str]) -> Vec<Said> {
        let (mut content, mut all) = (Content::new(), Vec::new());
        let mut say = |next: Said| match (all.last_mut(), next) {
            (Some(Said::Text(last)), Said::Text(next)) => last.push_str(&next),
            (_, next) => all.push(next),
        };
        pieces
            .iter()
            .for_each(|piece| content.push(piece, &mut say));
        content.flush(&mut say);
        all
    }

    fn text(text: &str) -> Said {
        Said::Text(text.to_owned())
    }

    fn display(forms: &[(&str, &str)]) -> Said {
        let forms = forms
            .iter()
            .map(|(mime, data)| ((*mime).to_owned(), (*data).to_owned()));
        Said::Display(forms.collect())
    }

    #[test]
    fn a_block_becomes_a_display_wherever_it_is_cut() {
        let whole =
            "before\nEVCXR_BEGIN_CONTENT text/html\n<b>é</b>\n<i>1</i>\nEVCXR_END_CONTENT\nafter";
        let expected = [
            text("before\n"),
            display(&[("text/html", "<b>é</b>\n<i>1</i>")]),
            text("after"),
        ];
        assert_eq!(said(&[whole]), expected);
        for cut in (1..whole.len()).filter(|cut| whole.is_char_boundary(*cut)) {
            assert_eq!(
                said(&[&whole[..cut], &whole[cut..]]),
                expected,
                "cut at {cut}"
            );
        }
    }

    #[test]
    fn blocks_of_different_types_are_one_display() {
        let block = |mime: &str, data: &str| format!("{BEGIN}{mime}\n{data}\n{END}\n");
        let both = block("text/html", "<b>1</b>") + &block("text/plain", "1");
        assert_eq!(
            said(&[&both]),
            [display(&[("text/html", "<b>1</b>"), ("text/plain", "1")])]
        );
        let twice = block("text/plain", "1") + &block("text/plain", "2");
        assert_eq!(
            said(&[&twice]),
            [
                display(&[("text/plain", "1")]),
                display(&[("text/plain", "2")])
            ]
        );
    }

    #[test]
    fn words_that_only_look_like_a_block_stay_text() {
        for words in [
            "EVCXR_BEGIN",
            "say EVCXR_BEGIN_CONTENT x\n",
            "EVCXR_END_CONTENT\n",
        ] {
            assert_eq!(said(&[words]), [text(words)]);
        }
    }

    #[test]
    fn unfinished_lines_are_not_held_back() {
        let (mut content, mut all) = (Content::new(), Vec::new());
        content.push("working … ", &mut |next| all.push(next));
        assert_eq!(all, [text("working … ")]);
    }
}
