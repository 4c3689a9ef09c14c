//! Turns a cell into a shared object, and its new variables into kept ones.

use std::path::PathBuf;
use std::time::Instant;

use super::cell::{Cell, NewVariable};
use super::diagnostics::{self, Diagnostic};
use super::session::{Session, Variable, short_type};
use super::source::{Adjustments, Line, Program};
use super::{CellFailure, Error, Evaluator};

/// A cell, compiled and linked.
pub struct Built {
    pub program: Program,
    pub adjust: Adjustments,
    /// The new variables and their types.
    pub types: Vec<(String, String)>,
    pub library: String,
}

impl Evaluator {
    /// Compiles and links; writes the program anew as long as the compiler's answer says how.
    pub(super) fn build(
        &mut self,
        session: &Session,
        cell: &Cell,
        number: u64,
    ) -> Result<Built, CellFailure> {
        let mut adjust = Adjustments::default();
        loop {
            let program = Program::write(session, cell, number, &adjust);
            let compiled = self
                .compiler
                .compile(&format!("{number}"), &program.text)
                .map_err(|error| self.stopped(error))?;
            self.last.compile += compiled.took;
            self.last.compiles += 1;
            let Some(object) = compiled.object else {
                let better = adjusted(&adjust, &compiled.diagnostics, &program);
                if better == adjust {
                    let errors = compiled.diagnostics.iter();
                    self.errors = errors.filter(|one| one.is_error()).cloned().collect();
                    let mut failure =
                        diagnostics::failure(&compiled.diagnostics, &program, session);
                    failure.traceback.extend(self.about_lost());
                    return Err(failure);
                }
                adjust = better;
                continue;
            };
            let mut types = diagnostics::types(&compiled.diagnostics, &program);
            if box_closures(&mut adjust, cell, &types, &program) {
                continue;
            }
            types.extend(adjust.boxed.iter().cloned());
            if adjust.pointers.is_empty() {
                adjust.pointers = types.iter().filter_map(function_pointer).collect();
                if !adjust.pointers.is_empty() {
                    continue;
                }
            }
            let started = Instant::now();
            let homes = program.homes.iter();
            let libraries: Vec<PathBuf> = homes
                .map(|home| self.compiler.library(&home.to_string()))
                .collect();
            let library = self
                .compiler
                .link(&object, &libraries)
                .map_err(|error| self.stopped(error))?;
            self.last.link = started.elapsed();
            return Ok(Built {
                program,
                adjust,
                types,
                library: library.to_string_lossy().into_owned(),
            });
        }
    }

    /// Returns what a compiler that ended without an answer means to the person.
    fn stopped(&self, error: Error) -> CellFailure {
        if self.interrupter.has_stopped_compiling() {
            let text = "the cell was interrupted while it was being compiled; it has not run";
            CellFailure::plain("Interrupted", text)
        } else {
            error.into()
        }
    }

    /// Says of each name that the compiler does not find and a dead child had how to get it back.
    fn about_lost(&self) -> Vec<String> {
        let errors = self
            .errors
            .iter()
            .filter(|error| error.has_code(&["E0425"]));
        let names = errors.filter_map(|error| error.message.split('`').nth(1));
        let lost = names.filter(|name| self.recipes.has_lost(name));
        lost.map(|name| format!("`{name}` was lost with its process; `:replay` makes it again"))
            .collect()
    }

    /// Takes the new variables into the session, and says which ones cannot be kept.
    pub(super) fn keep(
        &self,
        next: &mut Session,
        number: u64,
        cell: &Cell,
        types: Vec<(String, String)>,
        adjust: &Adjustments,
    ) {
        let mut unnameable = Vec::new();
        for new in &cell.variables {
            next.variables.remove(&new.name);
            let Some((_, type_name)) = types.iter().find(|(name, _)| *name == new.name) else {
                continue;
            };
            if is_nameable(type_name) {
                let variable = Variable {
                    type_name: type_name.clone(),
                    mutable: new.mutable,
                };
                next.variables.insert(new.name.clone(), variable);
            } else {
                unnameable.push(format!("{}: {}", new.name, short_type(type_name)));
            }
        }
        if !unnameable.is_empty() {
            let text = format!(
                "not kept after this cell, for no other cell can write the type: {}\n  try: a `fn`, a `Box<dyn Fn(..) -> ..>` with its type written out, or collect()\n",
                unnameable.join(", ")
            );
            self.say(number, text);
        }
        for name in adjust
            .unkept
            .iter()
            .filter_map(|name| name.strip_prefix('&'))
        {
            let text = format!(
                "not kept after this cell, for it borrows from another variable: {name}\n  try: to_owned() or clone()\n"
            );
            self.say(number, text);
        }
    }
}

fn is_nameable(type_name: &str) -> bool {
    !["{", "impl ", "_>", "/* "]
        .iter()
        .any(|sign| type_name.contains(sign))
}

/// Notes the boxes for closures whose signatures have come; returns whether there are any.
fn box_closures(
    adjust: &mut Adjustments,
    cell: &Cell,
    types: &[(String, String)],
    program: &Program,
) -> bool {
    let is_new = |name: &String| {
        program.closures.contains(name) && !adjust.boxed.iter().any(|(of, _)| of == name)
    };
    let new: Vec<_> = types.iter().filter(|(name, _)| is_new(name)).collect();
    for (name, signature) in &new {
        let mutable = |new: &NewVariable| new.name == *name && new.mutable;
        let kind = match cell.variables.iter().any(mutable) {
            true => "FnMut",
            false => "Fn",
        };
        let call = signature
            .strip_prefix("std::marker::PhantomData<fn")
            .and_then(|rest| rest.strip_suffix('>'))
            .filter(|call| is_nameable(call));
        match call {
            Some(call) => {
                let boxed = format!("std::boxed::Box<dyn std::ops::{kind}{call}>");
                adjust.boxed.push((name.clone(), boxed));
            }
            None => adjust.unboxed.push(name.clone()),
        }
    }
    !new.is_empty()
}

/// Returns a variable that holds a function with the pointer type that can: `fn(i32) -> i32 {f}`
/// is `fn(i32) -> i32`.
fn function_pointer((name, type_name): &(String, String)) -> Option<(String, String)> {
    let (pointer, function) = type_name.rsplit_once(" {")?;
    let is_function = function.ends_with('}') && !function.contains('@');
    let signature = ["fn(", "unsafe ", "extern ", "for<"]
        .iter()
        .any(|start| pointer.starts_with(start));
    (is_function && signature && !pointer.contains('{')).then(|| (name.clone(), pointer.to_owned()))
}

/// Returns how to write the program so that these errors go away, or the same adjustments.
fn adjusted(before: &Adjustments, diagnostics: &[Diagnostic], program: &Program) -> Adjustments {
    let mut after = before.clone();
    for error in diagnostics.iter().filter(|message| message.is_error()) {
        let moved = error.has_code(&["E0382", "E0381"]);
        let borrowed = error.has_code(&[
            "E0597", "E0716", "E0505", "E0521", "E0506", "E0503", "E0499", "E0502",
        ]);
        for (line, label) in error.generated(program) {
            // Of the two variables in such an error, the one that borrows is not the one that
            // cannot be moved, but the one that wants the borrow to go on.
            let borrows = borrowed
                && (label.contains("argument requires that")
                    || label.contains("borrow later used"));
            match line {
                Line::PutBack(name) if moved => after.consumed.push(name.clone()),
                Line::Put(name) | Line::TypeOf(name) if moved => after.unkept.push(name.clone()),
                Line::Put(name) | Line::TypeOf(name) if borrows => {
                    after.unkept.extend([name.clone(), format!("&{name}")])
                }
                _ => {}
            }
        }
        // A closure that is asked for its signature can be what is ambiguous.
        after.statement_only |= error.has_code(&["E0282", "E0283", "E0284"])
            && program.closures.is_empty()
            && after == *before;
    }
    after.unkept.sort();
    after.unkept.dedup();
    if after == *before {
        return with_more_items(before, diagnostics, program);
    }
    after
}

/// Returns how to write the program where it may lack an item, or the value of a static.
fn with_more_items(
    before: &Adjustments,
    diagnostics: &[Diagnostic],
    program: &Program,
) -> Adjustments {
    // Those without a place only count the others.
    let is_one = |message: &&Diagnostic| message.is_error() && !message.spans.is_empty();
    let errors = || diagnostics.iter().filter(is_one);
    let mut after = before.clone();
    if !program.closures.is_empty() {
        // A closure that borrows, say: without its box the compiler tells what else is wrong.
        after.unboxed.extend(program.closures.iter().cloned());
        after.boxed.clear();
        return after;
    }
    let about_statics =
        |error: &Diagnostic| error.message.contains("extern static") || error.has_code(&["E0106"]);
    if !before.own_statics && !program.homes.is_empty() && errors().any(about_statics) {
        after.own_statics = true;
    } else if program.partial && errors().any(|error| !error.has_code(&ITEMS_DO_NOT_HELP)) {
        after = Adjustments {
            all_items: true,
            own_statics: before.own_statics,
            unboxed: before.unboxed.clone(),
            ..Adjustments::default()
        };
    }
    after
}

/// Errors that no further item makes go away: types that differ, moves, borrows, mutability.
const ITEMS_DO_NOT_HELP: [&str; 18] = [
    "E0282", "E0308", "E0373", "E0381", "E0382", "E0384", "E0499", "E0502", "E0503", "E0505",
    "E0506", "E0507", "E0515", "E0594", "E0596", "E0597", "E0716", "E0728",
];
