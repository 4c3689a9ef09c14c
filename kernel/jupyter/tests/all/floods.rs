//! More output than anyone can read: it neither hangs nor fills the kernel's memory, and what was
//! left out is said.

use crate::front_end::{FrontEnd, reply_to, stream_text};

/// What the kernel may grow by while a cell floods it, in kB.
const GROWTH_KB: u64 = 96 * 1024;

/// Runs a cell that floods, and one after it; returns what was printed by the first.
fn flood(code: &str) -> String {
    let mut front_end = FrontEnd::start();
    front_end.run("1 + 1");
    let kernel = front_end.kernel().id().unwrap();
    let before = peak_kb(kernel);
    let id = front_end.execute(code);
    let all = front_end.finish(&id);
    assert_eq!(reply_to(&all, &id).unwrap()["status"], "ok");
    let grown = peak_kb(kernel).saturating_sub(before);
    assert!(grown < GROWTH_KB, "the kernel grew by {grown} kB");
    assert_eq!(front_end.value("1 + 1"), "2");
    stream_text(&all, &id, "stdout")
}

/// The most memory that a process has had, in kB.
fn peak_kb(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number.unwrap().parse().unwrap()
}

#[test]
fn a_million_lines_are_counted() {
    let text = flood("for n in 0..1_000_000 { println!(\"{n}\"); }");
    let skipped = text.lines().filter_map(|line| line.strip_prefix("... "));
    let skipped: usize = skipped
        .map(|rest| rest.split(' ').next().unwrap().parse::<usize>().unwrap())
        .sum();
    let shown = text
        .lines()
        .filter(|line| !line.starts_with("... "))
        .count();
    assert_eq!(shown + skipped, 1_000_000);
}

#[test]
fn one_endless_line_is_cut_and_its_length_said() {
    let text = flood(
        "use std::io::Write; let line = \"x\".repeat(100 << 20); std::io::stdout().write_all(line.as_bytes())?; drop(line);",
    );
    let shown = text.bytes().filter(|byte| *byte == b'x').count();
    assert!(shown < 8 << 20, "{shown} bytes were shown");
    // Between two stretches that are shown, or behind the last one.
    assert!(
        text.contains(" bytes skipped"),
        "{shown} bytes and not a word"
    );
}

#[test]
fn bytes_that_are_no_text_are_shown_as_such() {
    let text = flood(
        "use std::io::Write; std::io::stdout().write_all(&[0xff, b'a', 0xc3, b'\\n', 0x80])?;",
    );
    assert_eq!(text, "\u{fffd}a\u{fffd}\n\u{fffd}");
}
