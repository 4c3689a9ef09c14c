// Running a cell twice, and defining a name anew.
// %%
struct Config { name: String }
let config = Config { name: "first".into() };
// %% differs (stderr): evcxr loses the variable although the cell defines it anew
struct Config { name: String, port: u16 }
let config = Config { name: "second".into(), port: 1 };
// %% differs (result, failure): evcxr lost the variable although the cell defined it anew
(config.name.clone(), config.port)
// %%
fn version() -> u32 { 1 }
fn caller() -> u32 { version() * 10 }
// %%
caller()
// %%
fn version() -> u32 { 2 }
// %%
caller()
// %%
enum Mode { On } 
impl Mode { fn text(&self) -> &'static str { "on" } }
// %% differs (failure): evcxr keeps the old `impl` beside the new one
impl Mode { fn text(&self) -> &'static str { "switched on" } }
// %% differs (result): evcxr refused the new `impl`
Mode::On.text()
// %%
trait Greet { fn greet(&self) -> String; }
impl Greet for u8 { fn greet(&self) -> String { format!("hello {self}") } }
// %% differs (failure): evcxr keeps the old `impl` beside the new one
impl Greet for u8 { fn greet(&self) -> String { format!("hi {self}") } }
// %% differs (result): evcxr refused the new `impl`
7u8.greet()
// %%
fn broken() -> u32 { "text" }
// %%
version()
// %%
let x = 1;
let x = "one";
let x = [x, x];
// %%
x
// %%
fn x() -> i32 { 5 }
// %%
let version = 3; version
// %%
mod unit { pub fn name() -> &'static str { "km" } }
// %%
mod unit { pub fn name() -> &'static str { "mile" } }
unit::name()
