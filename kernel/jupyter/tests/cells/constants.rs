// Constants and statics.
// %%
const LIMIT: usize = 3;
// %%
[0u8; LIMIT]
// %%
const NAMES: [&str; LIMIT] = ["a", "b", "c"];
NAMES.concat()
// %%
static GREETING: &str = "hello";
// %%
GREETING.len()
// %%
use std::sync::atomic::{AtomicU32, Ordering};
static COUNTER: AtomicU32 = AtomicU32::new(10);
COUNTER.fetch_add(1, Ordering::SeqCst)
// %% differs (result): a static lives as long as the session; on evcxr every cell has a new one
COUNTER.load(Ordering::Relaxed)
// %%
use std::sync::{LazyLock, Mutex, OnceLock};
static WORDS: Mutex<Vec<String>> = Mutex::new(Vec::new());
WORDS.lock().unwrap().push("first".to_string());
// %% differs (result): a static lives as long as the session; on evcxr every cell has a new one
WORDS.lock().unwrap().push("second".to_string());
WORDS.lock().unwrap().clone()
// %%
static TABLE: LazyLock<Vec<u32>> = LazyLock::new(|| { println!("made once"); (1..=3).collect() });
TABLE.len()
// %% differs (stdout): a static lives as long as the session; on evcxr every cell has a new one
TABLE.iter().sum::<u32>()
// %%
static mut RAW: i32 = 1;
unsafe { RAW += 1; RAW }
// %% differs (result): a static lives as long as the session; on evcxr every cell has a new one
unsafe { RAW += 1; let now = RAW; now }
// %%
fn next_id() -> u32 { static NEXT: AtomicU32 = AtomicU32::new(1); NEXT.fetch_add(1, Ordering::SeqCst) }
(next_id(), next_id())
// %% differs (result): a static lives as long as the session; on evcxr every cell has a new one
fn count() -> u32 { COUNTER.fetch_add(1, Ordering::SeqCst) }
count()
// %% differs (result): a static lives as long as the session; on evcxr every cell has a new one
count()
// %%
const fn power(base: u64, exponent: u32) -> u64 { if exponent == 0 { 1 } else { base * power(base, exponent - 1) } }
const BIG: u64 = power(2, 20);
BIG
// %%
const LIMIT: usize = 5;
[1; LIMIT].len()
// %%
struct Settings; impl Settings { const DEFAULT: Settings = Settings; const PORT: u16 = 9092; }
Settings::PORT
// %%
const { 3 * 4 }
// %%
const BAD: u8 = 255 + 1;
