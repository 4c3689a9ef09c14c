//! Which cells made each variable, so that what a dead child took with it can be made again.

use std::collections::{BTreeMap, BTreeSet};

use super::cell::Cell;
use super::session::Session;
use super::{CellFailure, Evaluator};

/// The cells behind the session's variables, and those behind lost ones.
#[derive(Debug, Default)]
pub struct Recipes {
    cells: BTreeMap<u64, Run>,
    variables: BTreeMap<String, BTreeSet<u64>>,
    /// Those of dead children that no cell has defined anew since.
    lost: BTreeMap<String, BTreeSet<u64>>,
}

/// A cell that has run, under the count that the person knows it by.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Run {
    count: u32,
    code: String,
}

/// An earlier variable that a cell mentions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    pub name: String,
    pub mutable: bool,
}

impl Recipes {
    /// Notes that a cell has run to its end. What it defined needs that cell and all that its
    /// own ingredients needed; so does what it may have changed.
    pub fn completed(
        &mut self,
        number: u64,
        count: u32,
        cell: &Cell,
        taken: &[Taken],
        now: &Session,
    ) {
        let ingredients = taken
            .iter()
            .filter_map(|taken| self.variables.get(&taken.name));
        let mut needs: BTreeSet<u64> = ingredients.flatten().copied().collect();
        needs.insert(number);
        let changed = taken
            .iter()
            .filter(|taken| taken.mutable)
            .map(|taken| &taken.name);
        let made = cell.variables.iter().map(|new| &new.name);
        for name in changed.chain(made) {
            self.variables.insert(name.clone(), needs.clone());
            self.lost.remove(name);
        }
        let code = cell.code.clone();
        self.cells.insert(number, Run { count, code });
        self.variables
            .retain(|name, _| now.variables.contains_key(name));
        self.drop_unused();
    }

    /// Notes that all variables are lost; returns the counts of the cells that made them.
    pub fn lose_all(&mut self) -> Vec<u32> {
        let lost = std::mem::take(&mut self.variables);
        self.lost.extend(lost);
        self.drop_unused();
        self.lost_cells().map(|run| run.count).collect()
    }

    /// Returns whether a variable of that name went with a dead child.
    pub fn has_lost(&self, name: &str) -> bool {
        self.lost.contains_key(name)
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Recipes::default();
    }

    fn take_lost(&mut self) -> Vec<Run> {
        let runs = self.lost_cells().cloned().collect();
        self.lost.clear();
        runs
    }

    fn lost_cells(&self) -> impl Iterator<Item = &Run> {
        let numbers: BTreeSet<u64> = self.lost.values().flatten().copied().collect();
        numbers
            .into_iter()
            .filter_map(|number| self.cells.get(&number))
    }

    fn drop_unused(&mut self) {
        let needed = self.variables.values().chain(self.lost.values());
        let needed: BTreeSet<u64> = needed.flatten().copied().collect();
        self.cells.retain(|number, _| needed.contains(number));
    }
}

impl Evaluator {
    /// Runs the cells again that made what the last dead child took with it, in their order.
    pub(super) fn replay(&mut self, cell: u64) -> Result<String, CellFailure> {
        let runs = self.recipes.take_lost();
        if runs.is_empty() {
            return Ok("nothing to replay: no variables were lost".to_owned());
        }
        let total = runs.len();
        for (done, Run { count, code }) in runs.into_iter().enumerate() {
            self.say(
                cell,
                format!("replaying cell {count} ({} of {total})\n", done + 1),
            );
            self.run_code(cell, count, &code)?;
        }
        let back = self.session.describe_variables();
        Ok(format!("variables: {}", back.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::super::session::Variable;
    use super::*;

    fn session(names: &[&str]) -> Session {
        let variable = |name: &&str| {
            let variable = Variable {
                type_name: "i32".to_owned(),
                mutable: false,
            };
            ((*name).to_owned(), variable)
        };
        Session {
            variables: names.iter().map(variable).collect(),
            ..Session::default()
        }
    }

    fn taken(name: &str, mutable: bool) -> Taken {
        let name = name.to_owned();
        Taken { name, mutable }
    }

    #[test]
    fn a_lost_variable_needs_its_cell_and_those_of_its_ingredients() {
        let mut recipes = Recipes::default();
        let run = |recipes: &mut Recipes, number, code, taken: &[Taken], names: &[&str]| {
            recipes.completed(
                number,
                number as u32,
                &Cell::parse(code),
                taken,
                &session(names),
            );
        };
        run(&mut recipes, 1, "let a = 1;", &[], &["a"]);
        run(&mut recipes, 2, "1 + 1", &[], &["a"]);
        run(
            &mut recipes,
            3,
            "let mut b = vec![a];",
            &[taken("a", false)],
            &["a", "b"],
        );
        run(
            &mut recipes,
            4,
            "b.push(2);",
            &[taken("b", true)],
            &["a", "b"],
        );
        run(&mut recipes, 5, "a + 1", &[taken("a", false)], &["a", "b"]);
        assert_eq!(recipes.lose_all(), [1, 3, 4]);
    }

    #[test]
    fn what_was_made_again_by_hand_is_lost_no_more() {
        let mut recipes = Recipes::default();
        recipes.completed(1, 1, &Cell::parse("let a = 1;"), &[], &session(&["a"]));
        assert_eq!(recipes.lose_all(), [1]);
        recipes.completed(2, 2, &Cell::parse("let a = 2;"), &[], &session(&["a"]));
        assert_eq!(recipes.lose_all(), [2]);
    }

    #[test]
    fn what_is_defined_anew_or_gone_needs_no_old_cells() {
        let mut recipes = Recipes::default();
        recipes.completed(1, 1, &Cell::parse("let a = 1;"), &[], &session(&["a"]));
        recipes.completed(2, 2, &Cell::parse("let a = 2;"), &[], &session(&["a"]));
        assert_eq!(recipes.lose_all(), [2]);
        recipes.clear();
        recipes.completed(3, 3, &Cell::parse("let c = 1;"), &[], &session(&[]));
        assert_eq!(recipes.lose_all(), [] as [u32; 0]);
    }
}
