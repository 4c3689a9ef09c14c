// The collections of the standard library, kept and changed across cells.
// %%
use std::collections::*;
// %%
let mut counts: HashMap<&str, u32> = HashMap::new();
for word in "the cat the dog the end".split(' ') { *counts.entry(word).or_default() += 1; }
// %%
counts["the"]
// %%
let ordered: BTreeMap<_, _> = counts.iter().map(|(k, v)| (*k, *v)).collect();
ordered
// %%
counts.remove("cat"); counts.len()
// %%
let mut queue = VecDeque::from([1, 2]);
queue.push_front(0); queue.rotate_left(1);
// %%
queue
// %%
let mut heap = BinaryHeap::from(vec![3, 9, 4]);
// %%
heap.pop()
// %%
let a: BTreeSet<i32> = (1..5).collect(); let b = BTreeSet::from([3, 4, 5]);
a.intersection(&b).collect::<Vec<_>>()
// %%
a.range(2..4).copied().collect::<Vec<i32>>()
// %%
let mut nested: BTreeMap<String, Vec<(u8, char)>> = BTreeMap::new();
nested.entry("k".into()).or_default().push((1, 'x'));
// %%
nested
// %%
nested.get_mut("k").map(|list| { list.push((2, 'y')); list.len() })
// %%
let mut list = vec![1, 2, 3, 4, 5, 6];
list.retain(|n| n % 2 == 0); list.extend([7, 8]); list.dedup(); list.drain(..2).sum::<i32>()
// %%
list
// %%
let grid = vec![vec!['.'; 3]; 2]; grid.iter().map(|row| row.iter().collect::<String>()).collect::<Vec<_>>()
