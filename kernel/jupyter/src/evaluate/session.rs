//! What a session has defined so far: items, imports and variables.

use std::collections::BTreeMap;

use super::cell::Cell;
use super::recipes::Taken;
use super::uses::UseLine;

/// The definitions that every later cell sees.
#[derive(Debug, Default, Clone)]
pub struct Session {
    pub items: Vec<KeptItem>,
    pub uses: Vec<KeptUse>,
    pub variables: BTreeMap<String, Variable>,
    /// The code of every cell that defined something, for messages that point into it.
    pub sources: BTreeMap<u64, Source>,
}

/// A cell's text under the number that the person knows it by.
#[derive(Debug, Clone)]
pub struct Source {
    pub count: u32,
    pub code: String,
}

#[derive(Debug, Clone)]
pub struct KeptItem {
    pub key: String,
    pub name: Option<String>,
    pub cell: u64,
    pub start: usize,
    pub text: String,
}

#[derive(Debug, Clone)]
pub struct KeptUse {
    pub line: UseLine,
    pub cell: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// The type, by a path that a cell can write.
    pub type_name: String,
    pub mutable: bool,
}

impl Session {
    /// Returns the session as it will be once `cell` has been compiled: its items and imports
    /// take the place of older ones of the same name.
    pub fn with(&self, cell: &Cell, number: u64, count: u32) -> Session {
        let mut next = self.clone();
        next.sources.insert(
            number,
            Source {
                count,
                code: cell.code.clone(),
            },
        );
        for item in &cell.items {
            next.items.retain(|old| old.key != item.key);
            next.items.push(KeptItem {
                key: item.key.clone(),
                name: item.name.clone(),
                cell: number,
                start: item.range.start,
                text: cell.code[item.range.clone()].to_owned(),
            });
        }
        for line in &cell.uses {
            next.uses.retain(|old| old.line.key != line.key);
            next.uses.push(KeptUse {
                line: line.clone(),
                cell: number,
            });
        }
        next.drop_unused_sources();
        next
    }

    /// Returns the variables whose type is one that `cell` defines anew: their values have the
    /// old layout and cannot be used any more.
    pub fn outdated_by(&self, cell: &Cell) -> Vec<String> {
        let redefined =
            |item: &&super::cell::CellItem| self.items.iter().any(|old| old.key == item.key);
        let names: Vec<&str> = cell
            .items
            .iter()
            .filter(redefined)
            .filter_map(|item| item.name.as_deref())
            .collect();
        let outdated = self
            .variables
            .iter()
            .filter(|(_, variable)| names.iter().any(|name| mentions(&variable.type_name, name)));
        outdated.map(|(name, _)| name.clone()).collect()
    }

    /// Returns the variables that the statements of `cell` mention.
    pub fn taken_by(&self, cell: &Cell) -> Vec<Taken> {
        let statements = cell.statements();
        let mentioned = self
            .variables
            .iter()
            .filter(|(name, _)| mentions(&statements, name));
        mentioned
            .map(|(name, variable)| Taken {
                name: name.clone(),
                mutable: variable.mutable,
            })
            .collect()
    }

    /// Returns `name: type` of each variable, in order of name.
    pub fn describe_variables(&self) -> Vec<String> {
        self.variables
            .iter()
            .map(|(name, variable)| format!("{name}: {}", short_type(&variable.type_name)))
            .collect()
    }

    fn drop_unused_sources(&mut self) {
        let used = |cell: u64| {
            self.items.iter().any(|item| item.cell == cell)
                || self.uses.iter().any(|line| line.cell == cell)
        };
        let newest = self.sources.keys().next_back().copied();
        let keep: Vec<u64> = self
            .sources
            .keys()
            .copied()
            .filter(|cell| used(*cell) || Some(*cell) == newest)
            .collect();
        self.sources.retain(|cell, _| keep.contains(cell));
    }
}

/// Returns whether `text` has `word` as a word of its own.
pub fn mentions(text: &str, word: &str) -> bool {
    let is_part =
        |next: Option<char>| next.is_some_and(|next| next.is_alphanumeric() || next == '_');
    text.match_indices(word).any(|(at, _)| {
        !is_part(text[..at].chars().next_back()) && !is_part(text[at + word.len()..].chars().next())
    })
}

/// Returns a type without the paths: `std::vec::Vec<polars::frame::DataFrame>` is
/// `Vec<DataFrame>`.
pub fn short_type(full: &str) -> String {
    if let Some((before, rest)) = full.split_once("{closure@")
        && let Some((_, after)) = rest.split_once('}')
    {
        return short_type(&format!("{before}closure{after}"));
    }
    let mut short = String::new();
    let mut word = String::new();
    let mut chars = full.chars().peekable();
    while let Some(next) = chars.next() {
        if next == ':' && chars.peek() == Some(&':') {
            chars.next();
            word.clear();
        } else if next.is_alphanumeric() || next == '_' {
            word.push(next);
        } else {
            short.push_str(&word);
            word.clear();
            short.push(next);
        }
    }
    short + &word
}
