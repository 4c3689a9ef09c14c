//! What an item defines and what it mentions.
//!
//! Words are taken from the text, those in comments and in texts too: a word too many only brings
//! in an item that is not needed.

use std::collections::BTreeSet;
use std::ops::Range;

use quote::ToTokens;
use syn::Item;
use syn::visit::{self, Visit};

use super::cell::range_of;

/// The names by which an item is tied to the other items of the session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Names that reach the item: its own, and those of macros and of traits' members in it.
    pub names: BTreeSet<String>,
    pub words: BTreeSet<String>,
    /// For each `impl` in it, the words of its trait and of its type.
    pub impls: Vec<BTreeSet<String>>,
    /// No name leads to it, so every cell has it.
    pub always: bool,
    /// A change in it can change how values lie in memory.
    pub shapes: bool,
    pub methods: Option<Methods>,
}

/// What an `impl` without a trait adds to a type: each name with its bytes of the item's text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Methods {
    pub of: String,
    pub members: Vec<(String, Range<usize>)>,
}

impl Facts {
    /// Returns the facts of an item that is called `name`, reads `text` and starts at byte `start`
    /// of its cell.
    pub fn of(item: &Item, name: Option<&str>, text: &str, start: usize) -> Facts {
        let mut facts = Facts {
            words: words(text),
            shapes: !matches!(item, Item::Fn(_) | Item::Impl(_) | Item::Static(_)),
            methods: methods(item, start),
            ..Facts::default()
        };
        facts.names.extend(name.map(plain));
        facts.visit_item(item);
        facts.always = facts.names.is_empty() && !matches!(item, Item::Impl(_));
        facts
    }
}

impl<'ast> Visit<'ast> for Facts {
    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let mut head = words(&item.self_ty.to_token_stream().to_string());
        if let Some((_, path, _)) = &item.trait_ {
            head.append(&mut words(&path.to_token_stream().to_string()));
        }
        self.impls.push(head);
        visit::visit_item_impl(self, item);
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        let members = item.items.iter().filter_map(|member| match member {
            syn::TraitItem::Fn(function) => Some(&function.sig.ident),
            syn::TraitItem::Const(constant) => Some(&constant.ident),
            syn::TraitItem::Type(kind) => Some(&kind.ident),
            _ => None,
        });
        self.names
            .extend(members.map(|ident| plain(&ident.to_string())));
        visit::visit_item_trait(self, item);
    }

    fn visit_item_macro(&mut self, item: &'ast syn::ItemMacro) {
        self.names
            .extend(item.ident.iter().map(|ident| plain(&ident.to_string())));
    }
}

fn methods(item: &Item, start: usize) -> Option<Methods> {
    let Item::Impl(item) = item else { return None };
    if item.trait_.is_some() {
        return None;
    }
    let members = item.items.iter().filter_map(|member| {
        let name = match member {
            syn::ImplItem::Fn(function) => &function.sig.ident,
            syn::ImplItem::Const(constant) => &constant.ident,
            _ => return None,
        };
        let bytes = range_of(member);
        Some((name.to_string(), bytes.start - start..bytes.end - start))
    });
    Some(Methods {
        of: item.self_ty.to_token_stream().to_string(),
        members: members.collect(),
    })
}

/// Returns the words of a text: what could be names in it.
pub fn words(text: &str) -> BTreeSet<String> {
    text.split(|next: char| !next.is_alphanumeric() && next != '_')
        .filter(|word| word.starts_with(|first: char| !first.is_ascii_digit()))
        .map(str::to_owned)
        .collect()
}

/// Returns a name as [`words`] finds it: without the mark of a raw identifier.
pub fn plain(name: &str) -> String {
    name.trim_start_matches("r#").to_owned()
}
