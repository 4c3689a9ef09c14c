//! The type of an expression in the middle of a cell, from the compiler itself.
//!
//! The cell is cut off behind the expression, a call of a method that no type has is put there,
//! open brackets are closed, and rustc checks the result without generating code: its complaint
//! names the type. This runs beside cells, at low priority, in a folder of its own; a newer
//! question ends an older one.

use std::collections::HashMap;
use std::ops::Range;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use super::own::complete_parts;
use super::tokens::{Kind, Tokens};
use crate::evaluate::cell::Cell;
use crate::evaluate::dependency::Library;
use crate::evaluate::diagnostics;
use crate::evaluate::session::{Session, mentions};
use crate::evaluate::toolchain::Toolchain;

const METHOD: &str = "headwater_type_of_this";
/// So many answers are remembered; typing on in the same word asks the same question.
const REMEMBERED: usize = 64;

/// Asks the compiler for types.
pub struct Prober {
    toolchain: Toolchain,
    folder: PathBuf,
    /// The compiler that runs for the newest question; held to start, end and fetch it only.
    running: Mutex<Option<(u64, Child)>>,
    /// Types by program; what the compiler could not tell it may tell once a crate is added.
    answers: Mutex<HashMap<String, String>>,
    asked: Mutex<u64>,
}

impl Prober {
    /// Takes `folder` for its own files; it is made when the first question comes.
    pub fn new(toolchain: Toolchain, folder: PathBuf) -> Arc<Prober> {
        Arc::new(Prober {
            toolchain,
            folder,
            running: Mutex::default(),
            answers: Mutex::default(),
            asked: Mutex::default(),
        })
    }

    /// Returns the type of the expression at `range` of a cell that is being typed; none where
    /// the compiler cannot tell.
    pub fn type_of(
        &self,
        session: &Session,
        added: Option<&Library>,
        code: &str,
        range: Range<usize>,
    ) -> Option<String> {
        let program = program(session, code, range);
        if let Some(known) = self.answers.lock().ok()?.get(&program) {
            return Some(known.clone());
        }
        let answer = self.ask(&program, added)?;
        let mut answers = self.answers.lock().ok()?;
        if answers.len() >= REMEMBERED {
            answers.clear();
        }
        answers.insert(program, answer.clone());
        Some(answer)
    }

    /// Runs the compiler; none where it does not run or a newer question has ended it.
    fn ask(&self, program: &str, added: Option<&Library>) -> Option<String> {
        let number = {
            let mut asked = self.asked.lock().ok()?;
            *asked += 1;
            *asked
        };
        std::fs::create_dir_all(&self.folder).ok()?;
        let source = self.folder.join(format!("probe_{number}.rs"));
        std::fs::write(&source, program).ok()?;
        let mut child = self.command(&source, added).spawn().ok()?;
        let stderr = child.stderr.take()?;
        if let Some((_, mut older)) = self.running.lock().ok()?.replace((number, child)) {
            let _ = older.kill();
            let _ = older.wait();
        }
        let said = std::io::read_to_string(stderr);
        let mut running = self.running.lock().ok()?;
        let is_newest = running
            .as_ref()
            .is_some_and(|(newest, _)| *newest == number);
        if is_newest && let Some((_, mut child)) = running.take() {
            let _ = child.wait();
        }
        drop(running);
        let _ = std::fs::remove_file(&source);
        said.ok()
            .filter(|_| is_newest)
            .and_then(|said| named_type(&said))
    }

    fn command(&self, source: &Path, added: Option<&Library>) -> Command {
        let mut command = Command::new(&self.toolchain.rustc);
        // In its own folder: a compiler that a newer question ends leaves what it was writing.
        command.current_dir(&self.folder);
        command.env("RUSTC_BOOTSTRAP", "1").args([
            "-Ztrim-diagnostic-paths=no",
            "-Zwrite-long-types-to-disk=no",
            "--crate-name=cell",
            "--edition=2024",
            "--crate-type=lib",
            "--emit=metadata",
            "--error-format=json",
            "--cap-lints=allow",
            "-Cprefer-dynamic",
        ]);
        self.toolchain.name_crates(&mut command, added);
        command
            .arg("-o")
            .arg(source.with_extension("rmeta"))
            .arg(source);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        // SAFETY: it makes one plain system call, which may be made between fork and exec.
        unsafe {
            command.pre_exec(|| {
                give_way();
                Ok(())
            });
        }
        command
    }
}

/// Lowers the priority of the calling thread, for good: a cell that is started meanwhile goes
/// first.
pub fn give_way() {
    // SAFETY: a plain system call; where it fails the priority stays as it is.
    unsafe {
        libc::setpriority(libc::PRIO_PROCESS, 0, 10);
    }
}

impl Drop for Prober {
    fn drop(&mut self) {
        if let Ok(running) = self.running.get_mut()
            && let Some((_, child)) = running
        {
            let _ = child.kill();
            let _ = child.wait();
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Writes the program that the compiler is to complain about.
fn program(session: &Session, code: &str, range: Range<usize>) -> String {
    let cut = &code[..range.end];
    let mut text = String::from(
        "#![recursion_limit = \"256\"]\n#[allow(unused_imports)] use ::headwater::prelude::*;\n",
    );
    for kept in &session.uses {
        text.push_str(&kept.line.text);
        text.push('\n');
    }
    let parts = complete_parts(cut).into_iter();
    let here: Vec<String> = parts
        .flat_map(|part| Cell::parse(part).items)
        .map(|item| item.key)
        .collect();
    for item in &session.items {
        let is_open = item.name.as_ref().is_some_and(|name| defines(cut, name));
        if !is_open && !here.contains(&item.key) {
            text.push_str(&item.text);
            text.push('\n');
        }
    }
    let is_async = if cut.contains(".await") { "async " } else { "" };
    text.push_str(is_async);
    text.push_str("fn cell() -> ::std::result::Result<(), ::headwater::cell::Failure> {\n");
    for (name, variable) in session
        .variables
        .iter()
        .filter(|(name, _)| mentions(cut, name))
    {
        let type_name = &variable.type_name;
        text.push_str(&format!("let mut {name}: {type_name} = loop {{}};\n"));
    }
    text.push_str(cut);
    text.push_str(&format!(".{METHOD}()"));
    text.push_str(&closing(code, range));
    text.push_str("\n; loop {} }\n");
    text
}

/// Returns whether the code defines an item of this name itself.
fn defines(code: &str, name: &str) -> bool {
    [
        "struct",
        "enum",
        "fn",
        "trait",
        "mod",
        "const",
        "static",
        "type",
        "union",
        "macro_rules!",
    ]
    .iter()
    .any(|word| mentions(code, &format!("{word} {name}")))
}

/// Closes what is open behind the expression, from the inside out.
fn closing(code: &str, range: Range<usize>) -> String {
    let tokens = Tokens::before(code, range.start);
    // The statement starts behind the last `;`, `{` or `}`.
    let is_edge = |text: &str| [";", "{", "}"].contains(&text);
    let start = tokens
        .all
        .iter()
        .rposition(|token| token.kind == Kind::Sign && is_edge(token.text))
        .map_or(0, |at| at + 1);
    let mut words = tokens.all[start..].iter().map(|token| token.text);
    let first = words.next().map(|word| {
        if word == "else" {
            words.next()
        } else {
            Some(word)
        }
    });
    // `if x` needs its block before it parses.
    let mut block = match first.flatten() {
        Some("if" | "while" | "match" | "for") => Some(" {}"),
        _ => None,
    };
    let mut text = String::new();
    for open in tokens.open_brackets().into_iter().rev() {
        if open < start {
            text.push_str(block.take().unwrap_or_default());
        }
        text.push_str(match tokens.all[open].text {
            "(" => ")",
            "[" => "]",
            _ if has_values(&tokens, open) => "}",
            // A block may still have to give a value.
            _ => "; loop {} }",
        });
    }
    text.push_str(block.unwrap_or_default());
    text
}

/// Returns whether a brace opens a struct's value or the arms of a `match`, where no `;` stands.
fn has_values(tokens: &Tokens<'_>, open: usize) -> bool {
    let before = open.checked_sub(1).map(|at| &tokens.all[at]);
    let names_type =
        before.is_some_and(|token| token.is_name() && token.text.starts_with(char::is_uppercase));
    let heads = ["impl", "for", "trait", "->"];
    let is_item = open
        .checked_sub(2)
        .is_some_and(|at| heads.contains(&tokens.all[at].text));
    let mut depth = 0;
    let mut inside = tokens.all[open + 1..].iter().filter(|token| {
        match token.text {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        depth == 0
    });
    (names_type && !is_item) || inside.any(|token| token.is("=>"))
}

/// Finds the type in what the compiler says about the method that nothing has.
fn named_type(stderr: &str) -> Option<String> {
    let messages = diagnostics::parse(stderr);
    let message = messages
        .iter()
        .map(|message| message.message.as_str())
        .find(|message| message.contains(METHOD))?;
    if message.contains("ambiguous numeric type") {
        let kind = if message.contains("{float}") {
            "f64"
        } else {
            "i32"
        };
        return Some(kind.to_owned());
    }
    let (_, rest) = message.split_once(" found for ")?;
    let (_, rest) = rest.split_once('`')?;
    let (type_name, _) = rest.rsplit_once('`')?;
    Some(
        type_name
            .replace("{integer}", "i32")
            .replace("{float}", "f64"),
    )
}
