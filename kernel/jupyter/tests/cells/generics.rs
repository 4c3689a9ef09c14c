// Generics: types, const parameters, bounds, phantom data, associated functions.
// %%
#[derive(Debug, Clone, Default)]
struct Stack<T> { items: Vec<T> }
impl<T> Stack<T> {
    fn new() -> Self { Stack { items: Vec::new() } }
    fn push(&mut self, item: T) -> &mut Self { self.items.push(item); self }
    fn pop(&mut self) -> Option<T> { self.items.pop() }
}
// %%
let mut stack = Stack::new();
stack.push(1).push(2);
// %%
stack.pop()
// %%
stack
// %%
struct Matrix<const R: usize, const C: usize>([[f64; C]; R]);
impl<const R: usize, const C: usize> Matrix<R, C> {
    fn transpose(&self) -> Matrix<C, R> { let mut out = [[0.0; R]; C]; for r in 0..R { for c in 0..C { out[c][r] = self.0[r][c]; } } Matrix(out) }
}
let matrix = Matrix([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
// %%
matrix.transpose().0
// %%
fn pair<A: Clone, B>(a: &A, b: B) -> (A, B) where B: Copy { (a.clone(), b) }
pair(&"left".to_string(), 3u8)
// %%
use std::marker::PhantomData;
struct Metres; struct Feet;
struct Length<Unit> { value: f64, unit: PhantomData<Unit> }
impl Length<Feet> { fn to_metres(self) -> Length<Metres> { Length { value: self.value * 0.3048, unit: PhantomData } } }
let height = Length::<Feet> { value: 10.0, unit: PhantomData };
// %%
height.to_metres().value
// %%
trait Describe { fn describe() -> &'static str; }
impl Describe for u8 { fn describe() -> &'static str { "byte" } }
impl<T: Describe> Describe for Vec<T> { fn describe() -> &'static str { "several" } }
fn name_of<T: Describe>(_: &T) -> &'static str { T::describe() }
(name_of(&1u8), name_of(&vec![1u8]))
// %%
fn largest<T>(items: impl IntoIterator<Item = T>) -> Option<T> where T: Ord { items.into_iter().max() }
(largest(vec![2, 9, 4]), largest(Vec::<char>::new()))
// %%
enum Tree<T> { Leaf, Node(Box<Tree<T>>, T, Box<Tree<T>>) }
impl<T: Ord + Copy> Tree<T> {
    fn insert(self, value: T) -> Tree<T> {
        match self {
            Tree::Leaf => Tree::Node(Box::new(Tree::Leaf), value, Box::new(Tree::Leaf)),
            Tree::Node(left, here, right) if value < here => Tree::Node(Box::new(left.insert(value)), here, right),
            Tree::Node(left, here, right) => Tree::Node(left, here, Box::new(right.insert(value))),
        }
    }
    fn walk(&self, out: &mut Vec<T>) { if let Tree::Node(left, here, right) = self { left.walk(out); out.push(*here); right.walk(out); } }
}
let tree = [5, 2, 8, 1].into_iter().fold(Tree::Leaf, Tree::insert);
// %%
let mut order = Vec::new(); tree.walk(&mut order); order
// %%
type Table<V> = std::collections::BTreeMap<String, V>;
let table: Table<u8> = Table::from([("a".to_string(), 1)]);
// %%
table["a"]
// %%
std::mem::size_of::<Length<Feet>>()
// %%
fn missing<T: Describe>(_: T) {} missing("no impl")
