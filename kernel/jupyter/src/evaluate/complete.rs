//! Completes and explains names, from the library's index and from the session's variables.

use std::sync::{Arc, RwLock};

use super::index::{Entry, Index};
use super::session::{Session, short_type};

const KEYWORDS: [&str; 24] = [
    "let", "mut", "fn", "struct", "enum", "impl", "trait", "use", "pub", "match", "if", "else",
    "for", "while", "loop", "return", "break", "continue", "move", "async", "await", "const",
    "static", "println!",
];

/// Answers from any thread while a cell runs.
#[derive(Clone)]
pub struct Completer {
    index: Arc<Index>,
    /// Replaced after each cell, read by requests; held only while copying, so a std lock.
    known: Arc<RwLock<Known>>,
}

#[derive(Default)]
struct Known {
    /// Name and short type.
    variables: Vec<(String, String)>,
    items: Vec<String>,
}

/// What could stand in the place of the characters from `start` to `end`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completions {
    pub start: usize,
    pub end: usize,
    pub matches: Vec<String>,
}

/// A variable as a panel of variables lists it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct VariableInfo {
    pub name: String,
    #[serde(rename = "type")]
    pub type_name: String,
}

impl Completer {
    pub(super) fn new(index: Index) -> Completer {
        Completer {
            index: Arc::new(index),
            known: Arc::default(),
        }
    }

    pub(super) fn learn(&self, session: &Session) {
        let variables = session
            .variables
            .iter()
            .map(|(name, variable)| (name.clone(), short_type(&variable.type_name)));
        let known = Known {
            variables: variables.collect(),
            items: session
                .items
                .iter()
                .filter_map(|item| item.name.clone())
                .collect(),
        };
        *self.known.write().expect("no panic under this lock") = known;
    }

    /// Returns the session's variables, in order of name.
    pub fn variables(&self) -> Vec<VariableInfo> {
        let known = self.known.read().expect("no panic under this lock");
        let variables = known.variables.iter();
        variables
            .map(|(name, type_name)| VariableInfo {
                name: name.clone(),
                type_name: type_name.clone(),
            })
            .collect()
    }

    /// Returns what the word before `cursor` (in characters) may become.
    pub fn complete(&self, code: &str, cursor: usize) -> Completions {
        let chars: Vec<char> = code.chars().collect();
        let end = cursor.min(chars.len());
        let mut start = end;
        while start > 0 && is_word(chars[start - 1]) {
            start -= 1;
        }
        let word: String = chars[start..end].iter().collect();
        let before: String = chars[..start].iter().collect();
        let mut matches = match before.trim_end().chars().next_back() {
            Some('.') => self.methods(receiver(&before), &word),
            Some(':') if before.trim_end().ends_with("::") => self.associated(&before, &word),
            Some(':') if before.trim() == ":" => {
                start -= 1;
                super::command::names()
                    .filter(|name| name[1..].starts_with(&word))
                    .map(str::to_owned)
                    .collect()
            }
            _ => self.names(&word),
        };
        matches.sort();
        matches.dedup();
        Completions {
            start,
            end,
            matches,
        }
    }

    /// Returns type, signature and documentation of the name at `cursor` (in characters).
    pub fn inspect(&self, code: &str, cursor: usize) -> Option<String> {
        let chars: Vec<char> = code.chars().collect();
        let at = cursor.min(chars.len());
        let start = (0..at)
            .rev()
            .take_while(|index| is_word(chars[*index]))
            .last()
            .unwrap_or(at);
        let end = (at..chars.len())
            .find(|index| !is_word(chars[*index]))
            .unwrap_or(chars.len());
        let word: String = chars[start..end].iter().collect();
        if word.is_empty() {
            return None;
        }
        let before: String = chars[..start].iter().collect();
        let is_method = before.trim_end().ends_with(['.', ':']);
        let known = self.known.read().expect("no panic under this lock");
        if let Some((name, type_name)) = known
            .variables
            .iter()
            .find(|(name, _)| *name == word && !is_method)
        {
            return Some(format!("{name}: {type_name}"));
        }
        drop(known);
        let texts: Vec<String> = self
            .index
            .entries
            .iter()
            .filter(|entry| entry.name == word && entry.of.is_some() == is_method)
            .map(describe)
            .collect();
        (!texts.is_empty()).then(|| texts.join("\n\n"))
    }

    fn names(&self, word: &str) -> Vec<String> {
        let known = self.known.read().expect("no panic under this lock");
        let variables = known.variables.iter().map(|(name, _)| name.as_str());
        let library = self
            .index
            .entries
            .iter()
            .filter(|entry| entry.of.is_none())
            .map(|entry| entry.name.as_str());
        let all = variables
            .chain(known.items.iter().map(String::as_str))
            .chain(library)
            .chain(KEYWORDS);
        all.filter(|name| name.starts_with(word))
            .map(str::to_owned)
            .collect()
    }

    /// Methods of the variable before the dot where its type is known, else of all types.
    fn methods(&self, receiver: &str, word: &str) -> Vec<String> {
        let known = self.known.read().expect("no panic under this lock");
        let of = known
            .variables
            .iter()
            .find(|(name, _)| name == receiver)
            .map(|(_, type_name)| type_name.as_str());
        let takes_self = |entry: &&Entry| entry.signature.contains("self");
        let fits = |entry: &&Entry| {
            of.is_none_or(|of| entry.of.as_deref() == Some(of.trim_start_matches('&')))
        };
        let methods = self
            .index
            .entries
            .iter()
            .filter(|entry| entry.of.is_some())
            .filter(takes_self)
            .filter(fits);
        methods
            .filter(|entry| entry.name.starts_with(word))
            .map(|entry| entry.name.clone())
            .collect()
    }

    /// What stands after `Type::`.
    fn associated(&self, before: &str, word: &str) -> Vec<String> {
        let owner = receiver(before.trim_end().trim_end_matches("::")).to_owned();
        let members = self
            .index
            .entries
            .iter()
            .filter(|entry| entry.of.as_deref() == Some(owner.as_str()));
        members
            .filter(|entry| entry.name.starts_with(word))
            .map(|entry| entry.name.clone())
            .collect()
    }
}

fn describe(entry: &Entry) -> String {
    let of = entry
        .of
        .as_ref()
        .map(|of| format!("{of}: "))
        .unwrap_or_default();
    format!("{of}{}\n\n{}", entry.signature, entry.doc)
}

fn is_word(next: char) -> bool {
    next.is_alphanumeric() || next == '_'
}

/// Returns the last word of the text, without a dot at its end.
fn receiver(before: &str) -> &str {
    let text = before.trim_end().trim_end_matches('.').trim_end();
    let start = text
        .char_indices()
        .rev()
        .take_while(|(_, next)| is_word(*next))
        .last()
        .map_or(text.len(), |(at, _)| at);
    &text[start..]
}
