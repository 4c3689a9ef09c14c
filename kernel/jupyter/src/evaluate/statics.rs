//! Statics that live as long as the session.
//!
//! Items are compiled anew in every cell, and with them each `static` would start anew. So the
//! cell that defines one exports it, and later cells get a declaration in its place and are
//! linked against the library of that cell. This goes for statics in functions and modules too;
//! one that a macro makes is not seen here and is a new one in every cell.

use std::collections::BTreeSet;
use std::ops::Range;

use quote::ToTokens;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use super::facts::words;

/// A `static` in an item; the ranges are bytes of the item's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Static {
    pub name: String,
    pub whole: Range<usize>,
    /// Attributes and visibility, up to the word `static`.
    pub head: Range<usize>,
    /// Name and type, with `mut` where it has one.
    pub typed: Range<usize>,
    pub mutable: bool,
    /// Where the type leaves out `'static`, which a declaration has to say.
    pub elided: Vec<usize>,
    pub type_words: BTreeSet<String>,
}

/// Returns the statics in an item whose text starts at byte `start` of its cell.
pub fn of(item: &syn::Item, start: usize) -> Vec<Static> {
    let mut found = Statics {
        start,
        found: Vec::new(),
    };
    found.visit_item(item);
    found.found
}

struct Statics {
    start: usize,
    found: Vec<Static>,
}

impl<'ast> Visit<'ast> for Statics {
    fn visit_item_static(&mut self, item: &'ast syn::ItemStatic) {
        // These say themselves what the linker is to call it.
        let named = item.attrs.iter().any(|attribute| {
            let text = attribute.meta.to_token_stream().to_string();
            ["no_mangle", "export_name", "link_section"]
                .iter()
                .any(|name| text.contains(name))
        });
        if named {
            return;
        }
        let at = |span: proc_macro2::Span| {
            let bytes = span.byte_range();
            bytes.start - self.start..bytes.end - self.start
        };
        let keyword = at(item.static_token.span());
        let (mutable, from) = match &item.mutability {
            syn::StaticMutability::Mut(token) => (true, at(token.span()).start),
            _ => (false, at(item.ident.span()).start),
        };
        let last = super::cell::range_of(&item.ty).end - self.start;
        let start = super::cell::range_of(item).start - self.start;
        let mut elided = Elided(Vec::new());
        elided.visit_type(&item.ty);
        self.found.push(Static {
            name: item.ident.to_string(),
            whole: start..at(item.semi_token.span()).end,
            head: start..keyword.start,
            typed: from..last,
            mutable,
            elided: elided.0.into_iter().map(|at| at - self.start).collect(),
            type_words: words(&item.ty.to_token_stream().to_string()),
        });
        visit::visit_item_static(self, item);
    }
}

/// Finds the references without a lifetime; those of a function's signature have their own.
struct Elided(Vec<usize>);

impl<'ast> Visit<'ast> for Elided {
    fn visit_type_reference(&mut self, reference: &'ast syn::TypeReference) {
        if reference.lifetime.is_none() {
            self.0.push(reference.and_token.span().byte_range().end);
        }
        visit::visit_type_reference(self, reference);
    }

    fn visit_type_bare_fn(&mut self, _: &'ast syn::TypeBareFn) {}

    fn visit_parenthesized_generic_arguments(
        &mut self,
        _: &'ast syn::ParenthesizedGenericArguments,
    ) {
    }
}
