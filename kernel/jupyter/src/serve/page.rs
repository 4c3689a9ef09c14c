//! Cells that ask about a name, `?name` or `name?`: the answer goes to the front end's pager.

/// Returns the name that a cell asks about. `name?` is a question only where `name` is no value
/// that the operator `?` applies to; `has_operator` tells.
pub fn asked_about(code: &str, has_operator: impl Fn(&str) -> bool) -> Option<&str> {
    let line = code.trim();
    let before = line
        .strip_prefix('?')
        .map(|rest| rest.trim_start_matches('?'));
    let after = || line.strip_suffix("??").or_else(|| line.strip_suffix('?'));
    let name = before.or_else(after)?.trim();
    let is_name = !name.is_empty() && name.split("::").all(is_word);
    (is_name && (before.is_some() || !has_operator(name))).then_some(name)
}

fn is_word(text: &str) -> bool {
    let text = text.strip_suffix('!').unwrap_or(text);
    let mut letters = text.chars();
    letters
        .next()
        .is_some_and(|first| first.is_alphabetic() || first == '_')
        && letters.all(|next| next.is_alphanumeric() || next == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn question_mark_on_either_side_asks() {
        for code in ["?Topic", "Topic?", "Topic??", "??Topic", " ? Topic\n"] {
            assert_eq!(asked_about(code, |_| false), Some("Topic"), "{code}");
        }
        assert_eq!(asked_about("?println!", |_| false), Some("println!"));
        assert_eq!(asked_about("Vec::len?", |_| false), Some("Vec::len"));
    }

    #[test]
    fn code_with_the_operator_stays_code() {
        for code in [
            "read()?",
            "a.b?",
            "1?",
            "?",
            "x\n?y",
            "let a = b?",
            "a + b?",
        ] {
            assert_eq!(asked_about(code, |_| false), None, "{code}");
        }
        assert_eq!(asked_about("answer?", |name| name == "answer"), None);
        assert_eq!(asked_about("?answer", |_| true), Some("answer"));
    }
}
