//! What the person has defined: the session's items and those of the cell being typed.

use quote::ToTokens;
use syn::{Attribute, Fields, ImplItem, Item, Stmt, TraitItem};

use super::tokens::{Kind as TokenKind, Tokens};
use crate::evaluate::cell::parse_statements;
use crate::evaluate::index::Kind;
use crate::evaluate::session::Session;

/// All of it, modules flattened.
#[derive(Debug, Default)]
pub struct Own {
    pub names: Vec<OwnName>,
    pub types: Vec<OwnType>,
}

/// A function, type, constant, macro or module.
#[derive(Debug, Clone)]
pub struct OwnName {
    /// `shapes` for what stands in `mod shapes`; empty at the top.
    pub module: String,
    pub name: String,
    pub kind: Kind,
    pub signature: String,
    pub doc: String,
    /// The item as it was typed.
    pub source: String,
}

/// What belongs to a type or trait.
#[derive(Debug, Clone, Default)]
pub struct OwnType {
    pub name: String,
    pub members: Vec<OwnName>,
    pub traits: Vec<String>,
    pub derefs: Option<String>,
}

impl Own {
    /// Collects the items of `session` and those of `code`, which takes their place.
    pub fn of(session: &Session, code: &str) -> Own {
        let mut own = Own::default();
        // An item of the cell being typed comes first, and a search finds it first.
        for text in complete_parts(code) {
            for statement in parse_statements(text).unwrap_or_default() {
                if let Stmt::Item(item) = statement {
                    own.item(&item, text, "");
                }
            }
        }
        for kept in &session.items {
            if let Ok(file) = syn::parse_file(&kept.text) {
                file.items
                    .iter()
                    .for_each(|item| own.item(item, &kept.text, ""));
            }
        }
        own
    }

    pub fn type_named(&self, name: &str) -> Option<&OwnType> {
        self.types.iter().find(|known| known.name == name)
    }

    fn type_mut(&mut self, name: &str) -> &mut OwnType {
        let at = match self.types.iter().position(|known| known.name == name) {
            Some(at) => at,
            None => {
                self.types.push(OwnType {
                    name: name.to_owned(),
                    ..OwnType::default()
                });
                self.types.len() - 1
            }
        };
        &mut self.types[at]
    }

    fn item(&mut self, item: &Item, source: &str, module: &str) {
        let mut add = |name: String, kind: Kind, signature: String, attributes: &[Attribute]| {
            self.names.push(OwnName {
                module: module.to_owned(),
                name,
                kind,
                signature,
                doc: doc_of(attributes),
                source: source.to_owned(),
            });
        };
        match item {
            Item::Fn(item) => add(
                item.sig.ident.to_string(),
                Kind::Function,
                text(&item.sig),
                &item.attrs,
            ),
            Item::Const(item) => {
                let signature = format!("const {}: {}", item.ident, text(&item.ty));
                add(
                    item.ident.to_string(),
                    Kind::Constant,
                    signature,
                    &item.attrs,
                );
            }
            Item::Static(item) => {
                let signature = format!("static {}: {}", item.ident, text(&item.ty));
                add(item.ident.to_string(), Kind::Static, signature, &item.attrs);
            }
            Item::Type(item) => {
                let signature = format!("type {} = {}", item.ident, text(&item.ty));
                add(item.ident.to_string(), Kind::Type, signature, &item.attrs);
            }
            Item::Macro(item) => {
                if let Some(name) = &item.ident {
                    add(
                        name.to_string(),
                        Kind::Macro,
                        format!("macro_rules! {name}"),
                        &item.attrs,
                    );
                }
            }
            Item::Struct(item) => {
                let signature = format!("struct {}{}", item.ident, text(&item.generics));
                add(item.ident.to_string(), Kind::Struct, signature, &item.attrs);
                self.fields(&item.ident.to_string(), &item.fields, source);
                self.derives(&item.ident.to_string(), &item.attrs);
            }
            Item::Enum(item) => {
                let signature = format!("enum {}{}", item.ident, text(&item.generics));
                add(item.ident.to_string(), Kind::Enum, signature, &item.attrs);
                for variant in &item.variants {
                    let member = member(
                        &variant.ident,
                        Kind::Variant,
                        format!("{}{}", variant.ident, text(&variant.fields)),
                        &variant.attrs,
                        source,
                    );
                    self.type_mut(&item.ident.to_string()).members.push(member);
                }
                self.derives(&item.ident.to_string(), &item.attrs);
            }
            Item::Trait(item) => {
                add(
                    item.ident.to_string(),
                    Kind::Trait,
                    format!("trait {}", item.ident),
                    &item.attrs,
                );
                for inner in &item.items {
                    if let TraitItem::Fn(function) = inner {
                        let member = function_member(&function.sig, &function.attrs, source);
                        self.type_mut(&item.ident.to_string()).members.push(member);
                    }
                }
            }
            Item::Impl(item) => self.implementation(item, source),
            Item::Mod(item) => {
                add(
                    item.ident.to_string(),
                    Kind::Module,
                    format!("mod {}", item.ident),
                    &item.attrs,
                );
                let inner = if module.is_empty() {
                    item.ident.to_string()
                } else {
                    format!("{module}::{}", item.ident)
                };
                let items = item.content.iter().flat_map(|(_, items)| items);
                items.for_each(|item| self.item(item, source, &inner));
            }
            _ => {}
        }
    }

    fn fields(&mut self, of: &str, fields: &Fields, source: &str) {
        for (index, field) in fields.iter().enumerate() {
            let name = field
                .ident
                .as_ref()
                .map_or_else(|| index.to_string(), ToString::to_string);
            self.type_mut(of).members.push(OwnName {
                module: String::new(),
                signature: format!("{name}: {}", text(&field.ty)),
                name,
                kind: Kind::Field,
                doc: doc_of(&field.attrs),
                source: source.to_owned(),
            });
        }
        self.type_mut(of);
    }

    fn derives(&mut self, of: &str, attributes: &[Attribute]) {
        for attribute in attributes
            .iter()
            .filter(|known| known.path().is_ident("derive"))
        {
            let _ = attribute.parse_nested_meta(|meta| {
                let name = meta.path.segments.last().map(|last| last.ident.to_string());
                self.type_mut(of).traits.extend(name);
                Ok(())
            });
        }
    }

    fn implementation(&mut self, item: &syn::ItemImpl, source: &str) {
        let of = head_of(&text(&item.self_ty)).to_owned();
        if let Some((_, path, _)) = &item.trait_
            && let Some(last) = path.segments.last()
        {
            self.type_mut(&of).traits.push(last.ident.to_string());
        }
        for inner in &item.items {
            let member = match inner {
                ImplItem::Fn(function) => function_member(&function.sig, &function.attrs, source),
                ImplItem::Const(constant) => {
                    let signature = format!("const {}: {}", constant.ident, text(&constant.ty));
                    member(
                        &constant.ident,
                        Kind::Constant,
                        signature,
                        &constant.attrs,
                        source,
                    )
                }
                ImplItem::Type(alias) if alias.ident == "Target" => {
                    self.type_mut(&of).derefs = Some(text(&alias.ty));
                    continue;
                }
                _ => continue,
            };
            self.type_mut(&of).members.push(member);
        }
    }
}

fn function_member(signature: &syn::Signature, attributes: &[Attribute], source: &str) -> OwnName {
    let kind = match signature.receiver() {
        Some(_) => Kind::Method,
        None => Kind::Associated,
    };
    member(&signature.ident, kind, text(signature), attributes, source)
}

fn member(
    name: &syn::Ident,
    kind: Kind,
    signature: String,
    attributes: &[Attribute],
    source: &str,
) -> OwnName {
    OwnName {
        module: String::new(),
        name: name.to_string(),
        kind,
        signature,
        doc: doc_of(attributes),
        source: source.to_owned(),
    }
}

/// Returns `Vec` of `&std::vec::Vec<i32>`.
pub fn head_of(type_name: &str) -> &str {
    let path = type_name.split('<').next().unwrap_or(type_name);
    let path = path.trim().trim_start_matches(['&', ' ']);
    path.rsplit("::").next().unwrap_or(path).trim()
}

/// Returns the statements and items of `code` that end in `;` or `}`: the one being typed is
/// left out, and one that does not parse takes no other with it.
pub fn complete_parts(code: &str) -> Vec<&str> {
    let tokens = Tokens::before(code, code.len());
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_usize, 0);
    for token in tokens
        .all
        .iter()
        .filter(|token| token.kind == TokenKind::Sign)
    {
        match token.text {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 && (token.text == "}" || token.text == ";") {
            parts.push(&code[start..token.end()]);
            start = token.end();
        }
    }
    parts
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

/// Returns a piece of syntax without the spaces that printing tokens puts between them.
fn text(syntax: &impl ToTokens) -> String {
    let mut text = syntax.to_token_stream().to_string();
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
        ("impl<", "impl <"),
    ] {
        text = text.replace(wide, narrow);
    }
    text
}
