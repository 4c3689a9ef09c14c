// Panics: of the cell, of its threads, caught ones, and what stays.
// %%
let kept = vec![1, 2, 3];
// %% differs (failure): evcxr calls a panic a success
panic!("oh no: {}", kept.len());
// %%
kept
// %% differs (failure): evcxr calls a panic a success
kept[7]
// %%
kept.len()
// %%
let zero = kept.len() - 3;
// %% differs (failure): evcxr calls a panic a success
10 / zero
// %%
let small: u8 = 255;
// %% differs (failure): evcxr calls a panic a success
small + 1
// %% differs (failure): evcxr calls a panic a success
None::<i32>.unwrap()
// %% differs (failure): evcxr calls a panic a success
Err::<i32, _>("reason").expect("with context")
// %%
std::panic::catch_unwind(|| { if true { panic!("caught") } 1 }).is_err()
// %%
std::thread::spawn(|| { if true { panic!("in a thread") } }).join().is_err()
// %% differs (failure): evcxr calls a panic a success
assert_eq!(1 + 1, 3, "sums");
// %% differs (failure): evcxr calls a panic a success
unreachable!()
// %% differs (failure): evcxr calls a panic a success
struct Noisy; impl Drop for Noisy { fn drop(&mut self) { println!("dropped while unwinding"); } }
let _noisy = Noisy; panic!("with a guard");
// %%
std::cell::RefCell::new(1).try_borrow_mut().is_ok()
// %%
kept.iter().sum::<i32>()
