// Cells that do not compile, and the session after them.
// %%
let good = 1;
// %%
let number: i32 = "text";
// %%
unknown_name + 1
// %%
good.no_such_method()
// %%
let broken = ;
// %%
fn unclosed() {
// %%
struct Twice { a: i32, a: i32 }
// %%
let s = String::from("a"); let t = s; s.len()
// %% differs (failure): evcxr's variable is one that it has assigned before
good = 2;
// %%
1 + "a"
// %%
fn missing_return() -> i32 { }
// %%
use std::nothing::Here;
// %%
let v: Vec<NoSuchType> = Vec::new();
// %%
match 3u8 { 0..=9 => 1 }
// %%
std::mem::transmute::<u8, u16>(1)
// %%
good
