//! Completes and explains names, from the library's index, the session's definitions, and the
//! types that the compiler tells.
//!
//! - [`tokens`] and [`place`] find out what the cursor stands at, in code that need not parse
//! - [`names`] are what an expression starts with, [`candidate`] sorts out what fits
//! - [`own`] is what the person has defined, [`members`] what a type offers
//! - [`follow`] reads the type of an expression off signatures, [`probe`] asks rustc for it,
//!   [`columns`] offers names of columns
//! - [`inspect`] explains one name
//!
//! All of it runs on the thread of the request, never on that of a cell.

mod candidate;
mod columns;
mod follow;
mod inspect;
mod members;
mod names;
mod own;
mod place;
mod probe;
mod snippets;
mod tokens;

use std::collections::HashSet;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, RwLock};

use super::dependency::Library as Added;
use super::index::{Found, Index, Kind, Name};
use super::protocol::Described;
use super::session::Session;
use super::toolchain::Toolchain;
use super::variables::{VariableInfo, updated};
use candidate::fitting;
use members::Members;
use own::Own;
use place::{Place, byte_of, word_at};
use probe::Prober;
use tokens::Tokens;

pub use candidate::Candidate;
pub use inspect::Inspection;

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
    /// The crates that `:dep` has added.
    added: Option<Added>,
    variables: Vec<VariableInfo>,
}

/// What could stand in the place of the characters from `start` to `end`.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Completions {
    pub start: usize,
    pub end: usize,
    pub matches: Vec<Candidate>,
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
    pub(super) fn learn(
        &self,
        session: &Session,
        described: Vec<Described>,
        added: Option<&Added>,
    ) {
        let mut known = self.known.write().expect("no panic under this lock");
        known.variables = updated(&known.variables, session, described);
        known.session = Arc::new(session.clone());
        known.added = added.cloned();
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
            Place::Column { callee } => {
                // A column's name may hold spaces and signs: it starts where the text starts.
                let tokens = Tokens::before(code, at);
                let start = tokens.open_text.map_or(start, |open| open + 1);
                let matches = match callee.as_str() {
                    "dataset" => datasets(),
                    _ => question.columns(),
                };
                (start, matches)
            }
            Place::Nothing => (start, Vec::new()),
            _ if word.starts_with(|next: char| next.is_ascii_digit()) => (start, Vec::new()),
            Place::Member(receiver) => (start, question.members(receiver)),
            Place::Path(path) => {
                let own = question.without_self(&path, start);
                (start, question.inside(own.as_deref().unwrap_or(&path)))
            }
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
            .get_or_init(|| read_behind_cells(&self.library.prelude));
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

    /// Returns the type of the expression at `range`: a variable's is known, signatures tell that
    /// of a plain chain of calls, and the compiler any other.
    fn type_of(&self, range: Range<usize>) -> Option<String> {
        let text = &self.code[range.clone()];
        let is_new = || self.locals(range.start).iter().any(|name| name == text);
        if let Some(variable) = self.variable(text)
            && !is_new()
        {
            return Some(variable.full_type.clone());
        }
        self.followed(range.clone()).or_else(|| self.probe(range))
    }

    fn probe(&self, range: Range<usize>) -> Option<String> {
        let Known { session, added, .. } = &self.known;
        self.prober
            .type_of(session, added.as_ref(), self.code, range)
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
        if found.is_empty() {
            // A type parameter, or a type of a crate that the index does not hold.
            return self.all_methods();
        }
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

    /// Where no type is known: methods that the library, the traits in scope and the person
    /// have, by name only.
    fn all_methods(&self) -> Vec<Candidate> {
        let own = self.own.types.iter().flat_map(|known| &known.members);
        let own = own.filter(|member| matches!(member.kind, Kind::Method | Kind::Field));
        let own = own
            .map(|member| Candidate::new(&member.name, member.kind.word(), &member.signature, 0));
        let library = self.index.types.iter().filter(|known| {
            let is_trait = known.kind == Kind::Trait && self.traits.contains(&known.name);
            known.module.starts_with("headwater") || is_trait && known.module.starts_with("std")
        });
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
}

/// Reads the index on a thread of low priority: a cell that is started meanwhile goes first.
fn read_behind_cells(prelude: &Path) -> Index {
    std::thread::scope(|scope| {
        let read = scope.spawn(|| {
            probe::give_way();
            Index::read(prelude)
        });
        read.join().expect("reading files does not panic")
    })
}

/// The data sets that `dataset("` finds.
fn datasets() -> Vec<Candidate> {
    let clone = || Some(crate::setup::prelude::workspace()?.join("datasets"));
    let folder = std::env::var_os(crate::setup::DATASETS_ENV)
        .map(PathBuf::from)
        .or_else(clone);
    let entries = folder.and_then(|folder| std::fs::read_dir(folder).ok());
    let folders = entries.into_iter().flatten().flatten();
    folders
        .filter(|entry| entry.path().is_dir())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .map(|name| Candidate::new(name, "property", "a data set", 0))
        .collect()
}

fn commands() -> Vec<Candidate> {
    super::command::all()
        .map(|(name, what)| Candidate::new(name, "command", what, 0))
        .collect()
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
