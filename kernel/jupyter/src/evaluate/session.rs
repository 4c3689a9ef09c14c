//! What a session has defined so far: items, imports and variables.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::cell::Cell;
use super::facts::{Facts, plain, words};
use super::recipes::Taken;
use super::statics::Static;
use super::uses::UseLine;

/// The definitions that every later cell sees.
#[derive(Debug, Default, Clone)]
pub struct Session {
    pub items: Vec<KeptItem>,
    pub uses: Vec<KeptUse>,
    pub variables: BTreeMap<String, Variable>,
    /// The code of every cell that defined something, for messages that point into it.
    pub sources: BTreeMap<u64, Source>,
    /// Names that the newest cell gave another meaning, and those of the items that depend on
    /// them: what mentions one is compiled in this cell too, so that an error shows at once.
    pub affected: BTreeSet<String>,
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
    pub facts: Arc<Facts>,
    pub statics: Vec<Static>,
    /// The cell whose library holds the statics in it.
    pub home: u64,
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
        let source = Source {
            count,
            code: cell.code.clone(),
        };
        next.sources.insert(number, source);
        let changed = self.changed_by(cell);
        let reshaped = self.dependent_on(changed.clone(), |item| item.facts.shapes);
        next.affected = self.dependent_on(changed, |_| true);
        for item in &mut next.items {
            // A static whose type is another one now cannot be read as what it was.
            let outdated = |held: &Static| !held.type_words.is_disjoint(&reshaped);
            if item.statics.iter().any(outdated) {
                item.home = number;
            }
        }
        for item in &cell.items {
            next.items
                .retain_mut(|old| old.key != item.key && old.gives_way_to(&item.facts));
            next.items.push(KeptItem {
                key: item.key.clone(),
                name: item.name.clone(),
                cell: number,
                start: item.range.start,
                text: cell.code[item.range.clone()].to_owned(),
                facts: item.facts.clone(),
                statics: item.statics.clone(),
                home: number,
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

    /// Returns the variables whose type is one that `cell` defines anew, or depends on one: their
    /// values have the old layout and cannot be used any more. The same text again changes nothing.
    pub fn outdated_by(&self, cell: &Cell) -> Vec<String> {
        let reshaped = self.dependent_on(self.changed_by(cell), |item| item.facts.shapes);
        let own: Vec<&String> = reshaped
            .iter()
            .filter(|name| self.items.iter().any(|item| item.is_called(name)))
            .collect();
        let outdated = self
            .variables
            .iter()
            .filter(|(_, variable)| own.iter().any(|name| has_root(&variable.type_name, name)));
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

    /// Returns the names that mean something else after `cell` than before.
    fn changed_by(&self, cell: &Cell) -> BTreeSet<String> {
        let same_item = |item: &super::cell::CellItem| {
            let text = &cell.code[item.range.clone()];
            self.items
                .iter()
                .any(|old| old.key == item.key && old.text == text)
        };
        let items = cell.items.iter().filter(|item| !same_item(item));
        let same_line = |line: &UseLine| self.uses.iter().any(|old| old.line.text == line.text);
        let lines = cell.uses.iter().filter(|line| !same_line(line));
        items
            .filter_map(|item| item.name.as_deref())
            .chain(lines.map(|line| line.key.as_str()))
            .map(plain)
            .collect()
    }

    /// Returns `names` and the names of the items that mention one of them, directly or through
    /// others, as far as the dependence goes through items of the kind that `follow` accepts.
    fn dependent_on(
        &self,
        mut names: BTreeSet<String>,
        follow: impl Fn(&KeptItem) -> bool,
    ) -> BTreeSet<String> {
        loop {
            let before = names.len();
            for item in self.items.iter().filter(|item| follow(item)) {
                if !item.facts.words.is_disjoint(&names) {
                    names.extend(item.name.as_deref().map(plain));
                }
            }
            if names.len() == before {
                return names;
            }
        }
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

impl KeptItem {
    /// Takes out the methods that `newer` defines anew; returns whether anything is left.
    fn gives_way_to(&mut self, newer: &Facts) -> bool {
        let (Some(old), Some(new)) = (&self.facts.methods, &newer.methods) else {
            return true;
        };
        let is_new = |name: &String| new.members.iter().any(|(other, _)| other == name);
        if old.of != new.of || !old.members.iter().any(|(name, _)| is_new(name)) {
            return true;
        }
        let (gone, left): (Vec<_>, Vec<_>) = old
            .members
            .iter()
            .cloned()
            .partition(|(name, _)| is_new(name));
        for (_, bytes) in gone {
            let blank: String = self.text[bytes.clone()]
                .chars()
                .map(|next| {
                    if next == '\n' {
                        "\n".to_owned()
                    } else {
                        " ".repeat(next.len_utf8())
                    }
                })
                .collect();
            self.statics
                .retain(|held| !bytes.contains(&held.whole.start));
            self.text.replace_range(bytes, &blank);
        }
        let methods = Some(super::facts::Methods {
            of: old.of.clone(),
            members: left.clone(),
        });
        self.facts = Arc::new(Facts {
            methods,
            ..Facts::clone(&self.facts)
        });
        !left.is_empty()
    }

    fn is_called(&self, name: &str) -> bool {
        self.name.as_deref().is_some_and(|own| plain(own) == name)
    }
}

/// Returns whether a path in a type starts with `name`, as the paths of a session's own items do.
fn has_root(type_name: &str, name: &str) -> bool {
    words(type_name).contains(name)
        && type_name
            .match_indices(name)
            .any(|(at, _)| !type_name[..at].ends_with("::") && mentions(&type_name[at..], name))
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
/// `Vec<DataFrame>`. What belongs to a type keeps its name: `Colour::Green`, `u8::MAX`.
pub fn short_type(full: &str) -> String {
    if let Some((before, rest)) = full.split_once("{closure@")
        && let Some((_, after)) = rest.split_once('}')
    {
        return short_type(&format!("{before}closure{after}"));
    }
    let mut short = String::new();
    let mut word = String::new();
    let mut starts_path = true;
    let mut chars = full.chars().peekable();
    while let Some(next) = chars.next() {
        if next == ':' && chars.peek() == Some(&':') {
            chars.next();
            if !is_module(&word, starts_path) {
                short.push_str(&word);
                short.push_str("::");
            }
            word.clear();
            starts_path = false;
        } else if next.is_alphanumeric() || next == '_' {
            word.push(next);
        } else {
            short.push_str(&word);
            word.clear();
            short.push(next);
            starts_path = true;
        }
    }
    short + &word
}

/// Types have a capital, but for those of the language itself; `std::str` is a module all the same.
fn is_module(word: &str, starts_path: bool) -> bool {
    const PRIMITIVES: [&str; 17] = [
        "bool", "char", "str", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8",
        "u16", "u32", "u64", "u128", "usize",
    ];
    let is_primitive = starts_path && PRIMITIVES.contains(&word);
    !word.starts_with(char::is_uppercase) && !is_primitive
}

#[cfg(test)]
mod tests {
    use super::short_type;

    #[test]
    fn paths_go_and_owners_stay() {
        for (full, short) in [
            ("std::vec::Vec<polars::frame::DataFrame>", "Vec<DataFrame>"),
            ("cell::shapes::Colour::Green", "Colour::Green"),
            ("10_u8..=u8::MAX", "10_u8..=u8::MAX"),
            ("std::str::Chars<'_>", "Chars<'_>"),
            ("&'static str", "&'static str"),
            (
                "std::collections::HashMap<i32, alloc::string::String>",
                "HashMap<i32, String>",
            ),
        ] {
            assert_eq!(short_type(full), short);
        }
    }
}
