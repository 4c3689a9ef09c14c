// Macros by example, defined in one cell and used in later ones.
// %%
macro_rules! square { ($e:expr) => { $e * $e }; }
// %%
square!(3 + 1)
// %%
macro_rules! map { ($($key:expr => $value:expr),* $(,)?) => {{ let mut map = std::collections::BTreeMap::new(); $(map.insert($key, $value);)* map }}; }
map! { "a" => 1, "b" => 2, }
// %%
macro_rules! point { ($name:ident { $($field:ident),* }) => { #[derive(Debug, Default)] struct $name { $($field: f64),* } }; }
point!(Place { lat, long });
// %%
Place { lat: 1.5, ..Default::default() }
// %%
macro_rules! getter { ($type:ty, $field:ident) => { impl $type { fn $field(&self) -> f64 { self.$field } } }; }
getter!(Place, lat);
// %%
Place { lat: 2.5, long: 0.0 }.lat()
// %%
macro_rules! largest { ($x:expr) => { $x }; ($x:expr, $($rest:expr),+) => {{ let rest = largest!($($rest),+); if $x > rest { $x } else { rest } }}; }
largest!(3, 9, 4)
// %%
macro_rules! hygienic { ($e:expr) => {{ let n = 10; $e + n }}; }
let n = 1; hygienic!(n)
// %%
macro_rules! define { ($name:ident, $value:expr) => { let $name = $value; }; }
define!(made, 5); made + 1
// %%
macro_rules! count { () => { 0usize }; ($head:tt $($tail:tt)*) => { 1usize + count!($($tail)*) }; }
count!(a b c d)
// %%
vec![1; 3]
// %%
stringify!(a + b)
// %%
concat!("a", 1, true)
// %%
line!() > 0
// %%
macro_rules! square { ($e:expr) => { ($e) * ($e) }; }
square!(2 + 1)
// %%
assert_eq!(1 + 1, 2); assert!(true, "fine");
// %%
macro_rules! say { ($($t:tt)*) => { println!($($t)*) }; }
say!("{}-{}", 1, 2)
// %%
undefined_macro!(1)
