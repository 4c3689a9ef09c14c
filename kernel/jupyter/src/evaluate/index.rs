//! The library's public names with signature and documentation, written beside the prelude.

use std::path::Path;

use quote::ToTokens;
use serde::{Deserialize, Serialize};
use syn::{Attribute, ImplItem, Item, Visibility};

/// The file in the prelude's folder.
pub const INDEX: &str = "index.json";

/// One public name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub name: String,
    /// The type that a method belongs to.
    pub of: Option<String>,
    pub signature: String,
    pub doc: String,
}

/// All public names, for completion and inspection.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    pub entries: Vec<Entry>,
}

impl Index {
    /// Reads the index of a prelude; without one, completion knows fewer names.
    pub fn read(folder: &Path) -> Index {
        let text = std::fs::read(folder.join(INDEX)).ok();
        text.and_then(|text| serde_json::from_slice(&text).ok())
            .unwrap_or_default()
    }

    /// Collects the public names of every `.rs` file below `folder`.
    pub fn scan(&mut self, folder: &Path) {
        let mut entries: Vec<_> = std::fs::read_dir(folder)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .collect();
        entries.sort();
        for path in entries {
            if path.is_dir() {
                self.scan(&path);
            } else if path.extension().is_some_and(|end| end == "rs")
                && let Some(file) = std::fs::read_to_string(&path)
                    .ok()
                    .and_then(|text| syn::parse_file(&text).ok())
            {
                file.items.iter().for_each(|item| self.add(item));
            }
        }
    }

    fn add(&mut self, item: &Item) {
        match item {
            Item::Fn(item) if is_public(&item.vis) => {
                self.push(&item.sig.ident, None, &item.sig, &item.attrs)
            }
            Item::Struct(item) if is_public(&item.vis) => {
                self.push_type("struct", &item.ident, &item.attrs)
            }
            Item::Enum(item) if is_public(&item.vis) => {
                self.push_type("enum", &item.ident, &item.attrs)
            }
            Item::Trait(item) if is_public(&item.vis) => {
                self.push_type("trait", &item.ident, &item.attrs)
            }
            Item::Impl(item) if item.trait_.is_none() => {
                let of = item.self_ty.to_token_stream().to_string();
                for member in &item.items {
                    if let ImplItem::Fn(method) = member
                        && is_public(&method.vis)
                    {
                        self.push(
                            &method.sig.ident,
                            Some(of.clone()),
                            &method.sig,
                            &method.attrs,
                        );
                    }
                }
            }
            Item::Mod(item) => item
                .content
                .iter()
                .flat_map(|(_, items)| items)
                .for_each(|item| self.add(item)),
            _ => {}
        }
    }

    fn push(
        &mut self,
        name: &syn::Ident,
        of: Option<String>,
        signature: &syn::Signature,
        attributes: &[Attribute],
    ) {
        let signature = readable(&signature.to_token_stream().to_string());
        self.entries.push(Entry {
            name: name.to_string(),
            of,
            signature,
            doc: doc_of(attributes),
        });
    }

    fn push_type(&mut self, kind: &str, name: &syn::Ident, attributes: &[Attribute]) {
        self.entries.push(Entry {
            name: name.to_string(),
            of: None,
            signature: format!("{kind} {name}"),
            doc: doc_of(attributes),
        });
    }
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn doc_of(attributes: &[Attribute]) -> String {
    let lines = attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("doc"))
        .filter_map(|attribute| {
            let syn::Meta::NameValue(pair) = &attribute.meta else {
                return None;
            };
            let syn::Expr::Lit(literal) = &pair.value else {
                return None;
            };
            let syn::Lit::Str(text) = &literal.lit else {
                return None;
            };
            let text = text.value();
            Some(text.strip_prefix(' ').map_or(text.clone(), str::to_owned))
        });
    lines.collect::<Vec<_>>().join("\n")
}

/// Takes out the spaces that printing tokens puts between them.
fn readable(tokens: &str) -> String {
    let mut text = tokens.to_owned();
    for (wide, narrow) in [
        (" :: ", "::"),
        (" (", "("),
        ("( ", "("),
        (" )", ")"),
        (" ,", ","),
        (" :", ":"),
        ("& ", "&"),
        (" < ", "<"),
        ("< ", "<"),
        (" >", ">"),
        (" ->", "->"),
        ("->", " -> "),
        ("  ", " "),
        (" ;", ";"),
    ] {
        text = text.replace(wide, narrow);
    }
    text
}
