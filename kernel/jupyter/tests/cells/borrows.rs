// Borrows inside a cell, lifetimes in items, and what the borrow checker forbids.
// %%
fn longer<'a>(a: &'a str, b: &'a str) -> &'a str { if a.len() >= b.len() { a } else { b } }
// %%
longer("short", "longest")
// %%
let kept: &'static str = longer("static", "text");
// %%
kept
// %%
struct Words<'a> { text: &'a str }
impl<'a> Words<'a> {
    fn first(&self) -> Option<&'a str> { self.text.split(' ').next() }
}
impl<'a> Iterator for Words<'a> {
    type Item = &'a str;
    fn next(&mut self) -> Option<&'a str> {
        let (word, rest) = self.text.split_once(' ').unwrap_or((self.text, ""));
        self.text = rest;
        (!word.is_empty()).then_some(word)
    }
}
// %%
Words { text: "one two three" }.collect::<Vec<_>>()
// %%
let line = String::from("from a variable");
// %%
Words { text: &line }.first()
// %%
let mut values = vec![1, 2, 3];
// %% differs (result, stderr, failure): evcxr refuses a borrow in a variable; here the cell runs, and says that it is not kept
let first = &mut values[0]; *first = 10; values[0]
// %% differs (result): evcxr refused the cell that changes the first value
for value in &mut values { *value += 1; }
values
// %% differs (result, stderr, failure): evcxr refuses a borrow in a variable; here the cell runs, and says that it is not kept
let (head, tail) = values.split_at_mut(1); head[0] += tail[0]; head[0]
// %% differs (failure): evcxr complains of the variable, not of the mistake
let first = &values[0]; values.push(4); println!("{first}");
// %%
values.len()
// %% differs (result): evcxr refused the cells that change the values
fn largest<T: PartialOrd>(items: &[T]) -> Option<&T> {
    let mut best = items.first()?;
    for item in items { if item > best { best = item; } }
    Some(best)
}
largest(&values)
// %%
largest(&["b", "c", "a"]).copied()
// %%
fn dangling() -> &'static str { let owned = String::from("gone"); &owned }
// %%
struct Holder { text: String }
impl Holder { fn text(&self) -> &str { &self.text } }
let holder = Holder { text: "held".into() };
// %%
holder.text()
// %%
let by: for<'a> fn(&'a str) -> &'a str = str::trim;
by("  trimmed ")
