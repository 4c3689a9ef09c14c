// Names of the standard prelude and of common imports, used for other things.
// %%
struct Vector<T>(T); let len = 5; let col = "a"; let lit = 2;
// %%
(len, col, lit)
// %%
fn max(a: i32, b: i32) -> i32 { if a > b { a } else { b } }
max(1, 2)
// %%
#[derive(Debug)] struct Series { values: Vec<i32> }
Series { values: vec![1] }
// %%
#[derive(Debug, PartialEq)] enum Column { Left, Right }
let column = Column::Left;
// %%
column == Column::Right
// %%
fn concat(a: &str, b: &str) -> String { format!("{a}{b}") }
concat("a", "b")
// %%
type Error = String;
let failed: std::result::Result<u8, Error> = Err("own".into());
// %%
failed.clone()
// %%
mod std_like { pub fn drop(n: i32) -> i32 { n } }
use std_like::drop;
drop(4)
// %%
fn minutes(n: u64) -> u64 { n * 60 }
minutes(2)
// %%
struct Duration(u64); let hours = Duration(3); hours.0
// %%
#[derive(Debug, Clone, Copy)] enum Option2<T> { Nothing, Just(T) }
use Option2::*;
Just(1)
// %%
let Some = 3;
// %%
trait Sum { fn sum(&self) -> i32; }
impl Sum for [i32; 2] { fn sum(&self) -> i32 { self[0] + self[1] } }
[1, 2].sum()
// %%
let r#type = "raw"; r#type
// %%
r#type.len()
// %%
fn r#match() -> u8 { 1 } r#match()
