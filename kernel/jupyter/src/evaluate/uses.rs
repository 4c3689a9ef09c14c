//! `use` lines, leaf by leaf, and the texts and comments that a scan for brackets steps over.

use std::ops::Range;

use syn::UseTree;

/// One imported name: `use a::{b, c as d}` is two of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UseLine {
    /// The name it brings into scope; the whole path for a glob, so that two globs both stay.
    pub key: String,
    /// The line as it is given to the compiler.
    pub text: String,
    /// Where the `use` item stands in its cell.
    pub range: Range<usize>,
}

impl UseLine {
    /// Returns the first name of the path, which may be an item of the session.
    pub fn root(&self) -> String {
        let path = self.text.trim_start_matches("use ");
        let path = ["crate::", "self::"]
            .iter()
            .find_map(|start| path.strip_prefix(start))
            .unwrap_or(path);
        let end = path.find(|next: char| !next.is_alphanumeric() && next != '_');
        path[..end.unwrap_or(path.len())].to_owned()
    }

    /// Returns whether it brings in names that the line does not tell.
    pub fn is_glob(&self) -> bool {
        self.key.ends_with('*')
    }
}

/// Returns the leaves of a `use` tree that stands at `range`.
pub fn lines(tree: &UseTree, range: &Range<usize>) -> Vec<UseLine> {
    let mut found = Vec::new();
    collect(tree, "", range, &mut found);
    found
}

fn collect(tree: &UseTree, path: &str, range: &Range<usize>, found: &mut Vec<UseLine>) {
    let mut add = |key: String, path: String| {
        found.push(UseLine {
            key,
            text: format!("use {path};"),
            range: range.clone(),
        });
    };
    match tree {
        UseTree::Path(part) => {
            collect(&part.tree, &format!("{path}{}::", part.ident), range, found)
        }
        UseTree::Group(group) => group
            .items
            .iter()
            .for_each(|tree| collect(tree, path, range, found)),
        UseTree::Glob(_) => add(format!("{path}*"), format!("{path}*")),
        UseTree::Name(name) if name.ident == "self" => {
            let module = path.trim_end_matches("::");
            let key = module.rsplit("::").next().unwrap_or(module).to_owned();
            // `use a::b::{self}` imports the module alone, which `use a::b` does as well.
            add(key, module.to_owned());
        }
        UseTree::Name(name) => add(name.ident.to_string(), format!("{path}{}", name.ident)),
        UseTree::Rename(name) => {
            let key = if name.rename == "_" {
                format!("{path}{} as _", name.ident)
            } else {
                name.rename.to_string()
            };
            add(key, format!("{path}{} as {}", name.ident, name.rename));
        }
    }
}

/// Returns how many bytes the text, character or comment at the start of `code` takes: `None`
/// where there is none, `Some(None)` where it never ends.
pub fn skip_text(code: &str) -> Option<Option<usize>> {
    if code.starts_with("//") {
        return Some(Some(code.find('\n').unwrap_or(code.len())));
    }
    if code.starts_with("/*") {
        return Some(block_comment(code));
    }
    if code.starts_with('"') {
        return Some(quoted(code));
    }
    if let Some(raw) = code.strip_prefix('r') {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        if raw[hashes..].starts_with('"') {
            let end = format!("\"{}", "#".repeat(hashes));
            let body = 1 + hashes + 1;
            return Some(code[body..].find(&end).map(|at| body + at + end.len()));
        }
    }
    code.starts_with('\'').then(|| Some(character(code)))
}

fn block_comment(code: &str) -> Option<usize> {
    let mut depth = 0;
    let mut at = 0;
    while at < code.len() {
        if code[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if code[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return Some(at);
            }
        } else {
            at += code[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    None
}

fn quoted(code: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, next) in code.char_indices().skip(1) {
        match next {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// A character such as `'}'` or `'\n'`; a lifetime is only its quote.
fn character(code: &str) -> usize {
    let mut chars = code.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => code[2..]
            .char_indices()
            .skip(1)
            .find(|(_, next)| *next == '\'')
            .map_or(1, |(at, _)| at + 3),
        Some(_) => match chars.next() {
            Some((at, '\'')) => at + 1,
            _ => 1,
        },
        None => 1,
    }
}
