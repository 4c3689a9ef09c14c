//! Turns a cell into a shared object, and its new variables into kept ones.

use std::time::Instant;

use super::cell::Cell;
use super::diagnostics::{self, Diagnostic};
use super::session::{Session, Variable, short_type};
use super::source::{Adjustments, Line, Program};
use super::{CellFailure, Evaluator};

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
            let compiled = self.compiler.compile(&format!("{number}"), &program.text)?;
            self.last.compile += compiled.took;
            self.last.compiles += 1;
            let Some(object) = compiled.object else {
                let better = adjusted(&adjust, &compiled.diagnostics, &program);
                if better == adjust {
                    let errors = compiled.diagnostics.iter();
                    self.errors = errors.filter(|one| one.is_error()).cloned().collect();
                    return Err(diagnostics::failure(
                        &compiled.diagnostics,
                        &program,
                        session,
                    ));
                }
                adjust = better;
                continue;
            };
            let types = diagnostics::types(&compiled.diagnostics, &program);
            let started = Instant::now();
            let library = self.compiler.link(&object)?;
            self.last.link = started.elapsed();
            return Ok(Built {
                program,
                adjust,
                types,
                library: library.to_string_lossy().into_owned(),
            });
        }
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
                Line::Put(name) if borrows => {
                    after.unkept.extend([name.clone(), format!("&{name}")])
                }
                _ => {}
            }
        }
        after.statement_only |= error.has_code(&["E0282", "E0283", "E0284"]) && after == *before;
    }
    after.unkept.sort();
    after.unkept.dedup();
    after
}
