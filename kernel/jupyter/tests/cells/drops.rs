// When values are dropped, as their own words tell.
// %%
struct Loud(&'static str);
impl Drop for Loud { fn drop(&mut self) { println!("drop {}", self.0); } }
// %%
let kept = Loud("kept");
// %%
{ let inner = Loud("inner"); println!("in the block"); }
// %%
let a = Loud("a"); let b = Loud("b"); drop(a); println!("after a");
// %%
let kept = Loud("second");
// %%
let _ = Loud("at once"); println!("after the underscore");
// %%
Loud("temporary").0
// %%
let list = vec![Loud("1"), Loud("2")];
// %%
list.into_iter().next().map(|first| first.0)
// %%
let mut slot = Some(Loud("old")); slot = None; println!("replaced");
// %%
std::mem::forget(Loud("never"));
// %%
let boxed: Box<dyn std::any::Any> = Box::new(Loud("boxed")); drop(boxed);
// %%
fn give() -> Loud { let _other = Loud("other"); Loud("given") }
let given = give(); given.0
// %%
match Loud("matched") { Loud(name) if name.is_empty() => 0, _ => { println!("in the arm"); 1 } }
// %%
let pair = (Loud("left"), Loud("right")); let (left, _) = pair; drop(left);
// %%
drop(b)
