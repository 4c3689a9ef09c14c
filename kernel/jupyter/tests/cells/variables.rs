// Variables between cells: tuples, patterns, shadowing, mutation.
// %%
let a = 1;
// %%
a
// %%
let a = "now a text"; a.len()
// %%
let (b, mut c) = (2, vec![1]);
// %%
c.push(b); c.push(3);
// %%
c
// %%
let a = c.len(); let a = a + 1; a
// %%
struct Pair { left: i32, right: String }
let Pair { left, right } = Pair { left: 4, right: "four".to_string() };
// %%
format!("{left} is {right}")
// %%
let [first, .., last] = [1, 2, 3, 4];
(first, last)
// %%
let Some(found) = vec![5, 6].into_iter().find(|n| n % 2 == 0) else { panic!("none") };
// %%
found
// %%
let late;
if found > 5 { late = "big" } else { late = "small" }
// %%
late
// %%
let mut total = 0;
for n in 1..=10 { total += n; }
total
// %%
total += 1; total
// %%
{ let total = "inside"; println!("{total}"); }
total
// %%
let x @ 1..=9 = 5 else { unreachable!() };
let y = { let x = x * 2; x + 1 };
(x, y)
// %%
let typed: Vec<u8> = Vec::with_capacity(8);
// %%
typed.is_empty()
// %% differs (stderr, failure): evcxr refuses a borrow in a variable; here the cell runs, and says that it is not kept
let (ref one, two) = (String::from("one"), String::from("two"));
// %%
let _ = 3; let _unused = 4;
// %%
_unused
