// Loops as values, labels, let-else, chains of conditions, blocks.
// %%
let found = 'outer: loop { for n in 1.. { if n * n > 50 { break 'outer n; } } };
// %%
found
// %%
let mut pairs = Vec::new();
'rows: for row in 0..3 { for column in 0..3 { if column > row { continue 'rows; } if row == 2 { break 'rows; } pairs.push((row, column)); } }
pairs
// %%
let answer = 'block: { if found > 100 { break 'block "large"; } "fits" };
answer
// %%
fn parse(text: &str) -> i32 { let Ok(n) = text.parse() else { return -1 }; n }
(parse("5"), parse("five"))
// %%
if let Some(n) = Some(4) && n > 3 && let Ok(m) = "6".parse::<i32>() { n + m } else { 0 }
// %%
let mut countdown = 3; while countdown > 0 { countdown -= 1; }
// %%
countdown
// %%
let mut stack = vec![1, 2]; while let Some(top) = stack.pop() { println!("{top}"); }
// %%
if found > 5 { println!("yes") } else { println!("no") }
// %%
match found { n if n > 5 => println!("big"), _ => println!("small") }
// %%
let label = if found % 2 == 0 { "even" } else if found > 5 { "odd and large" } else { "odd" }; label
// %%
for (index, letter) in "ab".chars().enumerate() { print!("{index}{letter} "); } println!();
// %%
unsafe { std::mem::zeroed::<u8>() }
// %%
{ let a = 1; let b = 2; a + b }
// %%
loop { break }
// %%
let never: Vec<i32> = (0..).take_while(|n| *n < 0).collect(); never
// %%
return;
// %%
if true { 1 } else { "text" }
// %%
if found > 5 { println!("leaves"); return; } println!("never");
// %%
found
