//! The public names that a cell can reach, with members, signatures and documentation.
//!
//! Written once beside the prelude from what rustdoc knows of the compiled crates ([`build`],
//! [`pages`]), so that macros, `cfg`s and re-exports are those of the very libraries that cells
//! link. Read at the first question, never before a cell: names stay in memory, signatures and
//! documentation in a file from which they are fetched one by one.

mod build;
mod html;
mod pages;

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use serde::{Deserialize, Serialize};

pub use build::write;

/// The file with names, in the prelude's folder.
pub const INDEX: &str = "index.json";
/// Changes with what the two files hold, so that a prelude with older ones is built anew.
pub const FORMAT: &str = "names and texts 1";
/// The file with signatures and documentation.
const TEXTS: &str = "index.txt";

/// Modules whose names every cell has in scope.
const SCOPE: [&str; 3] = [
    "headwater_streams::prelude",
    "headwater_course::prelude",
    "polars::prelude",
];
/// What the standard library brings into scope by itself.
const STD_SCOPE: [&str; 19] = [
    "std::boxed::Box",
    "std::clone::Clone",
    "std::convert::AsMut",
    "std::convert::AsRef",
    "std::convert::From",
    "std::convert::Into",
    "std::convert::TryFrom",
    "std::convert::TryInto",
    "std::default::Default",
    "std::iter::DoubleEndedIterator",
    "std::iter::ExactSizeIterator",
    "std::iter::Extend",
    "std::iter::FromIterator",
    "std::iter::IntoIterator",
    "std::iter::Iterator",
    "std::option::Option",
    "std::result::Result",
    "std::string::String",
    "std::vec::Vec",
];
/// Enums whose variants are in scope by themselves; rustdoc has no page for those.
const SCOPE_ENUMS: [&str; 4] = [
    "std::option::Option",
    "std::result::Result",
    "headwater_streams::OutputMode",
    "headwater_streams::Position",
];
const STD_TRAITS: [&str; 6] = [
    "std::string::ToString",
    "std::borrow::ToOwned",
    "std::cmp::PartialEq",
    "std::cmp::PartialOrd",
    "std::cmp::Ord",
    "std::ops::Drop",
];

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    Module,
    Struct,
    Enum,
    Union,
    Trait,
    TraitAlias,
    Type,
    Function,
    Macro,
    Derive,
    Constant,
    Static,
    Primitive,
    /// Takes `self`.
    Method,
    /// A function of a type without `self`.
    Associated,
    Field,
    Variant,
}

impl Kind {
    /// Returns the word that front ends choose an icon by.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Module => "module",
            Kind::Struct | Kind::Union | Kind::Primitive => "struct",
            Kind::Enum => "enum",
            Kind::Trait | Kind::TraitAlias => "interface",
            Kind::Type => "type",
            Kind::Function | Kind::Associated => "function",
            Kind::Macro | Kind::Derive => "macro",
            Kind::Constant | Kind::Static => "constant",
            Kind::Method => "method",
            Kind::Field => "field",
            Kind::Variant => "enum member",
        }
    }
}

/// Where signature and documentation stand in the file of texts.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    at: u32,
    signature: u32,
    doc: u32,
}

/// A name in a module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Name {
    pub name: String,
    pub kind: Kind,
    pub text: Text,
    /// Its place among [`Index::types`], where it has members.
    pub of: Option<u32>,
}

/// A type or trait with what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Type {
    pub name: String,
    /// The module it is named through: `std::vec`, `polars::prelude`; empty for built-in types.
    pub module: String,
    pub kind: Kind,
    pub text: Text,
    pub members: Vec<Member>,
    /// What it can be used as through `Deref`: `str` for `String`. `*` is its first parameter.
    pub derefs: Option<String>,
    /// The traits that it implements, by name.
    pub traits: Vec<String>,
}

/// A method, field, variant or constant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    pub name: String,
    pub kind: Kind,
    pub text: Text,
}

/// All public names, for completion and inspection.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Index {
    pub modules: BTreeMap<String, Vec<Name>>,
    pub types: Vec<Type>,
    #[serde(skip)]
    texts: Option<File>,
}

/// What a path leads to.
#[derive(Debug, Clone, Copy)]
pub enum Found<'a> {
    Module(&'a str),
    Name(&'a Name),
    Member(&'a Type, &'a Member),
}

impl Index {
    /// Reads the index of a prelude; without one, completion knows only the session's names.
    pub fn read(folder: &Path) -> Index {
        let read = std::fs::read(folder.join(INDEX))
            .and_then(|text| serde_json::from_slice(&text).map_err(std::io::Error::other));
        let mut index: Index = read.unwrap_or_else(|error| {
            eprintln!("headwater: completion knows no names of the libraries: {error}");
            Index::default()
        });
        index.texts = File::open(folder.join(TEXTS)).ok();
        index
    }

    /// Returns the signature behind a text.
    pub fn signature(&self, text: Text) -> String {
        self.slice(text.at, text.signature)
    }

    /// Returns the documentation behind a text, as Markdown.
    pub fn doc(&self, text: Text) -> String {
        self.slice(text.at + text.signature, text.doc)
    }

    fn slice(&self, at: u32, length: u32) -> String {
        let mut bytes = vec![0; length as usize];
        let read = self
            .texts
            .as_ref()
            .is_some_and(|file| file.read_exact_at(&mut bytes, u64::from(at)).is_ok());
        if read {
            String::from_utf8_lossy(&bytes).into_owned()
        } else {
            String::new()
        }
    }

    /// Returns the names that every cell has in scope.
    pub fn scope(&self) -> impl Iterator<Item = &Name> {
        let library = SCOPE
            .iter()
            .filter_map(|module| self.modules.get(*module))
            .flatten();
        let std = STD_SCOPE
            .iter()
            .chain(&STD_TRAITS)
            .filter_map(|path| self.name_at(path));
        let macros = self.modules.get("std").into_iter().flatten();
        let is_macro = |name: &&Name| matches!(name.kind, Kind::Macro | Kind::Primitive);
        library.chain(std).chain(macros.filter(is_macro))
    }

    /// Returns the variants that every cell has in scope, with their enums.
    pub fn variants(&self) -> impl Iterator<Item = (&Type, &Member)> {
        let enums = SCOPE_ENUMS
            .iter()
            .filter_map(|path| self.of(self.name_at(path)?));
        let members = enums.flat_map(|of| of.members.iter().map(move |member| (of, member)));
        members.filter(|(_, member)| member.kind == Kind::Variant)
    }

    /// Returns the crates that a path can start with.
    pub fn roots(&self) -> impl Iterator<Item = &str> {
        self.modules
            .keys()
            .filter(|path| !path.contains("::"))
            .map(String::as_str)
    }

    /// Returns the name at a full path.
    fn name_at(&self, path: &str) -> Option<&Name> {
        let (module, name) = path.rsplit_once("::")?;
        let names = self.modules.get(module)?;
        // A macro and a module may share a name; what has members comes first.
        let mut same = names.iter().filter(|known| known.name == name);
        let first = same.next()?;
        Some(same.find(|known| known.of.is_some()).unwrap_or(first))
    }

    /// Follows a path that starts at a crate, or at a name in scope.
    pub fn find(&self, path: &str) -> Option<Found<'_>> {
        if let Some((module, _)) = self.modules.get_key_value(path) {
            return Some(Found::Module(module));
        }
        if let Some(name) = self.name_at(path) {
            return Some(Found::Name(name));
        }
        let Some((owner, last)) = path.rsplit_once("::") else {
            let mut variants = self.variants();
            return match self.scope().find(|name| name.name == path) {
                Some(name) => Some(Found::Name(name)),
                None => variants
                    .find(|(_, member)| member.name == path)
                    .map(|(of, member)| Found::Member(of, member)),
            };
        };
        let Found::Name(owner) = self.find(owner)? else {
            return None;
        };
        let owner = self.of(owner)?;
        let member = owner.members.iter().find(|member| member.name == last)?;
        Some(Found::Member(owner, member))
    }

    /// Returns the type that a name stands for.
    pub fn of(&self, name: &Name) -> Option<&Type> {
        self.types.get(name.of? as usize)
    }

    /// Returns the type called `name`; of several, the one whose module is most like `path`.
    pub fn type_named(&self, name: &str, path: &str) -> Option<&Type> {
        if let Some(known) = self.name_at(path).and_then(|name| self.of(name)) {
            return Some(known);
        }
        let module = path.rsplit_once("::").map_or("", |(module, _)| module);
        let nearness = |known: &&Type| {
            let same = |a: &str, b: &str| usize::from(a == b && !a.is_empty());
            8 * same(root_of(&known.module), root_of(module))
                + 4 * same(&known.module, module)
                + 2 * same(last(&known.module), last(module))
                + usize::from(known.module.is_empty() && module.is_empty())
        };
        // Of equals the first one, which `max_by_key` would not give.
        let same = self.types.iter().rev().filter(|known| known.name == name);
        same.max_by_key(nearness)
    }

    /// Returns types and traits of the standard library whose name starts with `word`, each with
    /// the shortest of its paths.
    pub fn std_types(&self, word: &str) -> Vec<(String, &Name)> {
        let mut found: Vec<(String, &Name)> = Vec::new();
        let modules = self.modules.iter();
        for (module, names) in modules.filter(|(module, _)| module.starts_with("std::")) {
            let is_type = |name: &&Name| {
                matches!(name.kind, Kind::Struct | Kind::Enum | Kind::Trait)
                    && name.name.starts_with(word)
            };
            found.extend(
                names
                    .iter()
                    .filter(is_type)
                    .map(|name| (format!("{module}::{}", name.name), name)),
            );
        }
        found.sort_by_key(|(path, _)| path.len());
        let mut seen = HashSet::new();
        found.retain(|(_, name)| seen.insert((&name.name, name.of)));
        found
    }
}

fn last(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}

/// Returns the crate that re-exports what `path` starts with: Polars' parts are all `polars`.
fn root_of(path: &str) -> &str {
    let first = path.split("::").next().unwrap_or(path);
    match first {
        "core" | "alloc" => "std",
        "headwater" => "headwater_streams",
        _ if first.starts_with("polars_") => "polars",
        _ if first.starts_with("plotters_") => "plotters",
        _ => first,
    }
}
