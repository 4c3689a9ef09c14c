//! Which items and imports of earlier cells a cell can reach.
//!
//! The compiler reads every item anew in every cell, so a cell gets only those that its text, the
//! types of its variables and the items themselves mention. Where that turns out to be too few,
//! the program is written again with all of them.

use std::collections::BTreeSet;

use super::facts::{plain, words};
use super::session::{KeptItem, KeptUse, Session};

/// The items and imports, by their place in the session, that a program is written with.
#[derive(Debug, Default)]
pub struct Reach {
    items: BTreeSet<usize>,
    uses: BTreeSet<usize>,
    /// Some are left out.
    pub partial: bool,
}

impl Reach {
    /// Returns everything.
    pub fn whole(session: &Session) -> Reach {
        Reach {
            items: (0..session.items.len()).collect(),
            uses: (0..session.uses.len()).collect(),
            partial: false,
        }
    }

    /// Returns what cell `number` with these `texts` (its code, types of its variables) reaches.
    pub fn of(session: &Session, number: u64, texts: &[&str]) -> Reach {
        let owned: BTreeSet<String> = session.items.iter().filter_map(name_of).collect();
        let mut search = Search {
            session,
            number,
            owned,
            needed: texts.iter().flat_map(|text| words(text)).collect(),
            present: BTreeSet::new(),
            reach: Reach::default(),
        };
        while search.widen() {}
        let mut reach = search.reach;
        reach.partial = reach.items.len() < session.items.len();
        reach
    }

    pub fn items<'a>(&self, session: &'a Session) -> impl Iterator<Item = &'a KeptItem> {
        self.items.iter().map(|index| &session.items[*index])
    }

    pub fn uses<'a>(&self, session: &'a Session) -> impl Iterator<Item = &'a KeptUse> {
        self.uses.iter().map(|index| &session.uses[*index])
    }
}

struct Search<'a> {
    session: &'a Session,
    number: u64,
    /// Names of all items.
    owned: BTreeSet<String>,
    /// Words that the program has so far.
    needed: BTreeSet<String>,
    /// Names of the items that it has so far.
    present: BTreeSet<String>,
    reach: Reach,
}

impl Search<'_> {
    /// Takes in what the words so far lead to; returns whether there was something.
    fn widen(&mut self) -> bool {
        let before = (self.reach.items.len(), self.reach.uses.len());
        for (index, item) in self.session.items.iter().enumerate() {
            if !self.reach.items.contains(&index) && self.reaches(item) {
                self.reach.items.insert(index);
                self.needed.extend(item.facts.words.iter().cloned());
                self.present.extend(name_of(item));
            }
        }
        for (index, kept) in self.session.uses.iter().enumerate() {
            if !self.reach.uses.contains(&index) && self.imports(kept) {
                self.reach.uses.insert(index);
                self.needed.append(&mut words(&kept.line.text));
            }
        }
        before != (self.reach.items.len(), self.reach.uses.len())
    }

    fn reaches(&self, item: &KeptItem) -> bool {
        let facts = &item.facts;
        // Of the trait and the type of an `impl`, those that are of this session must be there:
        // without them nothing can ask for it.
        let implements = facts.impls.iter().any(|head| {
            let mut own = head.intersection(&self.owned).peekable();
            own.peek().is_some() && own.all(|name| self.present.contains(name))
        });
        item.cell == self.number
            || item.home == self.number
            || facts.always
            || implements
            || !facts.names.is_disjoint(&self.needed)
            || !facts.words.is_disjoint(&self.session.affected)
    }

    fn imports(&self, kept: &KeptUse) -> bool {
        let root = kept.line.root();
        kept.cell == self.number
            || !self.owned.contains(&root)
            || self.present.contains(&root)
            || kept.line.is_glob()
            || self.needed.contains(&plain(&kept.line.key))
    }
}

fn name_of(item: &KeptItem) -> Option<String> {
    item.name.as_deref().map(plain)
}
