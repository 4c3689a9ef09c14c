//! Colours for Rust code: enough to read it by, without a parser.

use super::escape;

const KEYWORDS: [&str; 37] = [
    "as", "async", "await", "break", "const", "continue", "crate", "dyn", "else", "enum", "extern",
    "false", "fn", "for", "if", "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub",
    "ref", "return", "self", "Self", "static", "struct", "super", "trait", "true", "type", "use",
    "where", "while",
];

/// Returns Rust code as HTML.
pub fn rust(code: &str) -> String {
    let mut page = String::new();
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        let (length, class) = token(rest, first);
        let (token, after) = rest.split_at(length);
        match class {
            Some(class) => {
                page.push_str(&format!("<span class=\"{class}\">{}</span>", escape(token)))
            }
            None => page.push_str(&escape(token)),
        }
        rest = after;
    }
    page
}

/// Returns the length of the token that `rest` begins with, and its class.
fn token(rest: &str, first: char) -> (usize, Option<&'static str>) {
    if rest.starts_with("//") {
        return (rest.find('\n').unwrap_or(rest.len()), Some("comment"));
    }
    if rest.starts_with("/*") {
        return (
            rest.find("*/").map_or(rest.len(), |end| end + 2),
            Some("comment"),
        );
    }
    if let Some(length) = string(rest) {
        return (length, Some("string"));
    }
    if first.is_ascii_digit() {
        return (number(rest), Some("number"));
    }
    if first.is_alphabetic() || first == '_' {
        let end = |letter: char| !letter.is_alphanumeric() && letter != '_';
        let length = rest.find(end).unwrap_or(rest.len());
        return (length, word(&rest[..length], &rest[length..]));
    }
    if first == '\'' && letter(rest).is_some() {
        return (letter(rest).unwrap_or(1), Some("string"));
    }
    (first.len_utf8(), None)
}

fn word(word: &str, after: &str) -> Option<&'static str> {
    if KEYWORDS.contains(&word) {
        Some("keyword")
    } else if after.starts_with('!') && !after.starts_with("!=") {
        Some("macro")
    } else if word.starts_with(char::is_uppercase) {
        Some("type")
    } else if after.starts_with('(') {
        Some("call")
    } else {
        None
    }
}

/// The length of `1_000`, `0xff`, `1.5e-3` or `3u64`; a range such as `0..9` ends it.
fn number(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let mut at = 1;
    while let Some(byte) = bytes.get(at) {
        let is_part = match byte {
            b'.' => bytes.get(at + 1).is_some_and(u8::is_ascii_digit),
            b'+' | b'-' => bytes[at - 1].eq_ignore_ascii_case(&b'e') && !rest.starts_with("0x"),
            byte => byte.is_ascii_alphanumeric() || *byte == b'_',
        };
        if !is_part {
            break;
        }
        at += 1;
    }
    at
}

/// The length of the string literal that `rest` begins with.
fn string(rest: &str) -> Option<usize> {
    let unprefixed = rest.trim_start_matches(['b', 'c']);
    let prefix = rest.len() - unprefixed.len();
    if let Some(raw) = unprefixed.strip_prefix('r').filter(|_| prefix <= 1) {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        if raw[hashes..].starts_with('"') {
            let close = format!("\"{}", "#".repeat(hashes));
            let body = prefix + 1 + hashes + 1;
            return Some(
                rest[body..]
                    .find(&close)
                    .map_or(rest.len(), |at| body + at + close.len()),
            );
        }
    }
    if prefix > 1 || !unprefixed.starts_with('"') {
        return None;
    }
    let mut escaped = false;
    for (at, byte) in rest.bytes().enumerate().skip(prefix + 1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(at + 1),
            _ => {}
        }
    }
    Some(rest.len())
}

/// The length of a letter such as `'a'` or `'\n'`; a lifetime is none.
fn letter(rest: &str) -> Option<usize> {
    let mut letters = rest.char_indices().skip(1);
    let (_, first) = letters.next()?;
    if first == '\\' {
        let end = rest[2..]
            .char_indices()
            .skip(1)
            .find(|(_, letter)| *letter == '\'')?
            .0;
        return Some(2 + end + 1);
    }
    let (at, close) = letters.next()?;
    (close == '\'').then_some(at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The code with each coloured token in brackets after the first letter of its class.
    fn marked(code: &str) -> String {
        rust(code)
            .replace("<span class=\"", "")
            .replace("</span>", "]")
            .replace("\">", "[")
    }

    #[test]
    fn tokens_have_the_class_that_they_look_like() {
        for (code, expected) in [
            (
                "let x = 1_000.5e-3;",
                "keyword[let] x = number[1_000.5e-3];",
            ),
            ("0..9", "number[0]..number[9]"),
            (
                "println!(\"a{x}\\\"\") // end",
                "macro[println]!(string[&quot;a{x}\\&quot;&quot;]) comment[// end]",
            ),
            (
                "f(&'a str, 'b', '\\n')",
                "call[f](&amp;'a str, string['b'], string['\\n'])",
            ),
            (
                "r#\"raw \"quoted\"\"# != b\"x\"",
                "string[r#&quot;raw &quot;quoted&quot;&quot;#] != string[b&quot;x&quot;]",
            ),
            ("Vec::<é>::new()", "type[Vec]::&lt;é&gt;::call[new]()"),
        ] {
            assert_eq!(marked(code), expected, "{code}");
        }
    }

    #[test]
    fn unfinished_code_is_kept_whole() {
        for code in ["\"open", "/* open", "'", "r#\"", "b", "'\\", "1.", "é'"] {
            assert_eq!(
                marked(code)
                    .replace(['[', ']'], "")
                    .replace("&quot;", "\"")
                    .replace("string", "")
                    .replace("comment", "")
                    .replace("number", ""),
                code
            );
        }
    }
}
