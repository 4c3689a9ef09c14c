//! The type of an expression where signatures alone tell it: no compiler is asked.
//!
//! Chains of the library's calls are of this kind, and what one types most. Wherever more is
//! needed (inference, closures, generic functions, a name that several types have), there is no
//! answer here, and the compiler gives one.

use std::ops::Range;

use super::Question;
use super::members::{Of, arguments, split, without_references};
use super::own::head_of;
use super::tokens::{Kind as TokenKind, Token, Tokens};
use crate::evaluate::index::{Found, Kind, Type};

/// How many `let` lines are followed one behind the other.
const DEPTH: u8 = 8;

impl Question<'_> {
    /// Returns the type of the expression at `range`.
    pub(super) fn followed(&self, range: Range<usize>) -> Option<String> {
        let tokens = Tokens::before(self.code, range.end);
        let start = tokens
            .all
            .iter()
            .position(|token| token.at >= range.start)?;
        self.expression(&tokens.all[start..], 0)
    }

    fn expression(&self, tokens: &[Token<'_>], depth: u8) -> Option<String> {
        let (mut type_name, mut at) = self.start(tokens, depth)?;
        while let Some(token) = tokens.get(at) {
            if token.is("?") {
                let is_fallible = ["Result", "Option"].contains(&head_of(&type_name));
                let inner = arguments(&type_name).first().copied();
                type_name = self.known(inner.filter(|_| is_fallible)?, "")?;
                at += 1;
                continue;
            }
            let name = tokens.get(at + 1).filter(|_| token.is("."))?;
            let calls = tokens.get(at + 2).is_some_and(|next| next.is("("));
            type_name = self.behind_dot(&type_name, name.text, calls)?;
            at = if calls {
                after_group(tokens, at + 2)?
            } else {
                at + 2
            };
        }
        Some(type_name)
    }

    /// Returns the type of what a chain starts with, and where it goes on.
    fn start(&self, tokens: &[Token<'_>], depth: u8) -> Option<(String, usize)> {
        let first = tokens.first()?;
        if first.kind == TokenKind::Text {
            return first.text.starts_with('"').then(|| ("&str".to_owned(), 1));
        }
        if !first.is_name() {
            return None;
        }
        let mut at = 1;
        let mut path = first.text.to_owned();
        while tokens.get(at).is_some_and(|token| token.is("::")) {
            let next = tokens.get(at + 1).filter(|token| token.is_name())?;
            path.push_str("::");
            path.push_str(next.text);
            at += 2;
        }
        match tokens.get(at) {
            Some(next) if next.is("!") => {
                let type_name = match path.as_str() {
                    "df" => {
                        "std::result::Result<polars::prelude::DataFrame, polars::prelude::PolarsError>"
                    }
                    "format" => "std::string::String",
                    _ => return None,
                };
                Some((type_name.to_owned(), after_group(tokens, at + 1)?))
            }
            Some(next) if next.is("(") => Some((self.called(&path)?, after_group(tokens, at)?)),
            _ if path.contains("::") => None,
            _ => Some((self.named(&path, first.at, depth)?, at)),
        }
    }

    /// What a function gives.
    fn called(&self, path: &str) -> Option<String> {
        let (owner, name) = path.rsplit_once("::").unwrap_or(("", path));
        if let Some(own) = self.own.type_named(owner) {
            let member = own.members.iter().find(|member| member.name == name)?;
            return self.given(&member.signature, Some(owner), None);
        }
        let mut own = self.own.names.iter();
        if let Some(own) = own.find(|own| own.module == owner && own.name == name) {
            return self.given(&own.signature, None, None);
        }
        match self.index.find(&self.full_path(path))? {
            Found::Name(found) if found.kind == Kind::Function => {
                self.given(&self.index.signature(found.text), None, None)
            }
            Found::Member(of, member) if member.kind == Kind::Associated => {
                let receiver = format!("{}::{}", of.module, of.name);
                self.given(
                    &self.index.signature(member.text),
                    Some(&receiver),
                    Some(of),
                )
            }
            _ => None,
        }
    }

    /// What a variable holds: of this cell if it binds the name, else of the session.
    fn named(&self, name: &str, before: usize, depth: u8) -> Option<String> {
        if name == "self" {
            return Some(Tokens::before(self.code, before).implemented()?.to_owned());
        }
        if !self.locals(before).iter().any(|local| local == name) {
            return Some(self.variable(name)?.full_type.clone());
        }
        let tokens = Tokens::before(self.code, before);
        let bound = last_let(&tokens, name).filter(|_| depth < DEPTH)?;
        let next = tokens.all.get(bound + 1)?;
        let end = (bound..tokens.all.len())
            .find(|at| tokens.all[*at].is(";") && !is_inside(&tokens, bound, *at))?;
        if next.is("=") {
            return self.expression(&tokens.all[bound + 2..end], depth + 1);
        }
        let equals = (bound..end).find(|at| tokens.all[*at].is("="))?;
        let text = &self.code[next.end()..tokens.all[equals].at];
        self.known(text.trim(), "").filter(|_| next.is(":"))
    }

    fn behind_dot(&self, type_name: &str, name: &str, calls: bool) -> Option<String> {
        let found = self.lookup().of_value(type_name);
        let (_, of) = found.into_iter().find(|(_, of)| of.name() == name)?;
        let receiver = without_references(type_name);
        match of {
            Of::Library(of, member) if calls && member.kind == Kind::Method => {
                self.given(&self.index.signature(member.text), Some(receiver), Some(of))
            }
            Of::Own(own) if calls && own.kind == Kind::Method => {
                self.given(&own.signature, Some(receiver), None)
            }
            Of::Own(own) if !calls && own.kind == Kind::Field => {
                self.known(own.signature.split_once(": ")?.1, "")
            }
            Of::Place(_, type_name) if !calls => Some(type_name.to_owned()),
            _ => None,
        }
    }

    /// Returns what a signature gives back, where that depends on nothing but the receiver.
    fn given(&self, signature: &str, receiver: Option<&str>, of: Option<&Type>) -> Option<String> {
        let arrow = arrow_at(signature)?;
        let (head, back) = (&signature[..arrow], &signature[arrow + 4..]);
        let back = back.split(" where").next().unwrap_or(back).trim();
        let name = head.find('(').unwrap_or(head.len());
        if let Some(open) = head[..name].find('<') {
            let own = parameters(&head[open..]);
            if own
                .iter()
                .any(|parameter| words(back).any(|word| word == parameter))
            {
                return None;
            }
        }
        let mut given = String::new();
        // Parameters of the type that is called stand for the receiver's arguments.
        let is_same =
            receiver.is_some_and(|receiver| of.is_none_or(|of| of.name == head_of(receiver)));
        let declared = of
            .map(|of| self.index.signature(of.text))
            .unwrap_or_default();
        let names = parameters(declared.split(['{', '(']).next().unwrap_or_default());
        let values = receiver.map(arguments).unwrap_or_default();
        for (gap, word) in pieces(back) {
            given.push_str(gap);
            match names.iter().position(|name| name == word) {
                _ if word == "Self" => given.push_str(receiver?),
                Some(at) if is_same => given.push_str(values.get(at)?),
                Some(_) => return None,
                None => given.push_str(word),
            }
        }
        let module = of.map_or("", |of| &of.module);
        self.known(&given, module)
    }

    /// Returns the type with the path that tells it from others of its name; none where that is
    /// not clear, or where it is not a type by itself.
    fn known(&self, type_name: &str, module: &str) -> Option<String> {
        let bare = without_references(type_name);
        let is_open = ["impl ", "dyn ", "Self", " as ", "fn(", "Fn"];
        if is_open.iter().any(|sign| bare.contains(sign)) || bare.is_empty() {
            return None;
        }
        if bare.starts_with(['(', '[']) {
            return Some(bare.to_owned());
        }
        let (path, rest) = bare.split_at(bare.find('<').unwrap_or(bare.len()));
        let name = head_of(path);
        if path.contains("::") || self.own.type_named(name).is_some() {
            return Some(bare.to_owned());
        }
        let root = |module: &str| module.split("::").next().unwrap_or_default().to_owned();
        let same = self.index.types.iter().filter(|known| known.name == name);
        let same: Vec<&Type> = same.filter(|known| known.kind != Kind::Type).collect();
        let found = match same.as_slice() {
            [one] => one,
            several => {
                let mut near = several
                    .iter()
                    .filter(|known| root(&known.module) == root(module));
                near.next().filter(|_| near.next().is_none())?
            }
        };
        Some(if found.module.is_empty() {
            bare.to_owned()
        } else {
            format!("{}::{name}{rest}", found.module)
        })
    }
}

/// Returns the place of the name in the last `let name` that still holds at the end; none where
/// something else binds the name later.
fn last_let(tokens: &Tokens<'_>, name: &str) -> Option<usize> {
    let all = &tokens.all;
    let text = |at: Option<usize>| at.and_then(|at| all.get(at)).map_or("", |token| token.text);
    let mut last = None;
    for (at, _) in all.iter().enumerate().filter(|(_, token)| token.is(name)) {
        let (before, after) = (text(at.checked_sub(1)), text(Some(at + 1)));
        let is_let = before == "let" || before == "mut" && text(at.checked_sub(2)) == "let";
        if is_let && [":", "="].contains(&after) {
            last = Some(at);
        } else if ["for", "|", "mut", "ref", "&"].contains(&before) && after != "."
            || [":", "|", "=>"].contains(&after)
            || after == ")" && ["=>", "="].contains(&text(Some(at + 2)))
            || after == "," && before == "("
        {
            // A pattern, an argument or something close to one.
            last = None;
        }
    }
    let open = tokens.open_brackets();
    let holds = |at: &usize| {
        let inner = Tokens {
            all: all[..*at].to_vec(),
            ..Tokens::default()
        }
        .open_brackets();
        inner.iter().all(|bracket| open.contains(bracket))
    };
    last.filter(holds)
}

/// Returns whether `at` stands in a bracket that opens behind `start`.
fn is_inside(tokens: &Tokens<'_>, start: usize, at: usize) -> bool {
    let mut depth = 0;
    for token in &tokens.all[start..at] {
        match token.text {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
    }
    depth > 0
}

/// Returns the place behind the bracket that opens at `open`.
fn after_group(tokens: &[Token<'_>], open: usize) -> Option<usize> {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        if token.kind != TokenKind::Sign {
            continue;
        }
        match token.text {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at + 1);
        }
    }
    None
}

/// Returns where ` -> ` stands that belongs to the function itself, not to an argument.
fn arrow_at(signature: &str) -> Option<usize> {
    let mut depth = 0_i32;
    for (at, next) in signature.char_indices() {
        match next {
            ' ' if depth == 0 && signature[at..].starts_with(" -> ") => return Some(at),
            '(' | '[' | '<' => depth += 1,
            '>' if signature[..at].ends_with('-') => {}
            ')' | ']' | '>' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// Returns the names in `<T, 'a, A = Global>`, lifetimes left out.
fn parameters(text: &str) -> Vec<String> {
    let Some(open) = text.find('<') else {
        return Vec::new();
    };
    let mut depth = 0_i32;
    let close = text[open..].char_indices().find_map(|(at, next)| {
        match next {
            '<' => depth += 1,
            '>' if text[..open + at].ends_with('-') => {}
            '>' => depth -= 1,
            _ => {}
        }
        (depth == 0).then_some(open + at)
    });
    let inner = close.map_or("", |close| &text[open + 1..close]);
    let names = split(inner)
        .into_iter()
        .filter(|part| !part.starts_with('\''));
    let name = |part: &str| {
        let part = part.trim_start_matches("const ");
        part.split([':', '=', ' '])
            .next()
            .unwrap_or(part)
            .to_owned()
    };
    names.map(name).collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|next: char| !(next.is_alphanumeric() || next == '_'))
}

/// Cuts a type into words, each with what stands before it; the last word may be empty.
fn pieces(text: &str) -> Vec<(&str, &str)> {
    let is_word = |next: char| next.is_alphanumeric() || next == '_';
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let gap = rest.find(is_word).unwrap_or(rest.len());
        let word = rest[gap..]
            .find(|next| !is_word(next))
            .unwrap_or(rest.len() - gap);
        pieces.push((&rest[..gap], &rest[gap..gap + word]));
        rest = &rest[gap + word..];
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_signature_gives_stands_behind_its_own_arrow() {
        let signature = "fn map<U, F: FnOnce(T) -> U>(self, f: F) -> Option<U> where F: A";
        let arrow = arrow_at(signature).unwrap();
        assert_eq!(&signature[arrow..arrow + 13], " -> Option<U>");
        assert_eq!(parameters(&signature[6..]), ["U", "F"]);
        assert_eq!(parameters("struct Vec<'a, T, A = Global>"), ["T", "A"]);
    }

    #[test]
    fn the_last_let_counts_unless_its_block_has_ended_or_a_pattern_follows() {
        let found = |code: &str| last_let(&Tokens::before(code, code.len()), "x");
        assert_eq!(found("let x = 1; let x = 2; "), Some(6));
        assert_eq!(found("{ let x = 1; } "), None);
        assert_eq!(found("let x = 1; f(|x| "), None);
        assert_eq!(found("let x = 1; for x in "), None);
        assert_eq!(found("let x = 1; match y { Some(x) => "), None);
        assert_eq!(found("let x = 1; f(x); { "), Some(1));
    }
}
