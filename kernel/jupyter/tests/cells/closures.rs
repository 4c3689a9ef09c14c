// Closures: what they capture, and how they are passed on.
// %% differs (result, failure): evcxr refuses a closure in a variable; here it is kept
let add = |a: i32, b: i32| a + b; add(1, 2)
// %%
let factor = 3;
// %%
[1, 2, 3].map(|n| n * factor)
// %%
let mut count = 0;
// %% differs (result, stderr, failure): evcxr refuses a closure in a variable; here the cell runs, and says that it is not kept
let mut bump = || { count += 1; count };
bump(); bump()
// %% differs (result): evcxr refused the cell that counts
count
// %%
fn make_adder(n: i32) -> impl Fn(i32) -> i32 { move |m| n + m }
make_adder(5)(6)
// %%
fn boxed(name: &str) -> Box<dyn Fn(f64) -> f64> {
    match name { "double" => Box::new(|x| x * 2.0), "half" => Box::new(|x| x / 2.0), _ => Box::new(|x| x) }
}
let double = boxed("double");
// %%
double(4.0)
// %%
let mut steps: Vec<Box<dyn FnMut() -> i32>> = Vec::new();
let mut n = 0;
steps.push(Box::new(move || { n += 1; n }));
// %%
(steps[0](), steps[0]())
// %%
fn compose<A, B, C>(f: impl Fn(A) -> B, g: impl Fn(B) -> C) -> impl Fn(A) -> C { move |a| g(f(a)) }
compose(|n: i32| n + 1, |n| format!("<{n}>"))(1)
// %% differs (result, failure): evcxr refuses a closure in a variable; here the cell runs and has consumed it
let owned = String::from("captured");
let once = move || owned;
once()
// %%
let mut names = vec!["pear", "fig", "apple"];
names.sort_by_key(|name| std::cmp::Reverse(name.len()));
names
// %%
fn call_twice<F>(mut f: F) where F: FnMut() { f(); f(); }
let mut seen = Vec::new();
call_twice(|| seen.push(seen.len()));
seen
// %% differs (result, stderr, failure): evcxr refuses a closure in a variable; here the cell runs, and says that it is not kept
let memo = { let mut cache = std::collections::HashMap::new(); move |n: u64| *cache.entry(n).or_insert_with(|| n * n) };
let mut memo = memo;
(memo(4), memo(4))
// %% differs (result, failure): evcxr refused the closure
add(2, 3)
