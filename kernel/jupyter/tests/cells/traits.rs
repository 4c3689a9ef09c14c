// Traits: methods, defaults, associated items, objects, blanket impls.
// %%
trait Shape {
    const SIDES: u32;
    fn area(&self) -> f64;
    fn describe(&self) -> String { format!("{} sides, area {:.1}", Self::SIDES, self.area()) }
}
// %%
struct Square(f64);
impl Shape for Square { const SIDES: u32 = 4; fn area(&self) -> f64 { self.0 * self.0 } }
// %%
Square(2.0).describe()
// %%
struct Triangle { base: f64, height: f64 }
impl Shape for Triangle {
    const SIDES: u32 = 3;
    fn area(&self) -> f64 { self.base * self.height / 2.0 }
}
let triangle = Triangle { base: 3.0, height: 4.0 };
// %%
triangle.describe()
// %%
fn total<S: Shape>(shapes: &[S]) -> f64 { shapes.iter().map(Shape::area).sum() }
total(&[Square(1.0), Square(3.0)])
// %%
trait Speak { fn speak(&self) -> String; }
impl Speak for i32 { fn speak(&self) -> String { format!("number {self}") } }
impl Speak for &str { fn speak(&self) -> String { format!("text {self}") } }
// %%
let speakers: Vec<Box<dyn Speak>> = vec![Box::new(1), Box::new("two")];
// %%
speakers.iter().map(|s| s.speak()).collect::<Vec<_>>().join(", ")
// %%
trait Loud: Speak { fn loud(&self) -> String { self.speak().to_uppercase() } }
impl<T: Speak + ?Sized> Loud for T {}
// %%
"quiet".loud()
// %%
trait Stack { type Item; fn pop_two(&mut self) -> Option<(Self::Item, Self::Item)>; }
impl<T> Stack for Vec<T> {
    type Item = T;
    fn pop_two(&mut self) -> Option<(T, T)> { if self.len() < 2 { return None; } Some((self.pop()?, self.pop()?)) }
}
vec![1, 2, 3].pop_two()
// %%
impl std::fmt::Display for Square { fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result { write!(f, "[{}]", self.0) } }
Square(1.5).to_string()
// %%
impl From<f64> for Square { fn from(side: f64) -> Self { Square(side) } }
let made: Square = 6.0.into();
made.0
// %%
trait Zero { fn zero() -> Self; }
impl Zero for i64 { fn zero() -> Self { 0 } }
impl Zero for String { fn zero() -> Self { String::new() } }
(<i64 as Zero>::zero(), String::zero())
// %%
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
struct Version { major: u8, minor: u8 }
let mut versions = vec![Version { major: 1, minor: 2 }, Version::default()];
versions.sort();
// %%
versions
// %%
fn pick(round: bool) -> Box<dyn Fn() -> &'static str> { if round { Box::new(|| "round") } else { Box::new(|| "flat") } }
pick(true)()
// %%
Triangle { base: 1.0 }.area()
// %%
trait Visitor { fn visit(&mut self, n: i32); }
#[derive(Default)] struct Sum(i32);
impl Visitor for Sum { fn visit(&mut self, n: i32) { self.0 += n; } }
fn walk(numbers: &[i32], visitor: &mut dyn Visitor) { for n in numbers { visitor.visit(*n) } }
let mut sum = Sum::default();
walk(&[1, 2, 3], &mut sum);
sum.0
