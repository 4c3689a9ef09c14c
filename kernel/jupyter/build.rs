//! Lets shared objects that the binary loads find its `read` (see `src/read.rs`).

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux") {
        println!("cargo:rustc-link-arg-bins=-Wl,--export-dynamic-symbol=read");
    }
}
