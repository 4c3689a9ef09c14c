// Modules, paths, imports and their shadowing.
// %%
mod shapes {
    pub const SIDES: u32 = 3;
    pub fn area(base: f64, height: f64) -> f64 { half(base * height) }
    fn half(n: f64) -> f64 { n / 2.0 }
    pub mod solid {
        use super::SIDES;
        #[derive(Debug)] pub struct Prism { pub height: f64 }
        impl Prism { pub fn faces(&self) -> u32 { SIDES + 2 } }
    }
}
// %%
shapes::SIDES
// %%
shapes::area(3.0, 4.0)
// %%
shapes::half(1.0)
// %%
use shapes::solid::Prism;
let prism = Prism { height: 2.0 };
// %%
(prism.faces(), prism.height)
// %%
use std::collections::{BTreeMap, HashSet as Set};
// %%
let set: Set<i32> = [1, 1, 2].into_iter().collect(); set.len()
// %%
use std::fmt::Write as _;
let mut out = String::new(); write!(out, "{:02}", 7)?; out
// %%
use shapes::*;
area(1.0, 1.0)
// %%
mod counter {
    use std::cell::Cell;
    thread_local! { pub static CALLS: Cell<u32> = const { Cell::new(0) }; }
    pub fn call() -> u32 { CALLS.with(|calls| { calls.set(calls.get() + 1); calls.get() }) }
}
(counter::call(), counter::call())
// %%
mod outer { pub(crate) fn visible() -> &'static str { inner::deep() } mod inner { pub(super) fn deep() -> &'static str { "deep" } } }
outer::visible()
// %%
use std::cmp::max as larger;
larger(3, 4)
// %%
use std::cmp::min as larger;
larger(3, 4)
// %%
use no_such_crate::Thing;
// %%
larger(5, 6)
// %%
mod shapes { pub const SIDES: u32 = 4; }
shapes::SIDES
