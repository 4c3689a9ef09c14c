//! The history of cells: what is kept, what is found, and what happens to a broken file.

use std::path::Path;

use headwater_kernel::run::client::Channel;
use serde_json::{Value, json};

use crate::front_end::{FrontEnd, reply_to};

const FILE: &str = "HEADWATER_HISTORY";

fn kernel_with(file: &Path) -> FrontEnd {
    FrontEnd::start_with(&[(FILE, file.to_str().unwrap())])
}

fn history(front_end: &mut FrontEnd, question: Value) -> Value {
    let mut content = json!({"output": false, "raw": true});
    for (name, value) in question.as_object().unwrap() {
        content[name] = value.clone();
    }
    let reply = front_end.answer("history_request", content);
    assert_eq!(reply["status"], "ok");
    reply["history"].clone()
}

#[test]
fn cells_are_kept_across_kernels_and_found_by_session() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("history.sqlite");
    let mut first = kernel_with(&file);
    first.run("1 + 1");
    first.run("let a = 2;");
    assert!(first.stop());
    let mut second = kernel_with(&file);
    second.run("a + 3");
    let tail = history(&mut second, json!({"hist_access_type": "tail", "n": 2}));
    assert_eq!(tail, json!([[1, 2, "let a = 2;"], [2, 1, "a + 3"]]));
    let before =
        json!({"hist_access_type": "range", "session": -1, "start": 1, "stop": 2, "output": true});
    assert_eq!(
        history(&mut second, before),
        json!([[1, 1, ["1 + 1", "2"]]])
    );
    let this = json!({"hist_access_type": "range", "session": 0});
    assert_eq!(history(&mut second, this), json!([[2, 1, "a + 3"]]));
    let failed = json!({"hist_access_type": "tail", "n": 1, "output": true});
    assert_eq!(
        history(&mut second, failed),
        json!([[2, 1, ["a + 3", null]]])
    );
}

#[test]
fn two_kernels_share_one_history() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("history.sqlite");
    let (mut one, mut other) = (kernel_with(&file), kernel_with(&file));
    let tail = || json!({"hist_access_type": "tail", "n": 9});
    for (front_end, code) in [(&mut one, ":vars"), (&mut other, ":help")] {
        front_end.run(code);
        // A kernel answers this when its own cells are in the file.
        history(front_end, tail());
    }
    one.run(":type x");
    let all = json!([[1, 1, ":vars"], [2, 1, ":help"], [1, 2, ":type x"]]);
    assert_eq!(history(&mut one, tail()), all);
    assert_eq!(history(&mut other, tail()), all);
}

#[test]
fn search_finds_patterns_newest_last() {
    let mut front_end = FrontEnd::start();
    for code in [":vars", ":help", ":vars"] {
        front_end.run(code);
    }
    let search = |fields: Value| {
        let mut all = json!({"hist_access_type": "search", "pattern": ":v*"});
        for (name, value) in fields.as_object().unwrap() {
            all[name] = value.clone();
        }
        all
    };
    let found = history(&mut front_end, search(json!({})));
    assert_eq!(found, json!([[1, 1, ":vars"], [1, 3, ":vars"]]));
    let found = history(&mut front_end, search(json!({"unique": true})));
    assert_eq!(found, json!([[1, 3, ":vars"]]));
    let found = history(&mut front_end, search(json!({"pattern": "*", "n": 2})));
    assert_eq!(found, json!([[1, 2, ":help"], [1, 3, ":vars"]]));
}

#[test]
fn cells_that_ask_for_it_are_not_kept() {
    let mut front_end = FrontEnd::start();
    for fields in [json!({"silent": true}), json!({"store_history": false})] {
        let id = front_end.execute_with(":vars", fields);
        front_end.finish(&id);
    }
    let tail = history(&mut front_end, json!({"hist_access_type": "tail", "n": 9}));
    assert_eq!(tail, json!([]));
}

#[test]
fn broken_file_is_left_alone_and_the_kernel_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("history.sqlite");
    let text = "this was never a database, and it is longer than a header of one hundred bytes so that nothing can be taken for one";
    std::fs::write(&file, text).unwrap();
    for place in [file.as_path(), Path::new("/proc/no/such/folder")] {
        let mut front_end = kernel_with(place);
        front_end.run(":vars");
        let tail = history(&mut front_end, json!({"hist_access_type": "tail", "n": 9}));
        assert_eq!(tail, json!([[1, 1, ":vars"]]), "{}", place.display());
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
}

#[test]
fn cell_that_ends_the_kernel_is_in_the_history() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("history.sqlite");
    let mut front_end = kernel_with(&file);
    let gate = front_end.gate("never");
    let code = format!("println!(\"runs\"); {}", gate.wait());
    front_end.execute(&code);
    front_end.until(|heard| heard.message_type == "stream");
    drop(front_end);
    let mut next = kernel_with(&file);
    let id = next.ask(
        Channel::Shell,
        "history_request",
        json!({"hist_access_type": "tail", "n": 1, "output": false, "raw": true}),
    );
    let all = next.finish(&id);
    assert_eq!(
        reply_to(&all, &id).unwrap()["history"],
        json!([[1, 1, code]])
    );
}
