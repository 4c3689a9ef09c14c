//! What the cursor stands at: a member after a dot, a path, a column's name, a plain name.

use std::ops::Range;

use super::tokens::{Tokens, is_word};

/// What is to be completed or explained, in bytes of the cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// After a colon at the start of the cell.
    Command,
    /// After a dot; the range is what stands before it.
    Member(Range<usize>),
    /// After `path::`.
    Path(String),
    /// In the text that `callee(` takes as a name.
    Column {
        callee: String,
    },
    Name,
    /// In a comment, a text, a number: there is nothing to offer.
    Nothing,
}

/// Functions and methods that take names of columns; `dataset` takes that of a data set.
const TAKES_COLUMNS: [&str; 29] = [
    "dataset",
    "col",
    "cols",
    "column",
    "group_by",
    "sort",
    "select",
    "by",
    "key",
    "line",
    "bar",
    "mirror",
    "watermark",
    "event_time",
    "arrival",
    "over",
    "drop",
    "drop_nulls",
    "unique",
    "unique_stable",
    "rename",
    "produce_keyed",
    "select_at_idx_by_name",
    "with_row_index",
    "drop_in_place",
    "group_by_stable",
    "partition_by",
    "explode",
    "set_sorted",
];

impl Place {
    /// Finds out what the word that starts at `start` belongs to.
    pub fn of(code: &str, start: usize) -> Place {
        let tokens = Tokens::before(code, start);
        if tokens.in_comment {
            return Place::Nothing;
        }
        if tokens.open_text.is_some() {
            return match callee(&tokens) {
                Some(callee) if TAKES_COLUMNS.contains(&callee) => Place::Column {
                    callee: callee.to_owned(),
                },
                _ => Place::Nothing,
            };
        }
        let Some(last) = tokens.all.len().checked_sub(1) else {
            return Place::Name;
        };
        let token = &tokens.all[last];
        if token.is(":") && last == 0 {
            return Place::Command;
        }
        if token.is(".") {
            return last
                .checked_sub(1)
                .filter(|before| !tokens.all[*before].is("."))
                .and_then(|before| {
                    let first = tokens.expression_start(before)?;
                    Some(Place::Member(
                        tokens.all[first].at..tokens.all[before].end(),
                    ))
                })
                .unwrap_or(Place::Name);
        }
        if let Some(path) = in_use_line(&tokens) {
            return Place::Path(path);
        }
        if token.is("::") {
            return tokens.path_before(last).map_or(Place::Nothing, Place::Path);
        }
        Place::Name
    }
}

/// Returns the function whose argument the cursor stands in, through lists and references.
fn callee<'a>(tokens: &Tokens<'a>) -> Option<&'a str> {
    for open in tokens.open_brackets().into_iter().rev() {
        match tokens.all[open].text {
            "[" => {}
            "(" => {
                let mut before = open.checked_sub(1)?;
                if tokens.all[before].is(">") {
                    return None;
                }
                if tokens.all[before].is("!") {
                    before = before.checked_sub(1)?;
                    // `vec!["a"]` is a list, too; other macros are not.
                    return (tokens.all[before].text != "vec").then_some("macro");
                }
                return tokens.all[before]
                    .is_name()
                    .then(|| tokens.all[before].text);
            }
            _ => return None,
        }
    }
    None
}

/// Returns the path so far where the cursor stands in a `use` line, groups resolved.
fn in_use_line(tokens: &Tokens<'_>) -> Option<String> {
    let start = tokens
        .all
        .iter()
        .rposition(|token| token.is(";") || token.is("use"))?;
    if !tokens.all[start].is("use") {
        return None;
    }
    let mut groups: Vec<String> = Vec::new();
    let mut path = String::new();
    for token in &tokens.all[start + 1..] {
        match token.text {
            "{" => groups.push(path.clone()),
            "}" => path = groups.pop()?,
            "," => path = groups.last()?.clone(),
            "::" => path.push_str("::"),
            word => path.push_str(word),
        }
    }
    // Without `::` at its end the first part is being typed: a crate's name.
    Some(path.strip_suffix("::").unwrap_or(&path).to_owned())
}

/// Returns the byte where the word at `cursor` starts, and the byte where it ends.
pub fn word_at(code: &str, cursor: usize) -> Range<usize> {
    let start = code[..cursor]
        .char_indices()
        .rev()
        .take_while(|(_, next)| is_word(*next))
        .last()
        .map_or(cursor, |(at, _)| at);
    let end = code[cursor..]
        .find(|next| !is_word(next))
        .map_or(code.len(), |length| cursor + length);
    start..end
}

/// Returns the byte before which `count` characters stand.
pub fn byte_of(code: &str, count: usize) -> usize {
    code.char_indices()
        .nth(count)
        .map_or(code.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_place_is_recognised() {
        let path = |text: &str| Place::Path(text.to_owned());
        let column = |callee: &str| Place::Column {
            callee: callee.to_owned(),
        };
        for (code, expected) in [
            (":", Place::Command),
            ("a.", Place::Member(0..1)),
            ("std::collections::", path("std::collections")),
            ("use std::{fmt, collections::", path("std::collections")),
            ("use std::{fmt, io::{Read, ", path("std::io")),
            ("use ", path("")),
            ("Vec::<i32>::", path("Vec")),
            ("frame.select([col(\"", column("col")),
            ("flights.group_by([\"a\", \"", column("group_by")),
            ("println!(\"", Place::Nothing),
            ("let a = \"", Place::Nothing),
            ("// a.", Place::Nothing),
            ("let a = ", Place::Name),
            ("0..", Place::Name),
        ] {
            assert_eq!(Place::of(code, code.len()), expected, "{code}");
        }
    }
}
