//! Completion and inspection over the real sockets.

use headwater_kernel::run::client::Channel;
use serde_json::{Value, json};

use crate::front_end::{FrontEnd, reply_to};

/// Asks at the `¦` in `code`.
fn ask(front_end: &mut FrontEnd, message_type: &str, code: &str) -> Value {
    let at = code.find('¦').expect("the cursor is marked");
    let content = json!({
        "code": code.replacen('¦', "", 1),
        "cursor_pos": code[..at].chars().count(),
        "detail_level": 0,
    });
    let id = front_end.ask(Channel::Shell, message_type, content);
    let all = front_end.finish(&id);
    reply_to(&all, &id).unwrap()
}

fn matches(front_end: &mut FrontEnd, code: &str) -> Vec<String> {
    let reply = ask(front_end, "complete_request", code);
    assert_eq!(reply["status"], "ok", "{reply}");
    let matches = reply["matches"].as_array().unwrap().iter();
    matches
        .map(|text| text.as_str().unwrap().to_owned())
        .collect()
}

fn explained(front_end: &mut FrontEnd, code: &str) -> String {
    let reply = ask(front_end, "inspect_request", code);
    assert_eq!(reply["found"], true, "{code}: {reply}");
    reply["data"]["text/plain"].as_str().unwrap().to_owned()
}

/// A session with a frame, a topic's stream and types of its own.
fn session() -> FrontEnd {
    let mut front_end = FrontEnd::start();
    front_end.value(
        "let flights = df!(\"dep delay\" => [1.5, 2.0], \"origin\" => [\"EWR\", \"JFK\"])?;\nlet other = df!(\"fare\" => [1])?;\nlet names = vec![String::from(\"a\")];",
    );
    front_end.value(
        "/// A trip in a cab.\n#[derive(Debug, Clone)]\nstruct Trip { fare_usd: f64, stops: Vec<String> }\nimpl Trip {\n    /// Adds a fifth.\n    fn with_tip(&self) -> f64 { self.fare_usd * 1.2 }\n    fn new(fare_usd: f64) -> Trip { Trip { fare_usd, stops: vec![] } }\n}\nenum Light { Red, Green }\nmod shapes { pub const SIDES: u32 = 3; pub fn area() -> f64 { 1.0 } }\nlet trip = Trip::new(2.5);",
    );
    front_end
}

#[test]
fn completion_follows_types_through_variables_calls_and_closures() {
    let mut front_end = session();
    for (code, expected) in [
        ("fli¦", "flights"),
        ("trip.¦", "fare_usd"),
        ("trip.with¦", "with_tip"),
        ("trip.stops.¦", "push"),
        ("trip.clone().stops[0].to_up¦", "to_uppercase"),
        ("trip.clo¦", "clone"),
        ("Trip::¦", "new"),
        ("Light::¦", "Green"),
        ("impl Trip { fn free() -> Self { Self::¦", "new"),
        ("impl Trip { fn free() -> Self { Self { sto¦", "stops"),
        ("#[derive(Deb¦", "Debug"),
        ("topic.read(Earl¦", "Earliest"),
        ("let some = So¦", "Some"),
        ("let set = dataset(\"fli¦", "flights"),
        ("let seen: HashS¦", "std::collections::HashSet"),
        ("shapes::¦", "SIDES"),
        ("flights.he¦", "height"),
        ("flights.clone().la¦", "lazy"),
        ("flights.clone().lazy().fil¦", "filter"),
        ("flights.clone().lazy().filter(col(\"fare\").g¦)", "gt"),
        ("names.iter().map(|name| name.le¦)", "len"),
        ("names.it¦", "iter"),
        ("names.iter().ma¦", "map"),
        ("let text = names[0].clone();\nif text.is_em¦", "is_empty"),
        ("fn cost(trip: &Trip) -> f64 { trip.fa¦", "fare_usd"),
        ("let pair = (1, \"a\"); pair.¦", "1"),
        ("\"text\".par¦", "parse"),
        ("Some(3).unwrap_¦", "unwrap_or_default"),
        ("std::collections::Hash¦", "HashMap"),
        ("use std::{fmt, collections::BT¦", "BTreeMap"),
        ("polars::prelude::Data¦", "DataFrame"),
        ("Cluster::emb¦", "embedded"),
        ("Vec::with¦", "with_capacity"),
        ("f64::MA¦", "MAX"),
        ("Data¦", "DataFrame"),
        ("print¦", "println!"),
        ("let inner_name = 1; inner¦", "inner_name"),
        ("mat¦", "match"),
        (":va¦", ":vars"),
        ("Chart::line(\"a\", \"b\").ti¦", "title"),
    ] {
        let found = matches(&mut front_end, code);
        assert!(
            found.iter().any(|text| text == expected),
            "{code}: wanted {expected}, got {found:?}"
        );
    }
}

#[test]
fn a_columns_name_is_offered_where_a_column_is_named() {
    let mut front_end = session();
    for (code, expected) in [
        (
            "flights.clone().lazy().select([col(\"¦",
            ["dep delay", "origin"],
        ),
        ("flights.column(\"¦\")?", ["dep delay", "origin"]),
        ("flights.sort([\"¦", ["dep delay", "origin"]),
    ] {
        let found = matches(&mut front_end, code);
        assert_eq!(
            found[..2],
            expected,
            "{code}: those of the frame come first"
        );
        assert!(found.contains(&"fare".to_owned()), "{found:?}");
    }
    let reply = ask(&mut front_end, "complete_request", "col(\"dep de¦\")");
    assert_eq!(reply["matches"], json!(["dep delay"]));
    assert_eq!(
        (&reply["cursor_start"], &reply["cursor_end"]),
        (&json!(5), &json!(11))
    );
    assert_eq!(
        matches(&mut front_end, "println!(\"¦"),
        Vec::<String>::new()
    );
}

#[test]
fn matches_carry_kind_and_signature_for_jupyterlab() {
    let mut front_end = session();
    let reply = ask(&mut front_end, "complete_request", "trip.with_t¦");
    let kinds = &reply["metadata"]["_jupyter_types_experimental"];
    assert_eq!(kinds[0]["text"], "with_tip");
    assert_eq!(kinds[0]["type"], "method");
    assert_eq!(kinds[0]["signature"], "fn with_tip(&self) -> f64");
    assert_eq!(
        (&kinds[0]["start"], &kinds[0]["end"]),
        (&json!(5), &json!(11))
    );
}

#[test]
fn inspection_shows_signature_and_documentation() {
    let mut front_end = session();
    for (code, expected) in [
        (
            "flights.clone().lazy().fil¦ter(lit(true))",
            "fn filter(self, predicate: Expr) -> LazyFrame",
        ),
        ("trip.with_t¦ip()", "Adds a fifth."),
        ("Tri¦p", "A trip in a cab."),
        ("Vec::with_cap¦acity(3)", "capacity"),
        ("names.pus¦h(1)", "Appends an element"),
        ("std::collections::HashM¦ap", "hash map"),
        ("col¦(\"a\")", "Expr"),
        ("Cluster::embe¦dded()", "-> Result<Cluster, Error>"),
        ("print¦ln!()", "Prints to the standard output"),
        ("flig¦hts", "2 × 2"),
        ("flig¦hts", "- dep delay (f64)"),
        ("flig¦hts", "2.0  JFK"),
        ("let mine = vec![1u8]; min¦e", "Vec<u8>"),
        ("flights.column(¦", "fn column"),
        ("mat¦ch", "every case"),
        ("col(\"ori¦gin\")", "origin: str"),
    ] {
        let text = explained(&mut front_end, code);
        assert!(
            text.contains(expected),
            "{code}: wanted {expected:?}, got\n{text}"
        );
    }
    let reply = ask(&mut front_end, "inspect_request", "Tri¦p");
    let markdown = reply["data"]["text/markdown"].as_str().unwrap();
    assert!(markdown.starts_with("```rust\nstruct Trip"), "{markdown}");
    let nothing = ask(&mut front_end, "inspect_request", "1 + ¦");
    assert_eq!(nothing["found"], false);
}

#[test]
fn completion_answers_while_a_cell_runs() {
    let mut front_end = session();
    let gate = front_end.gate("end");
    let cell = front_end.execute(&format!("println!(\"go\"); {}", gate.wait()));
    front_end.until(|heard| heard.message_type == "stream");
    let found = matches(&mut front_end, "names[0].to_low¦");
    assert!(found.contains(&"to_lowercase".to_owned()), "{found:?}");
    gate.open();
    front_end.finish(&cell);
}
