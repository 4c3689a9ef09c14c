//! The variables of the session, kept between cells.

use std::any::Any;
use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

use super::describe;
use super::protocol::Described;

thread_local! {
    /// Cells all run on the child's main thread, one after another: no lock is needed.
    static VARIABLES: RefCell<HashMap<String, Box<dyn Any>>> = RefCell::default();
    /// The variables that the running cell has kept or put back.
    static TOUCHED: RefCell<BTreeSet<String>> = RefCell::default();
}

/// Takes a variable out for the cell that mentions it.
///
/// # Panics
/// When the store lacks it or holds another type: the kernel's list and the store disagree.
pub fn take<T: 'static>(name: &str) -> T {
    match remove(name).downcast::<T>() {
        Ok(value) => *value,
        Err(_) => panic!(
            "variable `{name}` is not of type {}",
            std::any::type_name::<T>()
        ),
    }
}

/// Keeps a variable that the cell defined, in place of an older one of that name.
pub fn put<T: 'static>(name: &str, value: T) {
    insert(name, Box::new(value));
}

/// Puts a variable back that [`take`] took, unless the cell has defined it anew.
pub fn put_back<T: 'static>(name: &str, value: T) {
    if !contains(name) {
        insert(name, Box::new(value));
    }
}

/// Drops a variable.
pub(super) fn forget(name: &str) {
    drop(VARIABLES.with_borrow_mut(|all| all.remove(name)));
}

/// Describes the variables that were kept or put back since the last call.
pub(super) fn describe_touched() -> Vec<Described> {
    let touched = TOUCHED.take();
    VARIABLES.with_borrow(|all| {
        let values = touched
            .into_iter()
            .filter_map(|name| all.get(&name).map(|value| (name, value)));
        values
            .map(|(name, value)| describe::describe(name, &**value))
            .collect()
    })
}

fn remove(name: &str) -> Box<dyn Any> {
    VARIABLES
        .with_borrow_mut(|all| all.remove(name))
        .unwrap_or_else(|| panic!("variable `{name}` is no longer there"))
}

fn contains(name: &str) -> bool {
    VARIABLES.with_borrow(|all| all.contains_key(name))
}

fn insert(name: &str, value: Box<dyn Any>) {
    // The old value is dropped outside the borrow: its Drop may use the store's thread at length.
    let old = VARIABLES.with_borrow_mut(|all| all.insert(name.to_owned(), value));
    TOUCHED.with_borrow_mut(|touched| touched.insert(name.to_owned()));
    drop(old);
}
