// Iterators and slices.
// %%
let numbers = vec![5, 3, 8, 1];
// %%
numbers.iter().filter(|n| **n > 2).map(|n| n * 10).collect::<Vec<_>>()
// %%
numbers.iter().enumerate().max_by_key(|(_, n)| **n)
// %%
numbers.windows(2).map(|pair| pair[1] - pair[0]).collect::<Vec<i32>>()
// %%
numbers.chunks(3).map(<[i32]>::len).collect::<Vec<_>>()
// %%
let (even, odd): (Vec<i32>, Vec<i32>) = numbers.iter().partition(|n| *n % 2 == 0);
// %%
(even, odd)
// %%
struct Fibonacci { a: u64, b: u64 }
impl Iterator for Fibonacci { type Item = u64; fn next(&mut self) -> Option<u64> { let next = self.a; (self.a, self.b) = (self.b, self.a + self.b); Some(next) } }
Fibonacci { a: 0, b: 1 }.take_while(|n| *n < 50).collect::<Vec<_>>()
// %%
let mut source = Fibonacci { a: 0, b: 1 }; source.nth(4);
// %%
source.next()
// %%
numbers.iter().zip("abcd".chars()).rev().map(|(n, c)| format!("{c}{n}")).collect::<String>()
// %%
(1..=3).flat_map(|n| std::iter::repeat_n(n, n)).collect::<Vec<_>>()
// %%
numbers.iter().copied().reduce(i32::max)
// %%
(1..=5).scan(1, |product, n| { *product *= n; Some(*product) }).last()
// %%
std::iter::successors(Some(1u32), |n| n.checked_mul(10)).count()
// %%
let mut peek = [1, 1, 2].iter().peekable();
let mut runs = 0;
while let Some(n) = peek.next() { if peek.peek() != Some(&n) { runs += 1; } }
runs
// %%
let mut sorted = numbers.clone(); sorted.sort_unstable_by(|a, b| b.cmp(a)); sorted.binary_search_by(|n| 3.cmp(n))
// %%
numbers.iter().map(|n| f64::from(*n)).sum::<f64>() / numbers.len() as f64
// %% differs (stderr, failure): evcxr refuses a borrow in a variable; here the cell runs, and says that it is not kept
let lazy = numbers.iter().map(|n| n + 1);
// %%
["a", "b"].iter().cycle().skip(1).step_by(2).take(3).collect::<Vec<_>>()
// %%
(0..3).fold(String::new(), |text, n| text + &n.to_string())
// %%
numbers.first().zip(numbers.last())
// %%
numbers[1..3].to_vec()
// %%
let array: [i32; 4] = numbers.clone().try_into().unwrap(); array
