//! Writes the program that a cell becomes, and remembers which byte came from where.

use std::collections::BTreeSet;
use std::ops::Range;

use super::cell::{Cell, NewVariable};
use super::reach::Reach;
use super::session::{KeptItem, Session, Variable, mentions};
use super::statics::Static;

/// A generated program.
#[derive(Debug, Default)]
pub struct Program {
    pub text: String,
    pub entry: String,
    /// Stretches that are copied from a cell, in order.
    copied: Vec<Copied>,
    /// Lines that were generated for one variable each.
    lines: Vec<(u32, Line)>,
    newlines: u32,
    /// Cells whose libraries hold statics that this program uses.
    pub homes: BTreeSet<u64>,
    /// Items were left out that the cell does not seem to need.
    pub partial: bool,
    /// New variables whose closure is kept in a box, or is going to be.
    pub closures: Vec<String>,
}

/// So many parameters a closure may have to be kept; the prelude has a function for each number.
const MOST_PARAMETERS: usize = 6;

#[derive(Debug)]
struct Copied {
    at: Range<usize>,
    cell: u64,
    start: usize,
}

/// What a generated line is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// Tells the type of a new variable, through a lint.
    TypeOf(String),
    /// Keeps a new variable.
    Put(String),
    /// Puts a variable of an earlier cell back.
    PutBack(String),
    /// Imports a name, from this cell and range.
    Use(u64, Range<usize>),
}

/// What the compiler's answers so far say about how to write the program.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Adjustments {
    /// Earlier variables that the cell consumes.
    pub consumed: Vec<String>,
    /// New variables that cannot outlive the cell: moved again, or borrowing from it.
    pub unkept: Vec<String>,
    /// The last expression has no value to show (it never returns).
    pub statement_only: bool,
    /// New variables that hold a function, and the pointer type in which they are kept: the type
    /// of the function itself cannot be written.
    pub pointers: Vec<(String, String)>,
    /// New variables that hold a closure, and the type of the box in which they are kept.
    pub boxed: Vec<(String, String)>,
    /// Closures that cannot be boxed: they borrow, or can be called only once.
    pub unboxed: Vec<String>,
    /// The cell needs an item that it does not seem to reach.
    pub all_items: bool,
    /// A constant reads a static, which the compiler can do only where it sees the value.
    pub own_statics: bool,
}

impl Program {
    /// Writes the program for `cell` in a session that already knows its items.
    pub fn write(session: &Session, cell: &Cell, number: u64, adjust: &Adjustments) -> Program {
        let mut program = Program {
            entry: format!("headwater_cell_{number}"),
            ..Program::default()
        };
        let reach = if adjust.all_items {
            Reach::whole(session)
        } else {
            let statements = cell.statements();
            let texts = taken(session, &statements)
                .map(|(_, variable)| variable.type_name.as_str())
                .chain([cell.code.as_str()]);
            Reach::of(session, number, &texts.collect::<Vec<_>>())
        };
        program.partial = reach.partial;
        program.header(session, &reach);
        for item in reach.items(session) {
            program.item(item, number, adjust);
        }
        program.function(session, cell, number, adjust);
        program
    }

    fn header(&mut self, session: &Session, reach: &Reach) {
        self.push("#![allow(unused, dead_code, private_interfaces, non_snake_case, unreachable_code, text_direction_codepoint_in_literal)]\n");
        self.push("#![warn(dropping_references)]\n#![recursion_limit = \"256\"]\n");
        self.push("#[allow(unused_imports)] use ::headwater::prelude::*;\n");
        for kept in reach.uses(session) {
            self.line(
                Line::Use(kept.cell, kept.line.range.clone()),
                &kept.line.text,
            );
        }
    }

    /// Writes an item: as typed, but for its statics.
    fn item(&mut self, item: &KeptItem, number: u64, adjust: &Adjustments) {
        let mut done = 0;
        for held in &item.statics {
            self.copy_part(item, done..held.whole.start);
            self.held(item, held, number, adjust);
            done = held.whole.end;
        }
        self.copy_part(item, done..item.text.len());
        self.push("\n");
    }

    /// Writes a static: its definition where it is at home, elsewhere where to find it.
    fn held(&mut self, item: &KeptItem, held: &Static, number: u64, adjust: &Adjustments) {
        let at = item.start + held.whole.start;
        let symbol = format!(
            "headwater_static_{}_{}_{at}_{}",
            item.home, item.cell, held.name
        );
        if item.home == number {
            self.push(&format!("#[unsafe(export_name = {symbol:?})] "));
            self.copy_part(item, held.whole.clone());
        } else if adjust.own_statics {
            self.copy_part(item, held.whole.clone());
        } else {
            self.homes.insert(item.home);
            self.push(&format!(
                "unsafe extern \"Rust\" {{ #[link_name = {symbol:?}] "
            ));
            self.copy_part(item, held.head.clone());
            self.push(if held.mutable {
                "static "
            } else {
                "safe static "
            });
            let mut done = held.typed.start;
            for at in &held.elided {
                self.copy_part(item, done..*at);
                self.push("'static ");
                done = *at;
            }
            self.copy_part(item, done..held.typed.end);
            self.push("; }");
        }
    }

    fn copy_part(&mut self, item: &KeptItem, part: Range<usize>) {
        let start = item.start + part.start;
        self.copy(&item.text[part], item.cell, start);
    }

    fn function(&mut self, session: &Session, cell: &Cell, number: u64, adjust: &Adjustments) {
        let statements = cell.statements();
        let taken: Vec<_> = taken(session, &statements).collect();
        self.push(&format!(
            "#[unsafe(no_mangle)] pub extern \"C-unwind\" fn {}() {{\n",
            self.entry.clone()
        ));
        for (name, variable) in &taken {
            let mutable = if variable.mutable { "mut " } else { "" };
            self.push(&format!(
                "let {mutable}{name}: {} = ::headwater::cell::take({name:?});\n",
                variable.type_name
            ));
        }
        // No parenthesis around the body: one that the cell leaves open would close here.
        self.push(
            "let headwater_body = || -> ::std::result::Result<(), ::headwater::cell::Failure> {\n",
        );
        if cell.awaits {
            self.push("::headwater::cell::block_on(async {\n");
        }
        self.body(cell, &statements, number, adjust);
        for new in &cell.variables {
            if !adjust.unkept.contains(&new.name) {
                self.put(new, adjust);
            }
        }
        self.push("::headwater::cell::reach_end();\n::std::result::Result::Ok(())\n");
        if cell.awaits {
            self.push("})\n");
        }
        self.push("};\n::headwater::cell::guard(headwater_body);\n");
        for (name, _) in taken {
            if !adjust.consumed.contains(name) {
                let call = format!("::headwater::cell::put_back({name:?}, {name});");
                self.line(Line::PutBack(name.clone()), &call);
            }
        }
        self.push("}\n");
    }

    /// Keeps a new variable, and asks for its type.
    fn put(&mut self, new: &NewVariable, adjust: &Adjustments) {
        let name = &new.name;
        let mut value = name.clone();
        if let Some(parameters) = new.closure.filter(|count| *count <= MOST_PARAMETERS)
            && !adjust.unboxed.contains(name)
        {
            self.closures.push(name.clone());
            let Some((_, boxed)) = adjust.boxed.iter().find(|(of, _)| of == name) else {
                let ask = format!(
                    "::std::mem::drop(&::headwater::cell::signature_{parameters}(&{name}));"
                );
                self.line(Line::TypeOf(name.clone()), &ask);
                return;
            };
            value = format!("(::std::boxed::Box::new({name}) as {boxed})");
        } else {
            if let Some((_, pointer)) = adjust.pointers.iter().find(|(of, _)| of == name) {
                value = format!("({name} as {pointer})");
            }
            self.line(
                Line::TypeOf(name.clone()),
                &format!("::std::mem::drop(&{value});"),
            );
        }
        self.line(
            Line::Put(name.clone()),
            &format!("::headwater::cell::put({name:?}, {value});"),
        );
    }

    fn body(&mut self, cell: &Cell, statements: &str, number: u64, adjust: &Adjustments) {
        match &cell.trailing {
            Some(value) if !adjust.statement_only => {
                self.part(cell, statements, number, 0..value.start);
                self.push("::headwater::show_value!(");
                self.part(cell, statements, number, value.clone());
                self.push(");");
                self.part(cell, statements, number, value.end..statements.len());
            }
            _ => self.part(cell, statements, number, 0..statements.len()),
        }
        // A line of its own, for the cell may end in a comment.
        self.push("\n;\n");
    }

    /// Copies a part of the cell; a `return` in it gets the value that the body has to return.
    fn part(&mut self, cell: &Cell, statements: &str, number: u64, part: Range<usize>) {
        let mut done = part.start;
        for at in cell.returns.iter().filter(|at| part.contains(at)) {
            self.copy(&statements[done..*at], number, done);
            self.push(" ::std::result::Result::Ok(())");
            done = *at;
        }
        self.copy(&statements[done..part.end], number, done);
    }

    fn push(&mut self, text: &str) {
        self.newlines +=
            u32::try_from(text.matches('\n').count()).expect("a cell has fewer than 2^32 lines");
        self.text.push_str(text);
    }

    fn line(&mut self, kind: Line, text: &str) {
        self.lines.push((self.newlines + 1, kind));
        self.push(text);
        self.push("\n");
    }

    fn copy(&mut self, text: &str, cell: u64, start: usize) {
        let at = self.text.len();
        self.push(text);
        self.copied.push(Copied {
            at: at..self.text.len(),
            cell,
            start,
        });
    }

    /// Returns the cell and the bytes in it that a stretch of the program was copied from.
    pub fn origin(&self, bytes: Range<usize>) -> Option<(u64, Range<usize>)> {
        let part = self.copied.iter().find(|part| {
            part.at.start <= bytes.start && bytes.start < part.at.end.max(part.at.start + 1)
        })?;
        let shift = |byte: usize| byte.min(part.at.end) - part.at.start + part.start;
        Some((part.cell, shift(bytes.start)..shift(bytes.end)))
    }

    /// Returns what a generated line (counted from 1) is for.
    pub fn line_kind(&self, line: u32) -> Option<&Line> {
        self.lines
            .iter()
            .find(|(at, _)| *at == line)
            .map(|(_, kind)| kind)
    }

    /// Returns the cell and its line (counted from 1) that a line of the program came from.
    pub fn origin_of_line(&self, line: u32, session: &Session) -> Option<(u32, usize)> {
        let start = self
            .text
            .split_inclusive('\n')
            .take(line.checked_sub(1)? as usize)
            .map(str::len)
            .sum::<usize>();
        let end = start
            + self.text[start..]
                .find('\n')
                .unwrap_or(self.text.len() - start);
        let part = self
            .copied
            .iter()
            .find(|part| part.at.start < end.max(start + 1) && part.at.end > start)?;
        let byte = start.max(part.at.start) - part.at.start + part.start;
        let source = session.sources.get(&part.cell)?;
        let line = source.code.get(..byte)?.matches('\n').count() + 1;
        Some((source.count, line))
    }
}

/// Returns the variables of earlier cells that `statements` mention.
fn taken<'a>(
    session: &'a Session,
    statements: &str,
) -> impl Iterator<Item = (&'a String, &'a Variable)> {
    let variables = session.variables.iter();
    variables.filter(move |(name, _)| mentions(statements, name))
}
