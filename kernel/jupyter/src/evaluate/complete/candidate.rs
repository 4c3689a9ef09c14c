//! Ways to go on, and which of them fit the word so far.

use std::collections::HashSet;

use crate::evaluate::index::{Kind, Text};

/// More matches than this help nobody.
const MATCHES: usize = 400;

/// One way to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    pub text: String,
    /// `method`, `module`: front ends choose an icon by it.
    pub kind: &'static str,
    pub signature: String,
    /// Nearer ones come first.
    pub(super) rank: u8,
    /// The library's text, whose signature is read only if this fits.
    pub(super) library: Option<Text>,
}

impl Candidate {
    pub(super) fn new(
        text: impl Into<String>,
        kind: &'static str,
        signature: impl Into<String>,
        rank: u8,
    ) -> Candidate {
        Candidate {
            text: text.into(),
            kind,
            signature: signature.into(),
            rank,
            library: None,
        }
    }

    pub(super) fn of_library(
        text: impl Into<String>,
        kind: Kind,
        library: Text,
        rank: u8,
    ) -> Candidate {
        Candidate {
            library: Some(library),
            ..Candidate::new(text, kind.word(), "", rank)
        }
    }
}

/// Keeps what starts with the word; only if nothing does, what starts with it in other case or
/// holds it.
pub(super) fn fitting(mut all: Vec<Candidate>, word: &str) -> Vec<Candidate> {
    // What starts with an underscore is meant for others.
    all.retain(|candidate| word.starts_with('_') || !candidate.text.starts_with('_'));
    all.sort_by(|a, b| (a.rank, &a.text).cmp(&(b.rank, &b.text)));
    let mut seen = HashSet::new();
    all.retain(|candidate| seen.insert(candidate.text.clone()));
    let lower = word.to_lowercase();
    let last = |text: &str| text.rsplit("::").next().unwrap_or_default().to_owned();
    let ways: [&dyn Fn(&str) -> bool; 3] = [
        &|text| text.starts_with(word) || last(text).starts_with(word) && !text.contains('('),
        &|text| text.to_lowercase().starts_with(&lower),
        &|text| word.len() > 1 && text.to_lowercase().contains(&lower),
    ];
    for way in ways {
        let found: Vec<Candidate> = all
            .iter()
            .filter(|candidate| way(&candidate.text))
            .take(MATCHES)
            .cloned()
            .collect();
        if !found.is_empty() {
            return found;
        }
    }
    Vec::new()
}
