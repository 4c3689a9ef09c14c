//! Lines at the start of a cell that are for the kernel: `:vars`, `:dep rand`, `!ls`.

use super::frame::{Bundle, Event};
use super::variables::variables_table;
use super::{CellFailure, Evaluator, Output};

/// A command: how it is typed, what it does.
struct Entry {
    name: &'static str,
    arguments: &'static str,
    help: &'static str,
}

const fn entry(name: &'static str, arguments: &'static str, help: &'static str) -> Entry {
    Entry {
        name,
        arguments,
        help,
    }
}

const COMMANDS: [Entry; 24] = [
    entry(
        ":vars",
        "",
        "the variables of this session: type, size, shape",
    ),
    entry(":type", "NAME", "the type of a variable (also :t)"),
    entry(":doc", "NAME", "signature and documentation of a name"),
    entry(
        ":explain",
        "[CODE]",
        "what the compiler has to say about the last error, or about E0382",
    ),
    entry(
        ":dep",
        "CRATE",
        "add a crate: :dep rand, or a line as in Cargo.toml",
    ),
    entry(":show_deps", "", "the crates that :dep has added"),
    entry(":offline", "0|1", "whether :dep may use the network"),
    entry(
        ":build_env",
        "NAME=VALUE",
        "set an environment variable for building :dep crates",
    ),
    entry(
        ":replay",
        "",
        "after a crash: run the cells again that made what was lost",
    ),
    entry(
        ":timing",
        "",
        "say after each cell where its time went; again to stop",
    ),
    entry(
        ":opt",
        "[0|1|2|3]",
        "how much cells are optimised; 0, the default, compiles fastest",
    ),
    entry(":fmt", "{:?}|{:#?}", "how results are written"),
    entry(":efmt", "{}|{:?}|{:#?}", "how errors of ? are written"),
    entry(":types", "", "show the type of each result; again to stop"),
    entry(
        ":env",
        "NAME=VALUE",
        "set an environment variable for cells",
    ),
    entry(
        ":clear",
        "",
        "forget all variables, items, imports and crates",
    ),
    entry(
        ":restart",
        "",
        "a new process for cells: forgets the variables, keeps items and imports",
    ),
    entry(":version", "", "the versions of kernel and compiler"),
    entry(
        ":last_compile_dir",
        "",
        "the folder of this session's compiled cells",
    ),
    entry(
        ":last_error_json",
        "",
        "the compiler's last errors, as JSON",
    ),
    entry(":quit", "", "how to stop the kernel"),
    entry(
        ":evcxr",
        "[CODE]",
        "run this cell in evcxr, with variables and crates of its own",
    ),
    entry("!", "COMMAND", "run a command in the shell"),
    entry(":help", "", "this list"),
];

/// Commands of evcxr that change nothing here, and why.
const WITHOUT_EFFECT: [(&str, &str); 11] = [
    (
        ":preserve_vars_on_panic",
        "a panic keeps all variables, always",
    ),
    (":sccache", "crates of :dep are compiled once and kept"),
    (":cache", "crates of :dep are compiled once and kept"),
    (
        ":clear_cache",
        "crates of :dep are compiled once and kept; headwater doctor says where",
    ),
    (
        ":linker",
        "cells are linked by rust-lld against stand-ins, in about 12 ms",
    ),
    (
        ":codegen_backend",
        "cells are compiled by the backend that built the prelude",
    ),
    (
        ":allow_static_linking",
        "crates of :dep are always in one shared object",
    ),
    (
        ":toolchain",
        "cells need the compiler that built the prelude; headwater install builds it with another",
    ),
    (":load_config", "there is no configuration file"),
    (
        ":internal_debug",
        ":timing and :last_compile_dir show what there is",
    ),
    (":time_passes", ":timing shows the calls of the compiler"),
];

/// A cell's lines for the kernel, and the rest of it.
#[derive(Debug, PartialEq, Eq)]
pub struct Lines<'cell> {
    pub commands: Vec<&'cell str>,
    /// The cell with those lines blanked out, so that everything else stands where it was typed.
    pub rest: String,
}

impl Lines<'_> {
    /// Takes the lines at the start that begin with `:name` or `!`; blank lines and comments may
    /// stand between them.
    pub fn parse(code: &str) -> Lines<'_> {
        let mut commands = Vec::new();
        let mut rest = String::with_capacity(code.len());
        let mut lines = code.split_inclusive('\n');
        for line in lines.by_ref() {
            let text = line.trim();
            let is_command = text.starts_with('!') && text.len() > 1
                || text.strip_prefix(':').is_some_and(|name| {
                    name.starts_with(|first: char| first.is_ascii_alphabetic())
                });
            if is_command {
                commands.push(text);
                rest.extend(line.chars().map(|next| match next {
                    '\n' => '\n',
                    _ => ' ',
                }));
            } else {
                rest.push_str(line);
                if !text.is_empty() && !text.starts_with("//") {
                    break;
                }
            }
        }
        lines.for_each(|line| rest.push_str(line));
        if commands.is_empty() {
            return Lines {
                commands,
                rest: code.to_owned(),
            };
        }
        Lines { commands, rest }
    }
}

/// Returns the code that a cell wants evcxr to run, if it does.
pub fn code_for_evcxr(code: &str) -> Option<&str> {
    code.trim_start()
        .strip_prefix(":evcxr")
        .filter(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))
        .map(str::trim)
}

/// Returns the commands that start with a colon, and what each does.
pub fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    COMMANDS
        .iter()
        .map(|entry| (entry.name, entry.help))
        .filter(|(name, _)| name.starts_with(':'))
}

impl Evaluator {
    /// Answers the commands of a cell. All `:dep` lines are resolved together.
    pub(super) fn commands(&mut self, cell: u64, lines: &[&str]) -> Result<(), CellFailure> {
        let asked = lines.iter().filter_map(|line| argument(line, ":dep"));
        let dependencies: Vec<&str> = asked.collect();
        let mut has_resolved = dependencies.is_empty();
        for line in lines {
            if let Some(command) = line.strip_prefix('!') {
                self.shell(cell, command.trim())?;
            } else if argument(line, ":dep").is_none() {
                let shown = self.command(cell, line)?;
                self.show(cell, shown);
            } else if !has_resolved {
                has_resolved = true;
                for words in self.add_dependencies(cell, &dependencies)? {
                    self.say(cell, words + "\n");
                }
            }
        }
        Ok(())
    }

    fn show(&self, cell: u64, data: Bundle) {
        (self.sink)(cell, Output::Frame(Event::Result { data }));
    }

    fn command(&mut self, cell: u64, line: &str) -> Result<Bundle, CellFailure> {
        let (name, argument) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let argument = argument.trim();
        let text = match name {
            ":vars" => return Ok(variables_table(&self.completer.variables())),
            ":help" => help(),
            ":type" | ":t" => self.type_of(argument)?,
            ":doc" => self.documentation(argument)?,
            ":explain" => self.explain(argument)?,
            ":replay" => self.replay(cell)?,
            ":version" => self.versions(),
            ":clear" => self.clear(),
            ":restart" => self.restart_child()?,
            ":show_deps" => self.shown_dependencies(),
            ":last_compile_dir" => self.compiler.folder().display().to_string(),
            ":last_error_json" => self.last_errors(),
            ":quit" => "close the notebook's kernel in the front end; in jupyter console: Ctrl-D"
                .to_owned(),
            _ => match WITHOUT_EFFECT.iter().find(|(known, _)| *known == name) {
                Some((name, reason)) => format!("{name} changes nothing here: {reason}"),
                None => self.set(name, argument)?,
            },
        };
        Ok([("text/plain".to_owned(), text)].into())
    }
}

/// Returns what stands after the command `name` where `line` is that command.
fn argument<'line>(line: &'line str, name: &str) -> Option<&'line str> {
    line.strip_prefix(name)
        .filter(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))
        .map(str::trim)
}

/// Returns the error for a command that does not exist.
pub(super) fn unknown(name: &str) -> CellFailure {
    let have: Vec<&str> = all().map(|(name, _)| name).collect();
    let text = format!(
        "no command `{name}`\n  have: {}\n  try:  :help",
        have.join(" ")
    );
    CellFailure::plain("UnknownCommand", text)
}

/// Returns the error for an argument that a command does not take.
pub(super) fn wrong_argument(name: &str, argument: &str) -> CellFailure {
    let known = COMMANDS.iter().find(|entry| entry.name == name);
    let takes = known.map_or("", |entry| entry.arguments);
    let text = format!("{name} does not take `{argument}`\n  try:  {name} {takes}");
    CellFailure::plain("WrongArgument", text)
}

fn help() -> String {
    let width = COMMANDS
        .iter()
        .map(|entry| entry.name.len() + entry.arguments.len() + 1)
        .max()
        .unwrap_or(0);
    let lines = COMMANDS.iter().map(|entry| {
        let typed = format!("{} {}", entry.name, entry.arguments);
        format!("{typed:width$}  {}", entry.help)
    });
    let mut text = lines.collect::<Vec<_>>().join("\n");
    text.push_str("\n\nCommands of evcxr that change nothing here; each says why:\n");
    text.push_str(&wrapped(WITHOUT_EFFECT.iter().map(|(name, _)| *name), "\n"));
    text
}

/// Joins words by spaces, with `break_` in place of one where a line gets long.
fn wrapped<'word>(words: impl Iterator<Item = &'word str>, break_: &str) -> String {
    const WIDTH: usize = 72;
    let (mut text, mut width) = (String::new(), 0);
    for word in words {
        if width + word.len() > WIDTH {
            text.push_str(break_);
            width = 0;
        } else if width > 0 {
            text.push(' ');
        }
        text.push_str(word);
        width += word.len() + 1;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_stand_before_the_code_and_leave_it_in_its_place() {
        let code = "// first\n:dep rand\n\n!ls -l\nlet a = 1;\n:vars";
        let lines = Lines::parse(code);
        assert_eq!(lines.commands, [":dep rand", "!ls -l"]);
        assert_eq!(lines.rest.len(), code.len());
        assert_eq!(lines.rest.find("let a"), code.find("let a"));
    }

    #[test]
    fn code_is_no_command() {
        for code in [
            "::std::mem::drop(1)",
            "let a = 1;\n:vars",
            "!true",
            "// :vars",
        ] {
            let lines = Lines::parse(code);
            let expected: &[&str] = if code == "!true" { &["!true"] } else { &[] };
            assert_eq!(lines.commands, expected, "{code}");
        }
    }

    #[test]
    fn only_the_word_evcxr_asks_for_evcxr() {
        assert_eq!(code_for_evcxr(":evcxr 1 + 1"), Some("1 + 1"));
        assert_eq!(code_for_evcxr(":evcxrs"), None);
        assert_eq!(code_for_evcxr(":dep rand"), None);
    }
}
