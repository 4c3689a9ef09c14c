//! Lets the shared objects of the child find the functions that stand in for libc's: the linker
//! exports symbols of an executable only where it is told to.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("linux") {
        return;
    }
    for symbol in [
        "read",
        "write",
        "writev",
        "pthread_create",
        "headwater_cell_runs",
    ] {
        println!("cargo::rustc-link-arg-bins=-Wl,--export-dynamic-symbol={symbol}");
    }
}
