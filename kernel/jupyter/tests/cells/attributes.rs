// Attributes, doc comments, derives, visibility, comments.
// %%
/// A documented type.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(dead_code)]
pub struct Documented { /** the field */ pub field: u8 }
// %%
Documented { field: 1 } < Documented { field: 2 }
// %%
#[cfg(test)] fn hidden() -> i32 { 1 }
#[cfg(not(test))] fn hidden() -> i32 { 2 }
hidden()
// %%
#[inline(always)] fn fast() -> u8 { 3 } fast()
// %%
#[allow(unused_variables)] let unused = 3;
// %%
// only a comment
// %%
/* a block /* nested */ comment */ 5 /* behind */
// %%
6 // at the end
// %%
#[must_use] fn needed() -> i32 { 1 }
needed();
// %%
#[derive(Debug)] pub(crate) enum Visible { A }
Visible::A
// %%
#[non_exhaustive] #[derive(Default, Debug)] struct Open { a: i32 }
Open::default()
// %%
#[deprecated] fn old() -> i32 { 9 }
old()
// %%
#[track_caller] fn here() -> u32 { std::panic::Location::caller().column() }
here() > 0
// %% differs (result): cells have overflow checks, but no debug assertions: the prelude's generic code has none
cfg!(debug_assertions)
