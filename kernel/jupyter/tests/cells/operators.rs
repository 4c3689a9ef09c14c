// Operators by traits: arithmetic, index, deref, comparison, call.
// %%
#[derive(Debug, Clone, Copy, PartialEq)]
struct Point { x: i32, y: i32 }
impl std::ops::Add for Point { type Output = Point; fn add(self, other: Point) -> Point { Point { x: self.x + other.x, y: self.y + other.y } } }
impl std::ops::Neg for Point { type Output = Point; fn neg(self) -> Point { Point { x: -self.x, y: -self.y } } }
impl std::ops::Mul<i32> for Point { type Output = Point; fn mul(self, by: i32) -> Point { Point { x: self.x * by, y: self.y * by } } }
// %%
let point = Point { x: 1, y: 2 };
// %%
-(point + point * 3)
// %%
impl std::ops::AddAssign for Point { fn add_assign(&mut self, other: Point) { *self = *self + other; } }
let mut moving = point; moving += point; moving
// %%
struct Grid { width: usize, cells: Vec<u8> }
impl std::ops::Index<(usize, usize)> for Grid { type Output = u8; fn index(&self, (row, column): (usize, usize)) -> &u8 { &self.cells[row * self.width + column] } }
impl std::ops::IndexMut<(usize, usize)> for Grid { fn index_mut(&mut self, (row, column): (usize, usize)) -> &mut u8 { &mut self.cells[row * self.width + column] } }
let mut grid = Grid { width: 2, cells: vec![0; 4] };
// %%
grid[(1, 1)] = 9; grid[(1, 1)]
// %%
struct Guarded(Vec<i32>);
impl std::ops::Deref for Guarded { type Target = Vec<i32>; fn deref(&self) -> &Vec<i32> { &self.0 } }
Guarded(vec![1, 2]).len()
// %%
#[derive(PartialEq, PartialOrd, Debug)] enum Level { Low, High }
Level::Low < Level::High
// %%
(!0u8) ^ 0x0f
// %%
impl PartialEq<i32> for Point { fn eq(&self, other: &i32) -> bool { self.x == *other } }
point == 1
// %%
impl std::iter::Sum for Point { fn sum<I: Iterator<Item = Point>>(points: I) -> Point { points.fold(Point { x: 0, y: 0 }, |a, b| a + b) } }
vec![point, moving].into_iter().sum::<Point>()
