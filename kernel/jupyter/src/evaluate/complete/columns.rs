//! Names of columns, where code takes a column by its name.

use super::tokens::Kind as TokenKind;
use super::tokens::Tokens;
use super::{Candidate, Question};
use crate::evaluate::session::mentions;

impl Question<'_> {
    /// The columns of frames that the statement mentions first, those of other variables after.
    pub(super) fn columns(&self) -> Vec<Candidate> {
        let mut matches = Vec::new();
        for variable in &self.known.variables {
            let rank = if mentions(self.code, &variable.name) {
                0
            } else {
                2
            };
            for (name, dtype) in &variable.columns {
                // A query names its columns before any row has told their dtypes.
                let dtype = if dtype.is_empty() { "column" } else { dtype };
                let signature = format!("{dtype} in {}", variable.name);
                matches.push(Candidate::new(name, "property", signature, rank));
            }
        }
        matches.extend(self.named_here());
        matches
    }

    /// Columns that the cell itself makes: `alias("mean")`, the columns of windows, a `df!`.
    fn named_here(&self) -> Vec<Candidate> {
        let tokens = Tokens::before(self.code, self.code.len());
        let mut names = Vec::new();
        for (at, token) in tokens
            .all
            .iter()
            .enumerate()
            .filter(|(_, token)| token.kind == TokenKind::Text)
        {
            let is_alias = at > 1 && tokens.all[at - 1].is("(") && tokens.all[at - 2].is("alias");
            let is_df = tokens.all.get(at + 1).is_some_and(|next| next.is("=>"))
                && self.code.contains("df!");
            if is_alias || is_df {
                names.push(token.text.trim_matches('"').to_owned());
            }
        }
        if mentions(self.code, "window") {
            names.extend(["window_start".to_owned(), "window_end".to_owned()]);
        }
        let here = names.into_iter();
        here.map(|name| Candidate::new(name, "property", "named in this cell", 1))
            .collect()
    }
}
