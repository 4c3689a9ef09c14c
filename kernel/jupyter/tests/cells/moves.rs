// What a cell moves is gone; what it borrows or clones stays.
// %%
let text = String::from("mine");
// %%
text.clone()
// %%
let moved = text;
// %%
text
// %%
moved
// %%
drop(moved);
// %%
moved.len()
// %%
let numbers = vec![3, 1, 2];
// %%
let sorted = { let mut copy = numbers.clone(); copy.sort(); copy };
// %%
(numbers, sorted)
// %%
let pair = (String::from("left"), String::from("right"));
// %% differs (result, stderr, failure): evcxr refuses a borrow in a variable; here the cell runs, and says that it is not kept
let (left, _) = &pair; left.len()
// %%
fn eat(words: Vec<&'static str>) -> usize { words.len() }
let words = vec!["a", "b"];
eat(words)
// %%
let boxed = Box::new([1, 2, 3]);
// %%
let unboxed = *boxed;
unboxed[2]
// %%
let taken = std::thread::spawn(move || unboxed.iter().sum::<i32>()).join().unwrap();
taken
// %%
unboxed
// %%
let mut slot = Some(String::from("once"));
// %%
slot.take()
// %%
slot
// %%
let keys = vec![String::from("k")];
let kept: Vec<&str> = keys.iter().map(|key| key.as_str()).collect();
kept.len()
