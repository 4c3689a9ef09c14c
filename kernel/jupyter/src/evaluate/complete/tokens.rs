//! A cell as it is being typed, cut into words and signs: it need not parse.

use std::ops::Range;

use crate::evaluate::uses::skip_text;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A name, a keyword or a number.
    Word,
    /// A text or a character, with its quotes.
    Text,
    /// One sign; `::`, `->` and `=>` are one each.
    Sign,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token<'a> {
    pub kind: Kind,
    pub text: &'a str,
    pub at: usize,
}

impl Token<'_> {
    pub fn end(&self) -> usize {
        self.at + self.text.len()
    }

    pub fn is(&self, text: &str) -> bool {
        self.kind != Kind::Text && self.text == text
    }

    /// Returns whether this is a name: a word that does not start with a digit.
    pub fn is_name(&self) -> bool {
        self.kind == Kind::Word && !self.text.starts_with(|next: char| next.is_ascii_digit())
    }
}

/// The part of a cell before the cursor.
#[derive(Debug, Default)]
pub struct Tokens<'a> {
    pub all: Vec<Token<'a>>,
    /// Where the text starts that the cursor stands in.
    pub open_text: Option<usize>,
    /// The cursor stands in a comment.
    pub in_comment: bool,
}

impl<'a> Tokens<'a> {
    /// Cuts `code` up to byte `cursor`.
    pub fn before(code: &'a str, cursor: usize) -> Tokens<'a> {
        let mut tokens = Tokens::default();
        let mut at = 0;
        while at < cursor {
            let rest = &code[at..];
            let next = rest.chars().next().expect("the cursor is not past the end");
            if let Some(skipped) = skip_text(rest) {
                let end = skipped.map_or(code.len(), |length| at + length);
                let comment = rest.starts_with("//") || rest.starts_with("/*");
                // At the end of a line comment one still writes the comment.
                let inside =
                    cursor < end || skipped.is_none() || (rest.starts_with("//") && cursor == end);
                if inside && comment {
                    tokens.in_comment = true;
                    return tokens;
                }
                if inside {
                    tokens.open_text = Some(at);
                    return tokens;
                }
                if !comment {
                    tokens.push(Kind::Text, code, at..end.min(cursor));
                }
                at = end;
                continue;
            }
            let length = if is_word(next) {
                let in_number =
                    next.is_ascii_digit() && !tokens.all.last().is_some_and(|last| last.is("."));
                word_length(rest, in_number)
            } else if ["::", "->", "=>"].iter().any(|sign| rest.starts_with(sign)) {
                2
            } else {
                next.len_utf8()
            };
            let end = (at + length).min(cursor);
            if is_word(next) {
                tokens.push(Kind::Word, code, at..end);
            } else if !next.is_whitespace() {
                tokens.push(Kind::Sign, code, at..end);
            }
            at = end;
        }
        tokens
    }

    fn push(&mut self, kind: Kind, code: &'a str, range: Range<usize>) {
        self.all.push(Token {
            kind,
            text: &code[range.clone()],
            at: range.start,
        });
    }

    /// Returns the place of the bracket that closes at `close`.
    pub fn opening(&self, close: usize) -> Option<usize> {
        let mut depth = 0;
        for at in (0..=close).rev() {
            let token = &self.all[at];
            if token.kind != Kind::Sign {
                continue;
            }
            match token.text {
                ")" | "]" | "}" => depth += 1,
                "(" | "[" | "{" => {
                    depth -= 1;
                    if depth == 0 {
                        return Some(at);
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// Returns the places of the brackets that are open at the end, the innermost last.
    pub fn open_brackets(&self) -> Vec<usize> {
        let mut open = Vec::new();
        for (at, token) in self.all.iter().enumerate() {
            if token.kind != Kind::Sign {
                continue;
            }
            match token.text {
                "(" | "[" | "{" => open.push(at),
                ")" | "]" | "}" => drop(open.pop()),
                _ => {}
            }
        }
        open
    }

    /// Returns whether the end stands inside `#[derive(`.
    pub fn is_in_derive(&self) -> bool {
        let open = self.open_brackets().pop();
        open.is_some_and(|open| open > 0 && self.all[open - 1].is("derive"))
    }

    /// Returns the type that the last `impl` block is for.
    pub fn implemented(&self) -> Option<&'a str> {
        let start = self.all.iter().rposition(|token| token.is("impl"))?;
        let head = self.all[start + 1..].split(|token| token.is("{")).next()?;
        let of = head.iter().rposition(|token| token.is("for"));
        let head = &head[of.map_or(0, |at| at + 1)..];
        // The name is the last one before any generic arguments; `impl<T>` has some before it.
        let mut depth = 0;
        let mut name = None;
        for token in head {
            match token.text {
                "<" => depth += 1,
                ">" => depth -= 1,
                "where" => break,
                text if depth == 0 && token.is_name() => name = Some(text),
                _ => {}
            }
        }
        name
    }

    /// Returns where the expression starts that ends with token `last`: a chain of names, calls,
    /// indices, `?` and paths, as it stands before a dot.
    pub fn expression_start(&self, last: usize) -> Option<usize> {
        let mut at = last;
        loop {
            let token = self.all.get(at)?;
            if token.is("?") {
                at = at.checked_sub(1)?;
                continue;
            }
            if token.is(")") || token.is("]") || token.is("}") {
                at = self.opening(at)?;
                let Some(before) = at.checked_sub(1) else {
                    return Some(at);
                };
                let previous = &self.all[before];
                let calls = token.text != "}"
                    && (is_operand(previous) || previous.is("?") || previous.is(">"));
                let is_macro = previous.is("!") && before > 0 && self.all[before - 1].is_name();
                if calls {
                    at = before;
                    continue;
                }
                if is_macro {
                    at = before - 1;
                } else if token.is("}") && is_type_name(previous) {
                    at = before;
                } else {
                    return Some(at);
                }
            } else if token.is(">") {
                at = self.turbofish(at)?;
                continue;
            } else if token.kind == Kind::Sign {
                return None;
            }
            // `at` is a word or a text now; go on where a dot or a path leads to it.
            let Some(before) = at.checked_sub(1) else {
                return Some(at);
            };
            if self.all[before].is(".") || (self.all[before].is("::") && before > 0) {
                at = before.checked_sub(1)?;
                continue;
            }
            return Some(if self.all[before].is("::") {
                before
            } else {
                at
            });
        }
    }

    /// Returns the word before the `::<` that closes at `at`.
    fn turbofish(&self, at: usize) -> Option<usize> {
        let mut depth = 0;
        for open in (0..=at).rev() {
            if self.all[open].is(">") {
                depth += 1;
            } else if self.all[open].is("<") {
                depth -= 1;
                if depth == 0 {
                    let colons = self.all.get(open.checked_sub(1)?)?;
                    return colons.is("::").then(|| open.checked_sub(2)).flatten();
                }
            }
        }
        None
    }

    /// Returns the path that ends before token `colons`, which is a `::`.
    pub fn path_before(&self, colons: usize) -> Option<String> {
        let mut at = colons;
        let mut parts = Vec::new();
        loop {
            let mut before = at.checked_sub(1)?;
            if self.all[before].is(">") {
                before = self.generic_owner(before)?;
            }
            let word = &self.all[before];
            if !word.is_name() {
                return None;
            }
            parts.push(word.text);
            match before.checked_sub(1) {
                Some(next) if self.all[next].is("::") => {
                    // `::std::fmt` starts with colons too.
                    if next == 0 || !(self.all[next - 1].is_name() || self.all[next - 1].is(">")) {
                        break;
                    }
                    at = next;
                }
                _ => break,
            }
        }
        parts.reverse();
        Some(parts.join("::"))
    }

    /// `Vec::<i32>` and `Vec<i32>`: returns the place of `Vec`.
    fn generic_owner(&self, close: usize) -> Option<usize> {
        let mut depth = 0;
        for open in (0..=close).rev() {
            if self.all[open].is(">") {
                depth += 1;
            } else if self.all[open].is("<") {
                depth -= 1;
                if depth == 0 {
                    let before = open.checked_sub(1)?;
                    return if self.all[before].is("::") {
                        before.checked_sub(1)
                    } else {
                        Some(before)
                    };
                }
            }
        }
        None
    }
}

/// What can be called or indexed.
fn is_operand(token: &Token<'_>) -> bool {
    let keyword = [
        "in", "return", "if", "match", "while", "else", "let", "mut", "move", "break", "loop",
    ];
    token.is(")") || token.is("]") || (token.kind == Kind::Word && !keyword.contains(&token.text))
}

fn is_type_name(token: &Token<'_>) -> bool {
    token.is_name() && token.text.starts_with(char::is_uppercase)
}

pub fn is_word(next: char) -> bool {
    next.is_alphanumeric() || next == '_'
}

/// A number takes its fraction with it: `1.5` is one word, `1.max(2)` is not.
fn word_length(rest: &str, is_number: bool) -> usize {
    let length = |text: &str| text.find(|next| !is_word(next)).unwrap_or(text.len());
    let whole = length(rest);
    let fraction = rest[whole..]
        .strip_prefix('.')
        .filter(|after| is_number && after.starts_with(|next: char| next.is_ascii_digit()));
    fraction.map_or(whole, |after| whole + 1 + length(after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receiver(code: &str) -> Option<&str> {
        let tokens = Tokens::before(code, code.len());
        let last = tokens.all.len().checked_sub(2)?;
        let start = tokens.expression_start(last)?;
        Some(&code[tokens.all[start].at..tokens.all[last].end()])
    }

    #[test]
    fn the_receiver_is_the_whole_chain_before_the_dot() {
        for (code, expected) in [
            ("let a = frame.", "frame"),
            ("x + frame.clone().lazy().", "frame.clone().lazy()"),
            ("f(a, g(b)?.", "g(b)?"),
            ("agg([col(\"x.y\").", "col(\"x.y\")"),
            ("return df!(\"a\" => [1])?.", "df!(\"a\" => [1])?"),
            ("it.collect::<Vec<_>>().", "it.collect::<Vec<_>>()"),
            ("std::fs::read(\"x\").", "std::fs::read(\"x\")"),
            ("&names[0].", "names[0]"),
            ("if p.inner.", "p.inner"),
            ("(1..3).", "(1..3)"),
            ("for x in (a, b).", "(a, b)"),
            ("Point { x: 1, y: 2 }.", "Point { x: 1, y: 2 }"),
            ("pair.0.", "pair.0"),
            ("1.5.", "1.5"),
            ("\"text\".", "\"text\""),
            ("vec![1, 2].iter().map(|x| x.", "x"),
        ] {
            assert_eq!(receiver(code), Some(expected), "{code}");
        }
    }

    #[test]
    fn the_type_of_an_impl_block_is_found() {
        for code in [
            "impl Trip {",
            "impl<T: Clone> Trip<T> {",
            "impl Clone for Trip { fn a() {",
            "impl<'a> From<&'a str> for shapes::Trip<'a> where T: A {",
        ] {
            let tokens = Tokens::before(code, code.len());
            assert_eq!(tokens.implemented(), Some("Trip"), "{code}");
        }
    }

    #[test]
    fn texts_and_comments_are_told_apart_from_code() {
        let open = |code: &str| Tokens::before(code, code.len()).open_text;
        assert_eq!(open("col(\"de"), Some(4));
        assert_eq!(open("col(\"de\")"), None);
        assert_eq!(open("let a: &'static str"), None);
        assert!(Tokens::before("1 // two", 8).in_comment);
        assert!(!Tokens::before("1 // two\nx", 10).in_comment);
    }
}
