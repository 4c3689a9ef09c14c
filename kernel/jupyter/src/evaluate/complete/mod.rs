//! Completes and explains names, from the library's index, the session's definitions, and the
//! types that the compiler tells.
//!
//! - [`tokens`] and [`place`] find out what the cursor stands at, in code that need not parse
//! - [`own`] is what the person has defined, [`members`] what a type offers
//! - [`probe`] asks rustc for the type of an expression, [`columns`] offers names of columns
//! - [`inspect`] explains one name
//!
//! All of it runs on the thread of the request, never on that of a cell.

mod columns;
mod inspect;
mod members;
mod own;
mod place;
mod probe;
mod snippets;
mod tokens;

use std::collections::HashSet;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock, RwLock};

use super::index::{Found, Index, Kind, Name, Text};
use super::protocol::Described;
use super::session::Session;
use super::toolchain::Toolchain;
use super::variables::{VariableInfo, updated};
use members::Members;
use own::Own;
use place::{Place, byte_of, word_at};
use probe::Prober;
use tokens::Tokens;

pub use inspect::Inspection;

const KEYWORDS: [&str; 33] = [
    "as", "async", "await", "break", "const", "continue", "crate", "dyn", "else", "enum", "extern",
    "false", "fn", "for", "if", "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub",
    "return", "static", "struct", "trait", "true", "type", "unsafe", "use", "while",
];

const DERIVES: [&str; 9] = [
    "Clone",
    "Copy",
    "Debug",
    "Default",
    "Eq",
    "Hash",
    "Ord",
    "PartialEq",
    "PartialOrd",
];

/// More matches than this help nobody.
const MATCHES: usize = 400;

/// Answers from any thread while a cell runs.
#[derive(Clone)]
pub struct Completer {
    library: Arc<Library>,
    /// Replaced after each cell, read by requests; held only while copying, so a std lock.
    known: Arc<RwLock<Known>>,
}

/// What does not change.
struct Library {
    prelude: PathBuf,
    /// Read at the first question.
    index: OnceLock<Index>,
    prober: Arc<Prober>,
}

#[derive(Default, Clone)]
struct Known {
    session: Arc<Session>,
    variables: Vec<VariableInfo>,
}

/// What could stand in the place of the characters from `start` to `end`.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Completions {
    pub start: usize,
    pub end: usize,
    pub matches: Vec<Candidate>,
}

/// One way to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    pub text: String,
    /// `method`, `module`: front ends choose an icon by it.
    pub kind: &'static str,
    pub signature: String,
    /// Nearer ones come first.
    rank: u8,
    /// The library's text, whose signature is read only if this fits.
    library: Option<Text>,
}

impl Candidate {
    fn new(
        text: impl Into<String>,
        kind: &'static str,
        signature: impl Into<String>,
        rank: u8,
    ) -> Candidate {
        Candidate {
            text: text.into(),
            kind,
            signature: signature.into(),
            rank,
            library: None,
        }
    }

    fn of_library(text: impl Into<String>, kind: Kind, library: Text, rank: u8) -> Candidate {
        Candidate {
            library: Some(library),
            ..Candidate::new(text, kind.word(), "", rank)
        }
    }
}

impl Completer {
    /// `folder` is for the files of questions to the compiler.
    pub(super) fn new(prelude: PathBuf, toolchain: Toolchain, folder: PathBuf) -> Completer {
        let library = Library {
            prelude,
            index: OnceLock::new(),
            prober: Prober::new(toolchain, folder),
        };
        Completer {
            library: Arc::new(library),
            known: Arc::default(),
        }
    }

    /// Takes in what a cell has defined, and what the child said of the variables it touched.
    pub(super) fn learn(&self, session: &Session, described: Vec<Described>) {
        let mut known = self.known.write().expect("no panic under this lock");
        known.variables = updated(&known.variables, session, described);
        known.session = Arc::new(session.clone());
    }

    /// Returns what is known of each variable of the session, in order of name. Any thread may
    /// ask, also while a cell runs; then it is what held before that cell.
    pub fn variables(&self) -> Vec<VariableInfo> {
        self.known().variables
    }

    /// Returns what the word before `cursor` (in characters) may become.
    pub fn complete(&self, code: &str, cursor: usize) -> Completions {
        let at = byte_of(code, cursor);
        let start = word_at(code, at).start;
        let word = &code[start..at];
        let question = self.ask(code);
        let (start, matches) = match Place::of(code, start) {
            Place::Command => (start - 1, commands()),
            Place::Column { .. } => {
                // A column's name may hold spaces and signs: it starts where the text starts.
                let tokens = Tokens::before(code, at);
                let start = tokens.open_text.map_or(start, |open| open + 1);
                (start, question.columns())
            }
            Place::Nothing => (start, Vec::new()),
            _ if word.starts_with(|next: char| next.is_ascii_digit()) => (start, Vec::new()),
            Place::Member(receiver) => (start, question.members(receiver)),
            Place::Path(path) => (start, question.inside(&path)),
            Place::Name => (start, question.names(start)),
        };
        let mut matches = fitting(matches, &code[start..at]);
        for candidate in &mut matches {
            if let Some(text) = candidate.library {
                candidate.signature = question.index.signature(text);
            }
        }
        Completions {
            start: code[..start].chars().count(),
            end: code[..at].chars().count(),
            matches,
        }
    }

    /// Returns type, signature and documentation of the name at `cursor` (in characters), or of
    /// the function whose arguments it stands in. With `detail`, what the person defined comes
    /// with its source.
    pub fn inspect(&self, code: &str, cursor: usize, detail: bool) -> Option<Inspection> {
        self.ask(code).inspect(byte_of(code, cursor), detail)
    }

    fn known(&self) -> Known {
        self.known.read().expect("no panic under this lock").clone()
    }

    fn ask<'a>(&'a self, code: &'a str) -> Question<'a> {
        let known = self.known();
        let index = self
            .library
            .index
            .get_or_init(|| Index::read(&self.library.prelude));
        let own = Own::of(&known.session, code);
        let traits = traits_in_scope(index, &own, &known.session);
        Question {
            code,
            known,
            index,
            own,
            traits,
            prober: &self.library.prober,
        }
    }
}

/// One request, with all that it is answered from.
struct Question<'a> {
    code: &'a str,
    known: Known,
    index: &'a Index,
    own: Own,
    /// Traits whose methods can be called without a `use` line.
    traits: HashSet<String>,
    prober: &'a Prober,
}

impl Question<'_> {
    fn lookup(&self) -> Members<'_> {
        Members {
            index: self.index,
            own: &self.own,
            traits: &self.traits,
        }
    }

    /// Returns the type of the expression at `range`: a variable's is known, any other the
    /// compiler tells.
    fn type_of(&self, range: Range<usize>) -> Option<String> {
        let text = &self.code[range.clone()];
        let is_new = || self.locals(range.start).iter().any(|name| name == text);
        if let Some(variable) = self.variable(text)
            && !is_new()
        {
            return Some(variable.full_type.clone());
        }
        self.prober.type_of(&self.known.session, self.code, range)
    }

    fn variable(&self, name: &str) -> Option<&VariableInfo> {
        self.known
            .variables
            .iter()
            .find(|variable| variable.name == name)
    }

    fn members(&self, receiver: Range<usize>) -> Vec<Candidate> {
        let Some(type_name) = self.type_of(receiver) else {
            return self.all_methods();
        };
        let found = self.lookup().of_value(&type_name);
        let mut matches: Vec<Candidate> = found
            .into_iter()
            .map(|(rank, of)| of.candidate(rank))
            .collect();
        matches.extend(snippets::for_type(own::head_of(&type_name)));
        if self.is_future(&type_name) {
            matches.push(Candidate::new("await", "keyword", "", 0));
        }
        matches
    }

    fn is_future(&self, type_name: &str) -> bool {
        let path = type_name.split('<').next().unwrap_or(type_name);
        let known = self.index.type_named(own::head_of(type_name), path);
        type_name.contains("Future")
            || known.is_some_and(|known| known.traits.iter().any(|name| name == "Future"))
    }

    /// Where no type is known: methods that the library and the person have, by name only.
    fn all_methods(&self) -> Vec<Candidate> {
        let own = self.own.types.iter().flat_map(|known| &known.members);
        let own = own.filter(|member| matches!(member.kind, Kind::Method | Kind::Field));
        let own = own
            .map(|member| Candidate::new(&member.name, member.kind.word(), &member.signature, 0));
        let library = self
            .index
            .types
            .iter()
            .filter(|known| known.module.starts_with("headwater"));
        let methods = library
            .flat_map(|known| &known.members)
            .filter(|member| member.kind == Kind::Method);
        let methods =
            methods.map(|member| Candidate::of_library(&member.name, member.kind, member.text, 1));
        own.chain(methods).collect()
    }

    /// What stands behind `path::`.
    fn inside(&self, path: &str) -> Vec<Candidate> {
        if path.is_empty() {
            let roots = self.index.roots();
            return roots
                .map(|root| Candidate::new(root, "module", "", 0))
                .collect();
        }
        let own_module = path
            .trim_start_matches("crate::")
            .trim_start_matches("self::");
        let inner: Vec<Candidate> = self
            .own
            .names
            .iter()
            .filter(|name| name.module == own_module && !own_module.is_empty())
            .map(|name| Candidate::new(&name.name, name.kind.word(), &name.signature, 0))
            .collect();
        if !inner.is_empty() {
            return inner;
        }
        let full = self.full_path(path);
        if let Some(Found::Module(module)) = self.index.find(&full) {
            let names = self.index.modules.get(module).into_iter().flatten();
            return names.map(|name| self.candidate(name, 0)).collect();
        }
        let found = self.lookup().of_type(own::head_of(path), &full);
        found
            .into_iter()
            .map(|(rank, of)| of.candidate(rank))
            .collect()
    }

    /// Resolves the first part of a path by the session's `use` lines.
    fn full_path(&self, path: &str) -> String {
        let (first, rest) = match path.split_once("::") {
            Some((first, rest)) => (first, format!("::{rest}")),
            None => (path, String::new()),
        };
        let used = self.uses().into_iter().find(|(name, _)| name == first);
        let full = match used {
            Some((_, target)) => format!("{target}{rest}"),
            None => path.to_owned(),
        };
        match full.strip_prefix("headwater::") {
            // The prelude crate re-exports the crates, two of them under shorter names.
            Some(inner) if inner.starts_with("streams") || inner.starts_with("course") => {
                format!("headwater_{inner}")
            }
            Some(inner) => inner.to_owned(),
            None => full,
        }
    }

    /// The names that `use` lines bring in, with their paths; also those of this cell.
    fn uses(&self) -> Vec<(String, String)> {
        let kept = self.known.session.uses.iter().map(|kept| kept.line.clone());
        let here = self.code.split([';', '\n']).filter_map(|line| {
            let tree = line.trim().strip_prefix("use ")?;
            let tree: syn::UseTree = syn::parse_str(tree).ok()?;
            Some(super::uses::lines(&tree, &(0..0)))
        });
        let lines: Vec<_> = here.flatten().chain(kept).collect();
        let path = |text: &str| {
            let text = text
                .trim_start_matches("use ")
                .trim_end_matches(';')
                .to_owned();
            text.split(" as ").next().unwrap_or_default().to_owned()
        };
        lines
            .iter()
            .map(|line| (line.key.clone(), path(&line.text)))
            .collect()
    }

    /// What can stand at the start of an expression.
    fn names(&self, start: usize) -> Vec<Candidate> {
        let tokens = Tokens::before(self.code, start);
        if tokens.is_in_derive() {
            let names = ["Serialize", "Deserialize"].iter().chain(&DERIVES);
            return names
                .map(|name| Candidate::new(*name, "macro", "", 0))
                .collect();
        }
        let mut matches = self.fields_of_literal(&tokens);
        let locals = self.locals(start).into_iter();
        matches.extend(locals.map(|name| Candidate::new(name, "variable", "", 0)));
        matches.extend(
            self.known
                .variables
                .iter()
                .map(|variable| Candidate::new(&variable.name, "variable", &variable.type_name, 0)),
        );
        let own = self.own.names.iter().filter(|name| name.module.is_empty());
        matches.extend(own.map(|name| {
            Candidate::new(
                called(&name.name, name.kind),
                name.kind.word(),
                &name.signature,
                0,
            )
        }));
        for (name, path) in self.uses() {
            if let Some(Found::Name(known)) = self.index.find(&path) {
                let mut candidate = self.candidate(known, 0);
                candidate.text = name;
                matches.push(candidate);
            }
        }
        matches.extend(self.index.scope().map(|name| self.candidate(name, 1)));
        matches.extend(
            self.index
                .roots()
                .map(|root| Candidate::new(root, "module", "", 2)),
        );
        matches.extend(KEYWORDS.map(|word| Candidate::new(word, "keyword", "", 3)));
        // A type that no `use` line has brought in is offered by its path.
        let word = &self.code[start..word_at(self.code, start).end];
        if word.starts_with(char::is_uppercase) {
            let types = self.index.std_types(word).into_iter();
            matches.extend(
                types.map(|(path, name)| Candidate::of_library(path, name.kind, name.text, 4)),
            );
        }
        matches
    }

    /// In `Trip { fare: 1.0, ` the fields of `Trip`.
    fn fields_of_literal(&self, tokens: &Tokens<'_>) -> Vec<Candidate> {
        let open = tokens.open_brackets().pop();
        let owner = open
            .filter(|open| *open > 0 && tokens.all[*open].is("{"))
            .and_then(|open| self.own.type_named(tokens.all[open - 1].text));
        let members = owner.into_iter().flat_map(|owner| &owner.members);
        let fields = members.filter(|member| member.kind == Kind::Field);
        fields
            .map(|field| Candidate::new(&field.name, "field", &field.signature, 0))
            .collect()
    }

    fn candidate(&self, name: &Name, rank: u8) -> Candidate {
        Candidate::of_library(called(&name.name, name.kind), name.kind, name.text, rank)
    }

    /// Names that the cell itself binds before byte `start`: `let`, arguments, loops, closures.
    fn locals(&self, start: usize) -> Vec<String> {
        let tokens = Tokens::before(self.code, start);
        let mut names: Vec<String> = Vec::new();
        let (mut in_let, mut in_closure) = (false, false);
        for (at, token) in tokens.all.iter().enumerate() {
            let next = tokens.all.get(at + 1);
            match token.text {
                "let" | "for" => in_let = true,
                "=" | "in" | ";" | "{" => in_let = false,
                // The first bar of a closure stands where a value may start.
                "|" => {
                    let opens = at == 0
                        || ["(", ",", "=", "move", "{", ";", "=>"]
                            .contains(&tokens.all[at - 1].text);
                    in_closure = opens && !in_closure;
                }
                _ => {
                    let is_argument = next.is_some_and(|next| next.is(":"));
                    let follows_colon = at > 0 && tokens.all[at - 1].is(":");
                    let is_value = token.is_name()
                        && token
                            .text
                            .starts_with(|first: char| first.is_lowercase() || first == '_')
                        && !KEYWORDS.contains(&token.text)
                        && !follows_colon;
                    if is_value && (in_let || in_closure || is_argument) {
                        names.push(token.text.to_owned());
                    }
                }
            }
        }
        names.sort();
        names.dedup();
        names
    }
}

fn commands() -> Vec<Candidate> {
    super::command::all()
        .map(|(name, what)| Candidate::new(name, "command", what, 0))
        .collect()
}

/// A macro is called with its `!`.
fn called(name: &str, kind: Kind) -> String {
    if kind == Kind::Macro {
        format!("{name}!")
    } else {
        name.to_owned()
    }
}

/// Keeps what starts with the word; only if nothing does, what starts with it in other case or
/// holds it.
fn fitting(mut all: Vec<Candidate>, word: &str) -> Vec<Candidate> {
    // What starts with an underscore is meant for others.
    all.retain(|candidate| word.starts_with('_') || !candidate.text.starts_with('_'));
    all.sort_by(|a, b| (a.rank, &a.text).cmp(&(b.rank, &b.text)));
    let mut seen = HashSet::new();
    all.retain(|candidate| seen.insert(candidate.text.clone()));
    let lower = word.to_lowercase();
    let last = |text: &str| text.rsplit("::").next().unwrap_or_default().to_owned();
    let ways: [&dyn Fn(&str) -> bool; 3] = [
        &|text| text.starts_with(word) || last(text).starts_with(word) && !text.contains('('),
        &|text| text.to_lowercase().starts_with(&lower),
        &|text| word.len() > 1 && text.to_lowercase().contains(&lower),
    ];
    for way in ways {
        let found: Vec<Candidate> = all
            .iter()
            .filter(|candidate| way(&candidate.text))
            .take(MATCHES)
            .cloned()
            .collect();
        if !found.is_empty() {
            return found;
        }
    }
    Vec::new()
}

fn traits_in_scope(index: &Index, own: &Own, session: &Session) -> HashSet<String> {
    let is_trait = |name: &&Name| name.kind == Kind::Trait;
    let mut names: HashSet<String> = index
        .scope()
        .filter(is_trait)
        .map(|name| name.name.clone())
        .collect();
    let own = own.names.iter().filter(|name| name.kind == Kind::Trait);
    names.extend(own.map(|name| name.name.clone()));
    for kept in &session.uses {
        match kept.line.key.strip_suffix("::*") {
            Some(module) => {
                let inner = index.modules.get(module).into_iter().flatten();
                names.extend(inner.filter(is_trait).map(|name| name.name.clone()));
            }
            None => drop(names.insert(kept.line.key.clone())),
        }
    }
    names
}
