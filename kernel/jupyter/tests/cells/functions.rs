// Functions: generic, nested, recursive, const, as values.
// %%
fn twice(n: i32) -> i32 { n * 2 }
// %%
twice(21)
// %%
fn apply(f: fn(i32) -> i32, n: i32) -> i32 { f(n) }
apply(twice, 4)
// %%
fn outer(n: u64) -> u64 {
    fn inner(n: u64) -> u64 { if n < 2 { n } else { inner(n - 1) + inner(n - 2) } }
    inner(n)
}
// %%
(0..10).map(outer).collect::<Vec<_>>()
// %%
const fn square(n: usize) -> usize { n * n }
let table = [0u8; square(3)];
table.len()
// %%
fn is_even(n: u32) -> bool { n == 0 || is_odd(n - 1) }
fn is_odd(n: u32) -> bool { n != 0 && is_even(n - 1) }
// %%
(is_even(10), is_odd(10))
// %%
fn describe(n: impl Into<f64>) -> String { format!("{:.2}", n.into()) }
(describe(1u8), describe(2.5f32))
// %%
fn evens(limit: u32) -> impl Iterator<Item = u32> { (0..limit).filter(|n| n % 2 == 0) }
evens(9).sum::<u32>()
// %%
fn nothing() {}
nothing()
// %%
fn early(n: i32) -> &'static str { if n < 0 { return "negative"; } "positive" }
early(-1)
// %%
let function = twice;
function(3)
// %%
let pointer: fn(i32) -> i32 = twice;
// %%
pointer(5)
// %%
unsafe fn careful(n: *const i32) -> i32 { unsafe { *n } }
unsafe { careful(&7) }
// %%
extern "C" fn plain(n: i32) -> i32 { n + 1 }
plain(1)
// %%
fn never() -> ! { panic!("never returns") }
let value: i32 = if true { 1 } else { never() };
value
// %%
function(4) + apply(function, 5)
