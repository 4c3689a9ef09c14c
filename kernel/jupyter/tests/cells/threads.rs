// Threads, channels, locks and atomics.
// %%
use std::sync::{Arc, Mutex, RwLock, mpsc};
use std::thread;
// %%
let total = Arc::new(Mutex::new(0));
// %%
let workers: Vec<_> = (0..4).map(|n| { let total = Arc::clone(&total); thread::spawn(move || *total.lock().unwrap() += n) }).collect();
for worker in workers { worker.join().unwrap(); }
// %%
*total.lock().unwrap()
// %%
let (send, receive) = mpsc::channel();
// %%
let sender = send.clone();
let handle = thread::spawn(move || { for n in 0..3 { sender.send(n).unwrap(); } });
// %%
handle.join().unwrap();
drop(send);
// %%
receive.iter().collect::<Vec<i32>>()
// %%
let mut numbers = vec![1, 2, 3, 4];
thread::scope(|scope| { let (left, right) = numbers.split_at_mut(2); scope.spawn(|| left[0] = 10); scope.spawn(|| right[0] = 30); });
numbers
// %%
use std::sync::atomic::{AtomicUsize, Ordering};
let hits = Arc::new(AtomicUsize::new(0));
(0..3).map(|_| { let hits = hits.clone(); thread::spawn(move || hits.fetch_add(1, Ordering::SeqCst)) }).for_each(|t| drop(t.join()));
// %%
hits.load(Ordering::SeqCst)
// %%
let shared = Arc::new(RwLock::new(String::from("read")));
{ let reader = shared.read().unwrap(); println!("{reader}"); }
shared.write().unwrap().push_str(" and written");
// %%
shared.read().unwrap().clone()
// %%
let answer = thread::Builder::new().name("named".into()).spawn(|| thread::current().name().map(str::to_owned))?.join().unwrap();
answer
// %%
thread::spawn(|| println!("from a thread")).join().unwrap();
// %%
let local = std::rc::Rc::new(1); thread::spawn(move || *local);
// %%
let once = std::sync::OnceLock::new(); once.get_or_init(|| 1); *once.get_or_init(|| 2)
