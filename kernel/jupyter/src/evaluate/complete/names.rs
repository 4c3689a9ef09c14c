//! Names as they can stand at the start of an expression, and the paths behind them.

use super::place::word_at;
use super::tokens::Tokens;
use super::{Candidate, Question};
use crate::evaluate::index::{Found, Kind, Name};
use crate::evaluate::uses;

const KEYWORDS: [&str; 33] = [
    "as", "async", "await", "break", "const", "continue", "crate", "dyn", "else", "enum", "extern",
    "false", "fn", "for", "if", "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub",
    "return", "static", "struct", "trait", "true", "type", "unsafe", "use", "while",
];

const DERIVES: [&str; 9] = [
    "Clone",
    "Copy",
    "Debug",
    "Default",
    "Eq",
    "Hash",
    "Ord",
    "PartialEq",
    "PartialOrd",
];

impl Question<'_> {
    /// Resolves the first part of a path by the session's `use` lines.
    pub(super) fn full_path(&self, path: &str) -> String {
        let (first, rest) = match path.split_once("::") {
            Some((first, rest)) => (first, format!("::{rest}")),
            None => (path, String::new()),
        };
        let used = self.uses().into_iter().find(|(name, _)| name == first);
        let full = match used {
            Some((_, target)) => format!("{target}{rest}"),
            None => path.to_owned(),
        };
        match full.strip_prefix("headwater::") {
            // The prelude crate re-exports the crates, two of them under shorter names.
            Some(inner) if inner.starts_with("streams") || inner.starts_with("course") => {
                format!("headwater_{inner}")
            }
            Some(inner) => inner.to_owned(),
            None => full,
        }
    }

    /// The names that `use` lines bring in, with their paths; also those of this cell.
    fn uses(&self) -> Vec<(String, String)> {
        let kept = self.known.session.uses.iter().map(|kept| kept.line.clone());
        let here = self.code.split([';', '\n']).filter_map(|line| {
            let tree = line.trim().strip_prefix("use ")?;
            let tree: syn::UseTree = syn::parse_str(tree).ok()?;
            Some(uses::lines(&tree, &(0..0)))
        });
        let lines: Vec<_> = here.flatten().chain(kept).collect();
        let path = |text: &str| {
            let text = text
                .trim_start_matches("use ")
                .trim_end_matches(';')
                .to_owned();
            text.split(" as ").next().unwrap_or_default().to_owned()
        };
        lines
            .iter()
            .map(|line| (line.key.clone(), path(&line.text)))
            .collect()
    }

    /// What can stand at the start of an expression.
    pub(super) fn names(&self, start: usize) -> Vec<Candidate> {
        let tokens = Tokens::before(self.code, start);
        if tokens.is_in_derive() {
            let names = ["Serialize", "Deserialize"].iter().chain(&DERIVES);
            return names
                .map(|name| Candidate::new(*name, "macro", "", 0))
                .collect();
        }
        let mut matches = self.fields_of_literal(&tokens);
        let locals = self.locals(start).into_iter();
        matches.extend(locals.map(|name| Candidate::new(name, "variable", "", 0)));
        matches.extend(
            self.known
                .variables
                .iter()
                .map(|variable| Candidate::new(&variable.name, "variable", &variable.type_name, 0)),
        );
        let own = self.own.names.iter().filter(|name| name.module.is_empty());
        matches.extend(own.map(|name| {
            Candidate::new(
                called(&name.name, name.kind),
                name.kind.word(),
                &name.signature,
                0,
            )
        }));
        for (name, path) in self.uses() {
            if let Some(Found::Name(known)) = self.index.find(&path) {
                let mut candidate = self.candidate(known, 0);
                candidate.text = name;
                matches.push(candidate);
            }
        }
        matches.extend(self.index.scope().map(|name| self.candidate(name, 1)));
        matches.extend(
            self.index.variants().map(|(_, member)| {
                Candidate::of_library(&member.name, member.kind, member.text, 1)
            }),
        );
        matches.extend(
            self.index
                .roots()
                .map(|root| Candidate::new(root, "module", "", 2)),
        );
        matches.extend(KEYWORDS.map(|word| Candidate::new(word, "keyword", "", 3)));
        // A type that no `use` line has brought in is offered by its path.
        let word = &self.code[start..word_at(self.code, start).end];
        if word.starts_with(char::is_uppercase) {
            let types = self.index.std_types(word).into_iter();
            matches.extend(
                types.map(|(path, name)| Candidate::of_library(path, name.kind, name.text, 4)),
            );
        }
        matches
    }

    /// Returns a path that starts with `Self`, with the type of the `impl` block instead.
    pub(super) fn without_self(&self, path: &str, start: usize) -> Option<String> {
        let rest = path.strip_prefix("Self")?;
        let tokens = Tokens::before(self.code, start);
        Some(format!("{}{rest}", tokens.implemented()?))
    }

    /// In `Trip { fare: 1.0, ` the fields of `Trip`.
    fn fields_of_literal(&self, tokens: &Tokens<'_>) -> Vec<Candidate> {
        let open = tokens.open_brackets().pop();
        let owner = open
            .filter(|open| *open > 0 && tokens.all[*open].is("{"))
            .and_then(|open| match tokens.all[open - 1].text {
                "Self" => self.own.type_named(tokens.implemented()?),
                name => self.own.type_named(name),
            });
        let members = owner.into_iter().flat_map(|owner| &owner.members);
        let fields = members.filter(|member| member.kind == Kind::Field);
        fields
            .map(|field| Candidate::new(&field.name, "field", &field.signature, 0))
            .collect()
    }

    pub(super) fn candidate(&self, name: &Name, rank: u8) -> Candidate {
        Candidate::of_library(called(&name.name, name.kind), name.kind, name.text, rank)
    }

    /// Names that the cell itself binds before byte `start`: `let`, arguments, loops, closures.
    pub(super) fn locals(&self, start: usize) -> Vec<String> {
        let tokens = Tokens::before(self.code, start);
        let mut names: Vec<String> = Vec::new();
        let (mut in_let, mut in_closure) = (false, false);
        for (at, token) in tokens.all.iter().enumerate() {
            let next = tokens.all.get(at + 1);
            match token.text {
                "let" | "for" => in_let = true,
                "=" | "in" | ";" | "{" => in_let = false,
                // The first bar of a closure stands where a value may start.
                "|" => {
                    let opens = at == 0
                        || ["(", ",", "=", "move", "{", ";", "=>"]
                            .contains(&tokens.all[at - 1].text);
                    in_closure = opens && !in_closure;
                }
                _ => {
                    let is_argument = next.is_some_and(|next| next.is(":"));
                    let follows_colon = at > 0 && tokens.all[at - 1].is(":");
                    let is_value = token.is_name()
                        && token
                            .text
                            .starts_with(|first: char| first.is_lowercase() || first == '_')
                        && !KEYWORDS.contains(&token.text)
                        && !follows_colon;
                    if is_value && (in_let || in_closure || is_argument) {
                        names.push(token.text.to_owned());
                    }
                }
            }
        }
        names.sort();
        names.dedup();
        names
    }
}

/// A macro is called with its `!`.
fn called(name: &str, kind: Kind) -> String {
    if kind == Kind::Macro {
        format!("{name}!")
    } else {
        name.to_owned()
    }
}
