//! What `:vars` and the list of variables say.

use crate::front_end::{FrontEnd, reply_to};

/// Runs a cell and returns its value as text and as HTML.
fn shown(front_end: &mut FrontEnd, code: &str) -> (String, String) {
    let id = front_end.execute(code);
    let all = front_end.finish(&id);
    let reply = reply_to(&all, &id).unwrap();
    assert_eq!(reply["status"], "ok", "{code}: {reply}");
    let result = all
        .iter()
        .find(|heard| heard.message_type == "execute_result")
        .expect("it has a value");
    let part = |kind: &str| result.content["data"][kind].as_str().unwrap_or_default();
    (part("text/plain").to_owned(), part("text/html").to_owned())
}

/// The line of the table that is about `name`, cell by cell.
fn line<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    let line = text
        .lines()
        .find(|line| line.split_whitespace().next() == Some(name))
        .unwrap_or_else(|| panic!("no line for {name} in\n{text}"));
    line.split("  ")
        .map(str::trim)
        .filter(|cell| !cell.is_empty())
        .collect()
}

#[test]
fn vars_says_type_size_shape_and_value() {
    let mut front_end = FrontEnd::start();
    front_end.value(
        "let frame = df!(\"zone\" => [\"a\", \"b\", \"c\"], \"fare\" => [1.0, 2.0, 3.0])?;\nlet mut count = 3_i64;\nlet list = vec![0_u8; 2000];\nlet text = \"a < b\";\nlet later = frame.clone().lazy();\nstruct Own { a: u64, b: u64 }\nlet own = Own { a: 1, b: 2 };\nlet map = std::collections::HashMap::from([(\"k\".to_string(), 1_i64)]);",
    );
    let (text, html) = shown(&mut front_end, ":vars");
    let frame = line(&text, "frame");
    assert_eq!(
        (frame[1], frame[3], frame[4]),
        ("DataFrame", "3 × 2", "zone, fare"),
        "{text}"
    );
    assert_eq!(line(&text, "count"), ["count", "mut", "i64", "8 B", "3"]);
    assert_eq!(line(&text, "list"), ["list", "Vec<u8>", "2.0 kB", "2,000"]);
    assert_eq!(line(&text, "own"), ["own", "Own", "16 B"]);
    assert_eq!(line(&text, "text")[1..3], ["&str", "16 B"]);
    assert_eq!(line(&text, "map")[3], "1");
    assert!(
        line(&text, "later").last().unwrap().contains(".collect()?"),
        "{text}"
    );
    assert!(
        html.contains("<th scope=\"row\"") && html.contains("a &lt; b"),
        "{html}"
    );
}

#[test]
fn vars_follows_what_a_cell_changes_and_drops() {
    let mut front_end = FrontEnd::start();
    front_end.value("let mut list = vec![1_i32]; let gone = 1;");
    front_end.value("list.extend([2, 3]);");
    assert_eq!(line(&shown(&mut front_end, ":vars").0, "list")[4], "3");
    // A cell that fails keeps its variables, and what it did to them before.
    let id = front_end.execute("list.push(4); let gone = gone; panic!(\"no\");");
    front_end.finish(&id);
    assert_eq!(line(&shown(&mut front_end, ":vars").0, "list")[4], "4");
    front_end.value("drop(list);");
    let (text, _) = shown(&mut front_end, ":vars");
    assert!(!text.contains("list"), "{text}");
}

#[test]
fn a_very_long_value_is_cut_and_says_so() {
    let mut front_end = FrontEnd::start();
    let (text, _) = shown(&mut front_end, "vec![7_u8; 1_000_000]");
    assert!(text.starts_with("[7, 7, 7") && text.len() < 21_000);
    assert!(
        text.ends_with("(cut at 20000 bytes)"),
        "{}",
        &text[text.len() - 60..]
    );
}
