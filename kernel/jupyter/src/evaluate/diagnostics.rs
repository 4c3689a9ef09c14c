//! Reads the compiler's messages and shows them in the words of the cell as typed.

use std::ops::Range;

use ariadne::{CharSet, Config, IndexType, Label, Report, ReportKind};
use serde::{Deserialize, Serialize};

use super::CellFailure;
use super::ink::{self, BLUE, RED, RESET};
use super::session::{Session, short_type};
use super::source::{Line, Program};

/// One message of the compiler (`rustc --error-format=json`).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Diagnostic {
    pub message: String,
    pub level: String,
    pub code: Option<Code>,
    pub spans: Vec<Span>,
    #[serde(default)]
    pub children: Vec<Diagnostic>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Code {
    pub code: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Span {
    pub byte_start: usize,
    pub byte_end: usize,
    pub line_start: u32,
    pub is_primary: bool,
    pub label: Option<String>,
    pub suggested_replacement: Option<String>,
    /// Where the macro call stands that this span comes from.
    pub expansion: Option<Box<Expansion>>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Expansion {
    pub span: Span,
}

impl Span {
    /// Returns the span in the program itself: inside a macro, that of the outermost call.
    fn in_program(&self) -> &Span {
        self.expansion
            .as_ref()
            .map_or(self, |expansion| expansion.span.in_program())
    }
}

impl Diagnostic {
    pub fn is_error(&self) -> bool {
        self.level.starts_with("error")
    }

    pub fn has_code(&self, codes: &[&str]) -> bool {
        self.code
            .as_ref()
            .is_some_and(|code| codes.contains(&code.code.as_str()))
    }

    /// Returns what the generated lines are for that this message points at, and what it says
    /// of each.
    pub fn generated<'a>(
        &'a self,
        program: &'a Program,
    ) -> impl Iterator<Item = (&'a Line, &'a str)> {
        self.spans.iter().filter_map(|span| {
            let line = program.line_kind(span.in_program().line_start)?;
            Some((line, span.label.as_deref().unwrap_or_default()))
        })
    }
}

/// Reads the messages, one JSON object a line; other lines are not messages.
pub fn parse(stderr: &str) -> Vec<Diagnostic> {
    stderr
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

/// Returns each new variable with its type, as the lint on `drop(&variable)` tells it.
pub fn types(diagnostics: &[Diagnostic], program: &Program) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for diagnostic in diagnostics
        .iter()
        .filter(|message| message.has_code(&["dropping_references"]))
    {
        for span in &diagnostic.spans {
            let Some(Line::TypeOf(name)) = program.line_kind(span.line_start) else {
                continue;
            };
            let label = span.label.as_deref().unwrap_or_default();
            let reference = label
                .strip_prefix("argument has type `&")
                .and_then(|rest| rest.strip_suffix('`'));
            if let Some(type_name) = reference {
                found.push((name.clone(), type_name.to_owned()));
            }
        }
    }
    found
}

/// Turns the errors into one failure that points into the cells they come from.
pub fn failure(diagnostics: &[Diagnostic], program: &Program, session: &Session) -> CellFailure {
    let diagnostics: Vec<_> = diagnostics
        .iter()
        .map(|message| shortened(message, session))
        .collect();
    let errors: Vec<_> = diagnostics
        .iter()
        .filter(|message| message.is_error() && !message.spans.is_empty())
        .collect();
    let mut traceback = Vec::new();
    for error in &errors {
        traceback.extend(render(error, program, session).lines().map(str::to_owned));
    }
    let first = errors
        .first()
        .copied()
        .or_else(|| diagnostics.iter().find(|message| message.is_error()));
    let mut evalue = first.map_or_else(
        || "the compiler gave no reason".to_owned(),
        |error| message_of(error, program).to_owned(),
    );
    if let Some(place) = first.and_then(|error| place_of(error, program, session)) {
        evalue.push_str(&format!(" ({place})"));
    }
    if traceback.is_empty() {
        traceback.push(evalue.clone());
    }
    if let Some(code) = first.and_then(|error| error.code.as_ref()) {
        traceback.push(format!("`:explain {}` says more", code.code));
    }
    CellFailure {
        ename: "CompileError".to_owned(),
        evalue,
        traceback,
    }
}

/// Returns the message with types as a person writes them. The compiler is asked for whole paths, for
/// the types of variables; what the person has typed as a path stays one.
fn shortened(message: &Diagnostic, session: &Session) -> Diagnostic {
    let short = |text: &str| {
        let typed = |part: &str| session.sources.values().any(|one| one.code.contains(part));
        let parts = text.split('`').enumerate().map(|(index, part)| {
            let has_type = part.contains("::") && part.contains(char::is_uppercase);
            match index % 2 == 1 && has_type && !typed(part) {
                true => short_type(part),
                false => part.to_owned(),
            }
        });
        parts.collect::<Vec<_>>().join("`")
    };
    let mut message = message.clone();
    message.message = short(&message.message);
    for span in &mut message.spans {
        span.label = span.label.as_deref().map(short);
    }
    let children = message.children.iter();
    message.children = children.map(|child| shortened(child, session)).collect();
    message
}

/// Returns what the compiler says, except about a bracket that stays open: it then meets one of the
/// generated lines' own, which the person has not typed and would look for in vain.
fn message_of<'a>(error: &'a Diagnostic, program: &Program) -> &'a str {
    const MISMATCHED: &str = "mismatched closing delimiter";
    let typed = error.spans.iter().any(|span| {
        span.label.as_deref() == Some(MISMATCHED) && locate(span.in_program(), program).is_some()
    });
    match error.message.starts_with(MISMATCHED) && !typed {
        true => "a bracket is opened and never closed",
        false => &error.message,
    }
}

fn place_of(error: &Diagnostic, program: &Program, session: &Session) -> Option<String> {
    let span = error
        .spans
        .iter()
        .find(|span| span.is_primary)?
        .in_program();
    let (cell, bytes) = locate(span, program)?;
    let source = session.sources.get(&cell)?;
    let line = source.code.get(..bytes.start)?.matches('\n').count() + 1;
    Some(format!("cell {}, line {line}", source.count))
}

/// Returns the cell and the bytes in it that a span points at.
fn locate(span: &Span, program: &Program) -> Option<(u64, Range<usize>)> {
    if let Some(Line::Use(cell, range)) = program.line_kind(span.line_start) {
        return Some((*cell, range.clone()));
    }
    program.origin(span.byte_start..span.byte_end)
}

fn render(error: &Diagnostic, program: &Program, session: &Session) -> String {
    let mut labels = Vec::new();
    let mut main = None;
    for span in &error.spans {
        let Some((cell, bytes)) = locate(span.in_program(), program) else {
            continue;
        };
        let Some(source) = session.sources.get(&cell) else {
            continue;
        };
        let id = format!("cell {}", source.count);
        let text = span.label.clone().unwrap_or_else(|| {
            if span.is_primary {
                "here".to_owned()
            } else {
                String::new()
            }
        });
        let color = if span.is_primary {
            ink::PRIMARY
        } else {
            ink::SECONDARY
        };
        if span.is_primary && main.is_none() {
            main = Some((id.clone(), bytes.clone()));
        }
        labels.push(Label::new((id, bytes)).with_message(text).with_color(color));
    }
    let Some(main) = main else {
        return without_place(error);
    };
    let config = Config::default()
        .with_index_type(IndexType::Byte)
        .with_char_set(CharSet::Unicode);
    let mut report = Report::build(ReportKind::Error, main)
        .with_config(config)
        .with_message(message_of(error, program))
        .with_labels(labels);
    if let Some(code) = &error.code {
        report = report.with_code(&code.code);
    }
    for child in &error.children {
        let text = child_text(child);
        if child.level == "help" {
            report.add_help(text)
        } else {
            report.add_note(text)
        }
    }
    let sources = session
        .sources
        .values()
        .map(|source| (format!("cell {}", source.count), source.code.clone()));
    let mut output = Vec::new();
    let cache = ariadne::sources(sources.collect::<Vec<_>>());
    match report.finish().write(cache, &mut output) {
        Ok(()) => ink::legible(&join_colours(&String::from_utf8_lossy(&output))),
        Err(_) => without_place(error),
    }
}

/// Joins runs of one colour: ariadne paints every character on its own.
fn join_colours(text: &str) -> String {
    let mut joined = String::with_capacity(text.len());
    let mut current = "";
    let mut rest = text;
    while let Some(at) = rest.find(RESET) {
        let (part, after) = (&rest[..at], &rest[at + RESET.len()..]);
        joined.push_str(
            part.strip_prefix(current)
                .filter(|_| !current.is_empty())
                .unwrap_or(part),
        );
        let start = part.rfind('\u{1b}').unwrap_or(0);
        let colour = part[start..]
            .find('m')
            .map_or("", |end| &part[start..=start + end]);
        let goes_on = !colour.is_empty() && after.starts_with(colour);
        current = if goes_on { colour } else { "" };
        if !goes_on {
            joined.push_str(RESET);
        }
        rest = after;
    }
    joined + rest
}

fn child_text(child: &Diagnostic) -> String {
    // A change in several places reads badly without the code around it.
    let single = (child.spans.len() == 1)
        .then(|| child.spans[0].suggested_replacement.as_deref())
        .flatten();
    match single
        .map(str::trim)
        .filter(|text| !text.is_empty() && !text.contains('\n'))
    {
        Some(text) => format!("{}: `{text}`", child.message),
        None => child.message.clone(),
    }
}

fn without_place(error: &Diagnostic) -> String {
    let code = error
        .code
        .as_ref()
        .map(|code| format!("[{}]", code.code))
        .unwrap_or_default();
    format!("{RED}error{code}{RESET}: {}\n", error.message)
}

/// Shows one line of a cell with a message below it, as for a panic or a failing `?`.
pub fn point_at(
    session: &Session,
    count: u32,
    line: usize,
    ename: &str,
    message: &str,
) -> Vec<String> {
    let source = session
        .sources
        .values()
        .find(|source| source.count == count);
    let text = source.and_then(|source| source.code.lines().nth(line.saturating_sub(1)));
    let mut traceback = vec![format!("{RED}{ename}{RESET} in cell {count}, line {line}")];
    if let Some(text) = text {
        traceback.push(format!("{BLUE}{line:>4} │{RESET} {text}"));
    }
    traceback.extend(message.lines().map(str::to_owned));
    traceback
}
