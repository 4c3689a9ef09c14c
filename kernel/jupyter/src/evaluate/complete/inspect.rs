//! Explains one name: a variable, an item of the person's, a name of the library, a keyword.

use std::fmt::Write;

use super::Question;
use super::members::Of;
use super::own::{OwnName, head_of};
use super::place::{Place, word_at};
use super::tokens::Tokens;
use crate::evaluate::index::{Found, Index, Kind, Text};
use crate::evaluate::session::short_type;
use crate::evaluate::variables::{VariableInfo, variable_card};

/// So many lines of a type of the person's are shown.
const TYPE_LINES: usize = 30;

/// An explanation for terminals and for pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    pub plain: String,
    pub markdown: String,
}

impl Inspection {
    fn new(signature: &str, doc: &str) -> Inspection {
        let mut plain = signature.trim_end().to_owned();
        let mut markdown = format!("```rust\n{}\n```", signature.trim_end());
        if !doc.trim().is_empty() {
            let _ = write!(plain, "\n\n{}", without_marks(doc.trim()));
            let _ = write!(markdown, "\n\n{}", doc.trim());
        }
        Inspection { plain, markdown }
    }
}

impl Question<'_> {
    pub(super) fn inspect(&self, at: usize, detail: bool) -> Option<Inspection> {
        let word = word_at(self.code, at);
        if !word.is_empty()
            && let Some(found) = self.explain(word, detail)
        {
            return Some(found);
        }
        // Between the brackets of a call: the function that is called.
        let tokens = Tokens::before(self.code, at);
        for open in tokens.open_brackets().into_iter().rev() {
            let Some(mut before) = open.checked_sub(1) else {
                continue;
            };
            if tokens.all[before].is("!") && before > 0 {
                before -= 1;
            }
            let callee = &tokens.all[before];
            if callee.is_name()
                && let Some(found) = self.explain(callee.at..callee.end(), detail)
            {
                return Some(found);
            }
        }
        None
    }

    fn explain(&self, word: std::ops::Range<usize>, detail: bool) -> Option<Inspection> {
        let name = &self.code[word.clone()];
        match Place::of(self.code, word.start) {
            Place::Nothing => None,
            Place::Column { .. } => self.column(name),
            Place::Command => self.command(name),
            Place::Member(receiver) => {
                let type_name = self.type_of(receiver)?;
                let found = self.lookup().of_value(&type_name);
                let (_, of) = found.into_iter().find(|(_, of)| of.name() == name)?;
                Some(self.member(of, detail))
            }
            Place::Path(path) => {
                let full = self.full_path(&path);
                let inner = self
                    .own
                    .names
                    .iter()
                    .find(|own| own.module == path && own.name == name);
                if let Some(own) = inner {
                    return Some(own_item(own, detail));
                }
                if let Some(found) = self.index.find(&format!("{full}::{name}")) {
                    return self.found(found);
                }
                let found = self.lookup().of_type(head_of(&path), &full);
                let (_, of) = found.into_iter().find(|(_, of)| of.name() == name)?;
                Some(self.member(of, detail))
            }
            Place::Name => self.name(word, detail),
        }
    }

    fn name(&self, word: std::ops::Range<usize>, detail: bool) -> Option<Inspection> {
        let name = &self.code[word.clone()];
        let is_local = self.locals(word.end).iter().any(|local| local == name);
        if let Some(variable) = self.variable(name)
            && !is_local
        {
            return Some(variable_card_of(variable));
        }
        if is_local && let Some(type_name) = self.type_of(word.clone()) {
            let signature = format!("let {name}: {}", short_type(&type_name));
            return Some(Inspection::new(&signature, "bound in this cell"));
        }
        if let Some(own) = self
            .own
            .names
            .iter()
            .find(|own| own.name == name && own.module.is_empty())
        {
            return Some(own_item(own, detail));
        }
        let found = self.index.find(&self.full_path(name));
        found
            .and_then(|found| self.found(found))
            .or_else(|| keyword(name))
    }

    fn found(&self, found: Found<'_>) -> Option<Inspection> {
        Some(match found {
            Found::Module(module) => Inspection::new(&format!("mod {module}"), ""),
            Found::Name(name) => library(self.index, name.text, ""),
            Found::Member(of, member) => library(self.index, member.text, &of.name),
        })
    }

    fn member(&self, of: Of<'_>, detail: bool) -> Inspection {
        match of {
            Of::Library(owner, member) => library(self.index, member.text, &owner.name),
            Of::Own(own) => own_item(own, detail),
            Of::Place(index, type_name) => {
                Inspection::new(&format!("{index}: {}", short_type(type_name)), "")
            }
        }
    }

    fn column(&self, name: &str) -> Option<Inspection> {
        let found = self.known.variables.iter().find_map(|variable| {
            let column = variable.columns.iter().find(|(column, _)| column == name)?;
            Some((variable, &column.1))
        });
        let (variable, dtype) = found?;
        Some(Inspection::new(
            &format!("{name}: {dtype}"),
            &format!("a column of `{}`", variable.name),
        ))
    }

    fn command(&self, name: &str) -> Option<Inspection> {
        let (command, help) = crate::evaluate::command::all()
            .find(|(command, _)| command.strip_prefix(':') == Some(name))?;
        Some(Inspection::new(command, help))
    }
}

fn library(index: &Index, text: Text, of: &str) -> Inspection {
    let signature = index.signature(text);
    let signature = if of.is_empty() {
        signature
    } else {
        format!("// {of}\n{signature}")
    };
    Inspection::new(&signature, &index.doc(text))
}

fn own_item(own: &OwnName, detail: bool) -> Inspection {
    if detail {
        return Inspection::new(&own.source, "");
    }
    if !matches!(own.kind, Kind::Struct | Kind::Enum) {
        return Inspection::new(&own.signature, &own.doc);
    }
    // A type is what its fields are; the documentation follows below.
    let lines = own.source.lines().filter(|line| {
        let line = line.trim_start();
        !line.is_empty() && !line.starts_with("///") && !line.starts_with("#[")
    });
    let text: Vec<&str> = lines.take(TYPE_LINES).collect();
    Inspection::new(&text.join("\n"), &own.doc)
}

fn variable_card_of(variable: &VariableInfo) -> Inspection {
    let (signature, facts) = variable_card(variable);
    Inspection::new(&signature, &facts)
}

fn keyword(name: &str) -> Option<Inspection> {
    let text = match name {
        "let" => "binds a value to a name; the variable is there for later cells",
        "mut" => "lets a variable or a reference change what it holds",
        "fn" => "defines a function",
        "struct" => "defines a type with fields",
        "enum" => "defines a type that is one of several variants",
        "impl" => "gives a type methods, or a trait's methods",
        "trait" => "defines methods that types can share",
        "match" => "chooses by the shape of a value; every case has to be covered",
        "if" => "runs a block where a condition holds; also an expression",
        "else" => "the block for when the condition does not hold",
        "for" => "runs a block for each item of an iterator",
        "while" => "runs a block as long as a condition holds",
        "loop" => "runs a block until `break`",
        "break" => "leaves the innermost loop, with a value where it is a `loop`",
        "continue" => "goes on with the next turn of the loop",
        "return" => "leaves the function with a value",
        "move" => "lets a closure own what it uses",
        "async" => "makes a block or function a future; a cell may `.await` it",
        "await" => "waits for a future",
        "use" => "brings a name into scope, for later cells too",
        "mod" => "groups items under a name",
        "pub" => "lets other modules use an item",
        "const" => "names a value that is known when the code is compiled",
        "static" => "names a value that lives as long as the program",
        "type" => "gives a type another name",
        "dyn" => "a value of any type that implements a trait, behind a pointer",
        "unsafe" => "allows what the compiler cannot check",
        "where" => "says what type parameters have to implement",
        "as" => "converts between number types, or renames in a `use` line",
        "ref" => "binds a reference in a pattern",
        "self" => "the value that a method is called on",
        "Self" => "the type that an `impl` is for",
        _ => return None,
    };
    Some(Inspection::new(&format!("keyword {name}"), text))
}

/// Takes the marks of Markdown out that would disturb in a terminal.
fn without_marks(markdown: &str) -> String {
    let lines = markdown.lines().filter(|line| !line.starts_with("```"));
    let lines = lines.map(|line| line.trim_start_matches("#### ").replace("**", ""));
    lines.collect::<Vec<_>>().join("\n")
}
