//! What can stand after a dot or after `Type::`, for a type as the compiler names it.

use std::collections::HashSet;

use super::Candidate;
use super::own::{Own, OwnName, head_of};
use crate::evaluate::index::{Found, Index, Kind, Member, Type};

/// How many types deep `Deref` is followed.
const DEPTH: u8 = 6;

/// Where members are looked up.
pub struct Members<'a> {
    pub index: &'a Index,
    pub own: &'a Own,
    /// Traits whose methods can be called.
    pub traits: &'a HashSet<String>,
}

/// A member, of the library or of the person's own types.
#[derive(Debug, Clone, Copy)]
pub enum Of<'a> {
    Library(&'a Type, &'a Member),
    Own(&'a OwnName),
    /// A tuple's field and its type.
    Place(usize, &'a str),
}

impl<'a> Members<'a> {
    /// Returns what can stand after a dot behind a value of this type. `rank` grows with the
    /// distance: own members, those it derefs to, those of traits.
    pub fn of_value(&self, type_name: &'a str) -> Vec<(u8, Of<'a>)> {
        let mut found = Vec::new();
        self.collect(type_name, 0, &mut found);
        let fits = |of: &Of<'_>| matches!(kind_of(*of), Kind::Method | Kind::Field);
        found.retain(|(_, of)| fits(of));
        first_of_each_name(found)
    }

    /// Returns what can stand after `Type::`.
    pub fn of_type(&self, name: &str, path: &'a str) -> Vec<(u8, Of<'a>)> {
        let mut found = Vec::new();
        if let Some(own) = self.own.type_named(name) {
            found.extend(own.members.iter().map(|member| (0, Of::Own(member))));
            self.of_traits(&own.traits, 2, &mut found);
        } else if let Some(known) = self.library(path) {
            found.extend(
                known
                    .members
                    .iter()
                    .map(|member| (0, Of::Library(known, member))),
            );
            self.of_traits(&known.traits, 2, &mut found);
        }
        for (rank, of) in &mut found {
            match kind_of(*of) {
                Kind::Field => *rank = u8::MAX,
                // `Type::method` works too, but is seldom what one looks for.
                Kind::Method => *rank += 1,
                _ => {}
            }
        }
        found.retain(|(rank, _)| *rank != u8::MAX);
        first_of_each_name(found)
    }

    fn library(&self, path: &str) -> Option<&'a Type> {
        match self.index.find(path) {
            Some(Found::Name(name)) => self.index.of(name),
            _ => None,
        }
    }

    fn collect(&self, type_name: &'a str, depth: u8, found: &mut Vec<(u8, Of<'a>)>) {
        let type_name = without_references(type_name);
        if depth > DEPTH {
            return;
        }
        if let Some(inner) = type_name
            .strip_prefix('(')
            .and_then(|rest| rest.strip_suffix(')'))
        {
            let parts = split(inner).into_iter().enumerate();
            found.extend(parts.map(|(index, part)| (depth, Of::Place(index, part))));
            return;
        }
        if let Some(traits) = type_name
            .strip_prefix("impl ")
            .or_else(|| type_name.strip_prefix("dyn "))
        {
            let names: Vec<String> = traits
                .split(" + ")
                .map(|part| head_of(part).to_owned())
                .collect();
            // The methods of a trait object need no `use` line.
            return self.of_named_traits(names.iter(), depth, found);
        }
        let (path, name) = if type_name.starts_with('[') {
            ("std::slice", "slice")
        } else {
            let path = type_name.split('<').next().unwrap_or(type_name);
            (path, head_of(type_name))
        };
        let is_library = self
            .index
            .modules
            .contains_key(path.split("::").next().unwrap_or(path));
        let own = self
            .own
            .type_named(name)
            .filter(|_| !is_library || !path.contains("::"));
        if let Some(own) = own {
            found.extend(own.members.iter().map(|member| (depth, Of::Own(member))));
            if let Some(target) = &own.derefs {
                self.collect(target, depth + 1, found);
            }
            self.of_traits(&own.traits, depth + 2, found);
            // What the standard library gives to every type.
            let blanket = ["Into", "TryInto", "ToOwned", "ToString", "IntoIterator"];
            let given = |name: &&&str| match **name {
                "ToOwned" => own.traits.iter().any(|known| known == "Clone"),
                "ToString" => own.traits.iter().any(|known| known == "Display"),
                "IntoIterator" => own.traits.iter().any(|known| known == "Iterator"),
                _ => true,
            };
            let blanket: Vec<String> = blanket
                .iter()
                .filter(given)
                .map(|name| (*name).to_owned())
                .collect();
            self.of_traits(&blanket, depth + 3, found);
            return;
        }
        let Some(known) = self.index.type_named(name, path) else {
            return;
        };
        found.extend(
            known
                .members
                .iter()
                .map(|member| (depth, Of::Library(known, member))),
        );
        match known.derefs.as_deref() {
            Some("*") => {
                if let Some(inner) = arguments(type_name).first().copied() {
                    self.collect(inner, depth + 1, found);
                }
            }
            Some(target) => self.collect(target, depth + 1, found),
            None => {}
        }
        self.of_traits(&known.traits, depth + 2, found);
    }

    fn of_traits(&self, names: &[String], rank: u8, found: &mut Vec<(u8, Of<'a>)>) {
        let callable = names.iter().filter(|name| self.traits.contains(*name));
        self.of_named_traits(callable, rank, found);
    }

    fn of_named_traits<'b>(
        &self,
        names: impl Iterator<Item = &'b String>,
        rank: u8,
        found: &mut Vec<(u8, Of<'a>)>,
    ) {
        for name in names {
            if let Some(own) = self.own.type_named(name) {
                found.extend(own.members.iter().map(|member| (rank, Of::Own(member))));
            } else if let Some(known) = self
                .index
                .types
                .iter()
                .find(|known| known.kind == Kind::Trait && known.name == *name)
            {
                found.extend(
                    known
                        .members
                        .iter()
                        .map(|member| (rank, Of::Library(known, member))),
                );
            }
        }
    }
}

impl Of<'_> {
    pub fn name(&self) -> String {
        match self {
            Of::Library(_, member) => member.name.clone(),
            Of::Own(own) => own.name.clone(),
            Of::Place(index, _) => index.to_string(),
        }
    }

    pub fn candidate(self, rank: u8) -> Candidate {
        match self {
            Of::Library(_, member) => {
                Candidate::of_library(&member.name, member.kind, member.text, rank)
            }
            Of::Own(own) => Candidate::new(&own.name, own.kind.word(), &own.signature, rank),
            Of::Place(index, type_name) => {
                Candidate::new(index.to_string(), Kind::Field.word(), type_name, rank)
            }
        }
    }
}

pub fn kind_of(of: Of<'_>) -> Kind {
    match of {
        Of::Library(_, member) => member.kind,
        Of::Own(own) => own.kind,
        Of::Place(..) => Kind::Field,
    }
}

/// A name that comes nearer hides one that comes later, as it does for the compiler.
fn first_of_each_name(mut found: Vec<(u8, Of<'_>)>) -> Vec<(u8, Of<'_>)> {
    found.sort_by_key(|(rank, _)| *rank);
    let mut seen = HashSet::new();
    found.retain(|(_, of)| seen.insert(of.name()));
    found
}

pub fn without_references(type_name: &str) -> &str {
    let mut rest = type_name.trim();
    loop {
        let before = rest;
        rest = rest.trim_start_matches('&').trim_start();
        rest = rest.strip_prefix("mut ").unwrap_or(rest).trim_start();
        if rest.starts_with('\'')
            && let Some((_, after)) = rest.split_once(' ')
        {
            rest = after;
        }
        if rest == before {
            return rest;
        }
    }
}

/// Returns the type arguments of `Arc<Mutex<i32>>`, lifetimes left out.
pub fn arguments(type_name: &str) -> Vec<&str> {
    let inner = type_name
        .find('<')
        .and_then(|open| type_name[open + 1..].trim_end().strip_suffix('>'));
    let parts = inner.map(split).unwrap_or_default();
    parts
        .into_iter()
        .filter(|part| !part.starts_with('\''))
        .collect()
}

/// Splits at the commas that stand in no bracket.
pub fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_i32, 0);
    for (at, next) in text.char_indices() {
        match next {
            '<' | '(' | '[' | '{' => depth += 1,
            '>' if text[..at].ends_with('-') => {}
            '>' | ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    parts.retain(|part| !part.is_empty());
    parts
}
