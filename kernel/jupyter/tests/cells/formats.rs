// Format strings: width, precision, named and captured arguments, Debug in two forms.
// %%
let value = 3.14159; let width = 8;
// %%
format!("[{value:>width$.2}] [{value:<8.1}] [{:^+9.3}]", value)
// %%
format!("{:05} {:#x} {:#010b} {:e} {:?}", 42, 255, 5, 1234.5, "q")
// %%
format!("{0} {1} {0} {name}", "a", "b", name = "n")
// %%
format!("{{}} {:?} {:?}", Some("x"), ())
// %%
#[derive(Debug)] struct Trip { zone: &'static str, fares: Vec<f64>, tip: Option<u8> }
let trip = Trip { zone: "a", fares: vec![1.0, 2.5], tip: None };
// %%
trip
// %%
println!("{trip:#?}");
// %%
format!("{:?} {:?}", f32::MIN_POSITIVE, 1.0e-7)
// %%
format!("{:>1$} {:*^7}|{:.*}", 5, 4, 3, 1.23456)
// %%
struct Hex(u32);
impl std::fmt::LowerHex for Hex { fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result { std::fmt::LowerHex::fmt(&self.0, f) } }
format!("{:x}", Hex(48879))
// %%
println!("{:?}", "multi\nline");
// %%
format!("{missing}")
// %%
eprintln!("to stderr {}", 1);
// %%
println!("one"); println!("two"); eprintln!("three"); 4
// %%
std::fmt::format(format_args!("{}{}", 1, 2))
