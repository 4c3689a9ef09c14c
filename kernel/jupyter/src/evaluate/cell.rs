//! Takes a cell apart: items, `use` lines, statements, the last expression, new variables.
//!
//! Nothing is printed back from the syntax tree: every part is a range of the cell as typed, so
//! that an error of the compiler points at what the person wrote.

use std::ops::Range;
use std::sync::Arc;

use proc_macro2::Span;
use quote::ToTokens;
use syn::visit::Visit;
use syn::{Block, Expr, Item, Pat, Stmt};

use super::command::Lines;
use super::facts::Facts;
use super::statics::{self, Static};
use super::uses::{self, UseLine};

/// A cell, taken apart.
#[derive(Debug, Default)]
pub struct Cell {
    pub code: String,
    pub uses: Vec<UseLine>,
    pub items: Vec<CellItem>,
    /// The last expression, where the cell ends in one whose value is to be shown.
    pub trailing: Option<Range<usize>>,
    /// What top-level `let`s define, in order; a name that is bound twice stands once.
    pub variables: Vec<NewVariable>,
    pub awaits: bool,
    /// The bytes behind each `return` of the cell itself that gives no value.
    pub returns: Vec<usize>,
    /// Set where the code does not parse; the compiler then says what is wrong, better than we.
    pub unparsable: bool,
}

/// An item such as a function, a type or an `impl`.
#[derive(Debug, Clone)]
pub struct CellItem {
    /// What the item defines: a later item with the same key takes its place.
    pub key: String,
    /// The name by which other code calls it, if it has one.
    pub name: Option<String>,
    pub range: Range<usize>,
    pub facts: Arc<Facts>,
    pub statics: Vec<Static>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewVariable {
    pub name: String,
    pub mutable: bool,
    /// How many parameters it takes, where it is a closure.
    pub closure: Option<usize>,
}

impl Cell {
    /// Takes `code` apart.
    pub fn parse(code: &str) -> Cell {
        let mut cell = Cell {
            code: code.to_owned(),
            ..Cell::default()
        };
        let Ok(statements) = parse_statements(code) else {
            cell.unparsable = true;
            return cell;
        };
        let last = statements.len().wrapping_sub(1);
        for (index, statement) in statements.iter().enumerate() {
            match statement {
                Stmt::Item(item) => cell.add_item(item),
                Stmt::Local(local) => cell.add_variables(local),
                Stmt::Expr(value, None) if index == last && has_value(value) => {
                    cell.trailing = Some(range_of(value));
                }
                Stmt::Macro(call)
                    if call.semi_token.is_none()
                        && index == last
                        && !is_statement_macro(&call.mac) =>
                {
                    cell.trailing = Some(range_of(call));
                }
                _ => {}
            }
            let mut awaits = Awaits(false);
            awaits.visit_stmt(statement);
            cell.awaits |= awaits.0;
            let mut returns = Returns(&mut cell.returns);
            returns.visit_stmt(statement);
        }
        cell
    }

    /// Returns the cell's statements: its own text with items blanked out, so that every byte
    /// that is left stands where the person typed it.
    pub fn statements(&self) -> String {
        let mut text = self.code.clone().into_bytes();
        for range in self
            .items
            .iter()
            .map(|item| &item.range)
            .chain(self.uses.iter().map(|line| &line.range))
        {
            text[range.clone()]
                .iter_mut()
                .filter(|byte| **byte != b'\n')
                .for_each(|byte| *byte = b' ');
        }
        String::from_utf8(text).expect("whole items were replaced by spaces")
    }

    fn add_item(&mut self, item: &Item) {
        let range = range_of(item);
        if let Item::Use(line) = item {
            self.uses.extend(uses::lines(&line.tree, &range));
            return;
        }
        let (key, name) = key_of(item);
        let facts = Facts::of(
            item,
            name.as_deref(),
            &self.code[range.clone()],
            range.start,
        );
        self.items.push(CellItem {
            key,
            name,
            facts: Arc::new(facts),
            statics: statics::of(item, range.start),
            range,
        });
    }

    fn add_variables(&mut self, local: &syn::Local) {
        let mut names = Names(Vec::new());
        names.visit_pat(&local.pat);
        for mut new in names.0 {
            new.closure = closure_of(local);
            self.variables.retain(|old| old.name != new.name);
            self.variables.push(new);
        }
    }
}

/// Parses the inside of a block.
pub fn parse_statements(code: &str) -> syn::Result<Vec<Stmt>> {
    use syn::parse::Parser;
    Block::parse_within.parse_str(code)
}

/// Returns the bytes that a piece of syntax covers.
pub(super) fn range_of(syntax: &impl ToTokens) -> Range<usize> {
    let mut tokens = syntax.to_token_stream().into_iter();
    let first = tokens
        .next()
        .map_or_else(Span::call_site, |token| token.span());
    let last = tokens.last().map_or(first, |token| token.span());
    first.byte_range().start..last.byte_range().end
}

/// Loops have no value worth showing, and an endless one has no type to show.
fn has_value(value: &Expr) -> bool {
    !matches!(
        value,
        Expr::While(_) | Expr::ForLoop(_) | Expr::Loop(_) | Expr::Assign(_) | Expr::Return(_)
    )
}

/// Macros that never give a value; some of them never return.
fn is_statement_macro(call: &syn::Macro) -> bool {
    const NAMES: [&str; 12] = [
        "println",
        "print",
        "eprintln",
        "eprint",
        "panic",
        "todo",
        "unimplemented",
        "unreachable",
        "assert",
        "assert_eq",
        "assert_ne",
        "write",
    ];
    call.path
        .get_ident()
        .is_some_and(|name| NAMES.iter().any(|known| name == known))
}

fn key_of(item: &Item) -> (String, Option<String>) {
    let named = |ident: &syn::Ident| (ident.to_string(), Some(ident.to_string()));
    match item {
        Item::Const(item) if item.ident == "_" => (item.to_token_stream().to_string(), None),
        Item::Const(item) => named(&item.ident),
        Item::Enum(item) => named(&item.ident),
        Item::Fn(item) => named(&item.sig.ident),
        Item::Mod(item) => named(&item.ident),
        Item::Static(item) => named(&item.ident),
        Item::Struct(item) => named(&item.ident),
        Item::Trait(item) => named(&item.ident),
        Item::TraitAlias(item) => named(&item.ident),
        Item::Type(item) => named(&item.ident),
        Item::Union(item) => named(&item.ident),
        Item::ExternCrate(item) => (format!("extern crate {}", item.ident), None),
        Item::Macro(item) => match &item.ident {
            Some(name) => (format!("{name}!"), None),
            None => (item.to_token_stream().to_string(), None),
        },
        Item::Impl(item) => {
            let of = item
                .trait_
                .as_ref()
                .map(|(_, path, _)| path.to_token_stream().to_string());
            let to = item.self_ty.to_token_stream();
            // A second `impl Type` block may add methods; the same methods again replace it.
            let members = if of.is_none() {
                member_names(item)
            } else {
                String::new()
            };
            (
                format!("impl {} for {to} {members}", of.unwrap_or_default()),
                None,
            )
        }
        other => (other.to_token_stream().to_string(), None),
    }
}

fn member_names(item: &syn::ItemImpl) -> String {
    let names = item.items.iter().map(|member| match member {
        syn::ImplItem::Fn(function) => function.sig.ident.to_string(),
        syn::ImplItem::Const(constant) => constant.ident.to_string(),
        _ => String::new(),
    });
    names.collect::<Vec<_>>().join(",")
}

/// Returns how many parameters the closure has that a `let` binds to a name.
fn closure_of(local: &syn::Local) -> Option<usize> {
    let value = &*local.init.as_ref()?.expr;
    match (&local.pat, value) {
        (Pat::Ident(_), Expr::Closure(closure)) if closure.asyncness.is_none() => {
            Some(closure.inputs.len())
        }
        _ => None,
    }
}

/// Collects what a pattern binds.
struct Names(Vec<NewVariable>);

impl<'ast> Visit<'ast> for Names {
    fn visit_pat_ident(&mut self, pattern: &'ast syn::PatIdent) {
        self.0.push(NewVariable {
            name: pattern.ident.to_string(),
            mutable: pattern.mutability.is_some() && pattern.by_ref.is_none(),
            closure: None,
        });
        syn::visit::visit_pat_ident(self, pattern);
    }

    fn visit_expr(&mut self, _: &'ast Expr) {}
}

/// Looks for an `.await` that belongs to the cell itself.
struct Awaits(bool);

impl<'ast> Visit<'ast> for Awaits {
    fn visit_expr_await(&mut self, _: &'ast syn::ExprAwait) {
        self.0 = true;
    }

    fn visit_expr_async(&mut self, _: &'ast syn::ExprAsync) {}

    fn visit_expr_closure(&mut self, closure: &'ast syn::ExprClosure) {
        if closure.asyncness.is_none() {
            syn::visit::visit_expr_closure(self, closure);
        }
    }

    fn visit_item(&mut self, _: &'ast Item) {}
}

/// Looks for each `return` without a value that leaves the cell itself.
struct Returns<'a>(&'a mut Vec<usize>);

impl<'ast> Visit<'ast> for Returns<'_> {
    fn visit_expr_return(&mut self, expression: &'ast syn::ExprReturn) {
        match &expression.expr {
            Some(value) => self.visit_expr(value),
            None => self.0.push(range_of(&expression.return_token).end),
        }
    }

    fn visit_expr_async(&mut self, _: &'ast syn::ExprAsync) {}

    fn visit_expr_closure(&mut self, _: &'ast syn::ExprClosure) {}

    fn visit_item(&mut self, _: &'ast Item) {}
}

/// What `is_complete_request` asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Completeness {
    Complete,
    /// More is to come; the next line starts with `indent`.
    Incomplete {
        indent: String,
    },
    Invalid,
}

/// Returns whether `code` can be run as it stands.
pub fn completeness(code: &str) -> Completeness {
    let lines = Lines::parse(code);
    if !lines.commands.is_empty() && lines.rest.trim().is_empty() {
        return Completeness::Complete;
    }
    let code = lines.rest.as_str();
    match open_brackets(code) {
        Brackets::Open(depth) => {
            return Completeness::Incomplete {
                indent: "    ".repeat(depth),
            };
        }
        Brackets::Wrong => return Completeness::Invalid,
        Brackets::Balanced => {}
    }
    match parse_statements(code) {
        Ok(_) => Completeness::Complete,
        // syn points at the end of the input when it wanted more.
        Err(error) if ends_early(&error, code) => Completeness::Incomplete {
            indent: "    ".to_owned(),
        },
        Err(_) => Completeness::Invalid,
    }
}

fn ends_early(error: &syn::Error, code: &str) -> bool {
    error.to_string().starts_with("unexpected end of input")
        || error.span().byte_range().start >= code.trim_end().len()
}

enum Brackets {
    Balanced,
    Open(usize),
    Wrong,
}

/// Counts brackets outside of texts, characters and comments.
fn open_brackets(code: &str) -> Brackets {
    let mut open = Vec::new();
    let mut rest = code;
    while let Some(next) = rest.chars().next() {
        if let Some(skipped) = uses::skip_text(rest) {
            match skipped {
                Some(length) => rest = &rest[length..],
                None => return Brackets::Open(open.len().max(1)),
            }
            continue;
        }
        match next {
            '(' | '[' | '{' => open.push(next),
            ')' | ']' | '}' => {
                let expected = match next {
                    ')' => '(',
                    ']' => '[',
                    _ => '{',
                };
                if open.pop() != Some(expected) {
                    return Brackets::Wrong;
                }
            }
            _ => {}
        }
        rest = &rest[next.len_utf8()..];
    }
    if open.is_empty() {
        Brackets::Balanced
    } else {
        Brackets::Open(open.len())
    }
}
