// Enums and patterns: guards, bindings, ranges, slices, nested.
// %%
#[derive(Debug, Clone, PartialEq)]
enum Event { Key(char), Click { x: i32, y: i32 }, Text(String), Quit }
// %%
let events = vec![Event::Key('a'), Event::Click { x: 3, y: -1 }, Event::Text("hi".into()), Event::Quit];
// %%
fn label(event: &Event) -> String {
    match event {
        Event::Key(key @ 'a'..='z') => format!("lower {key}"),
        Event::Key(key) => format!("key {key}"),
        Event::Click { x, y: 0 } => format!("on the axis at {x}"),
        Event::Click { x, .. } if *x > 2 => "right".to_string(),
        Event::Click { .. } => "left".to_string(),
        Event::Text(text) => text.to_uppercase(),
        Event::Quit => "bye".into(),
    }
}
events.iter().map(label).collect::<Vec<_>>()
// %%
matches!(events[1], Event::Click { x: 1..=5, .. })
// %%
let [only] = [7];
match only { 0 => "none", 1 | 2 | 3 => "few", 4..10 => "some", _ => "many" }
// %%
match [1, 2, 3, 4].as_slice() { [] => 0, [one] => *one, [first, .., last] => first + last }
// %%
match (1, Some("x")) { (n, Some(s)) if n > 1 => s, (_, Some("x")) => "is x", _ => "else" }
// %%
#[repr(u8)] #[derive(Debug, Clone, Copy)] enum Colour { Red = 1, Green = 5, Blue }
(Colour::Red as u8, Colour::Blue as u8)
// %%
let colour = Colour::Green;
// %%
if let Colour::Green = colour { "green" } else { "other" }
// %%
use Colour::*;
match colour { Red => 'r', Green => 'g', Blue => 'b' }
// %%
match colour { Colour::Red => 1 }
// %%
impl Event { const LIMIT: usize = 2; fn is_quit(&self) -> bool { matches!(self, Self::Quit) } }
(Event::LIMIT, events.iter().position(Event::is_quit))
// %% differs (result, stderr, failure): evcxr refuses a borrow in a variable; here the cell runs, and says that it is not kept
let Event::Text(ref inner) = events[2] else { panic!() }; inner.clone()
// %%
let reference = &Some(5); if let &Some(n) = reference { n } else { 0 }
// %%
enum Never {}
let result: Result<i32, Never> = Ok(1);
match result { Ok(n) => n }
// %%
union Bits { float: f32, bits: u32 }
unsafe { Bits { float: 1.0 }.bits }
