//! Cells: values, counts, errors, interrupts, and what happens to the ones queued behind.

use headwater_kernel::run::client::Channel;
use serde_json::json;

use crate::front_end::{FrontEnd, published, reply_to, stream_text};

#[test]
fn value_of_the_last_expression_is_the_result() {
    let mut front_end = FrontEnd::start();
    let id = front_end.execute("1 + 1");
    let all = front_end.finish(&id);
    assert_eq!(
        published(&all, &id),
        ["busy", "execute_input", "execute_result", "idle"]
    );
    let input = all
        .iter()
        .find(|heard| heard.message_type == "execute_input")
        .unwrap();
    assert_eq!(input.content["code"], "1 + 1");
    let result = all
        .iter()
        .find(|heard| heard.message_type == "execute_result")
        .unwrap();
    assert_eq!(result.content["data"]["text/plain"], "2");
    assert_eq!(
        result.content["execution_count"], 1,
        "the first cell is number 1"
    );
    assert_eq!(
        result.content["transient"],
        json!({}),
        "nbclient and others want an object"
    );
    let reply = reply_to(&all, &id).unwrap();
    assert_eq!(reply["execution_count"], 1);
    assert_eq!(reply["payload"], json!([]));
    assert_eq!(reply["user_expressions"], json!({}));
}

#[test]
fn silent_cell_publishes_its_state_only_and_is_not_counted() {
    let mut front_end = FrontEnd::start();
    front_end.run("1");
    let id = front_end.execute_with("println!(\"quiet\"); 2", json!({"silent": true}));
    let all = front_end.finish(&id);
    assert_eq!(published(&all, &id), ["busy", "idle"]);
    let id = front_end.execute("3");
    let all = front_end.finish(&id);
    assert_eq!(reply_to(&all, &id).unwrap()["execution_count"], 2);
}

#[test]
fn cell_without_history_is_not_counted() {
    let mut front_end = FrontEnd::start();
    let id = front_end.execute_with("1", json!({"store_history": false}));
    let all = front_end.finish(&id);
    assert!(published(&all, &id).contains(&"execute_result".to_owned()));
    let id = front_end.execute("2");
    let all = front_end.finish(&id);
    assert_eq!(reply_to(&all, &id).unwrap()["execution_count"], 1);
}

#[test]
fn compile_error_is_an_error_on_iopub_and_in_the_reply() {
    let mut front_end = FrontEnd::start();
    let id = front_end.execute("let number: i32 = \"text\";");
    let all = front_end.finish(&id);
    assert_eq!(
        published(&all, &id),
        ["busy", "execute_input", "error", "idle"]
    );
    let error = &all
        .iter()
        .find(|heard| heard.message_type == "error")
        .unwrap()
        .content;
    let reply = reply_to(&all, &id).unwrap();
    assert_eq!(reply["status"], "error");
    for part in ["ename", "evalue", "traceback"] {
        assert_eq!(error[part], reply[part], "{part}");
    }
    assert!(
        error["evalue"]
            .as_str()
            .unwrap()
            .contains("mismatched types"),
        "{error}"
    );
}

#[test]
fn panic_is_an_error_and_the_next_cell_runs() {
    let mut front_end = FrontEnd::start();
    let id = front_end.execute("let kept = 7;");
    front_end.finish(&id);
    let id = front_end.execute("panic!(\"no such gate\")");
    let all = front_end.finish(&id);
    assert_eq!(reply_to(&all, &id).unwrap()["status"], "error");
    assert!(
        reply_to(&all, &id).unwrap()["evalue"]
            .as_str()
            .unwrap()
            .contains("no such gate")
    );
    assert_eq!(front_end.value("kept"), "7");
}

#[test]
fn cells_queued_behind_a_failed_one_are_aborted() {
    let mut front_end = FrontEnd::start();
    let gate = front_end.gate("fail");
    let first = front_end.execute(&format!(
        "println!(\"runs\"); {} panic!(\"now\")",
        gate.wait()
    ));
    front_end.until(|heard| heard.message_type == "stream");
    let second = front_end.execute("println!(\"never\")");
    let third = front_end.execute("println!(\"never\")");
    // The shell answers in order: both are queued when this reply comes.
    let info = front_end.ask(Channel::Shell, "kernel_info_request", json!({}));
    front_end.until(|heard| heard.is_reply(&info, "kernel_info_reply"));
    gate.open();
    let all = front_end.finish(&third);
    assert_eq!(reply_to(&all, &first).unwrap()["status"], "error");
    for aborted in [&second, &third] {
        assert_eq!(reply_to(&all, aborted).unwrap()["status"], "aborted");
        assert_eq!(published(&all, aborted), ["busy", "idle"]);
    }
    assert_eq!(front_end.value("1 + 1"), "2", "a cell sent afterwards runs");
}

#[test]
fn cells_behind_a_failed_one_run_where_the_front_end_wants_it() {
    let mut front_end = FrontEnd::start();
    let gate = front_end.gate("fail");
    let code = format!("println!(\"runs\"); {} panic!(\"now\")", gate.wait());
    front_end.execute_with(&code, json!({"stop_on_error": false}));
    front_end.until(|heard| heard.message_type == "stream");
    let second = front_end.execute("2");
    gate.open();
    let all = front_end.finish(&second);
    assert_eq!(reply_to(&all, &second).unwrap()["status"], "ok");
}

#[test]
fn interrupt_stops_the_cell_and_keeps_the_variables() {
    let mut front_end = FrontEnd::start();
    front_end.run("let kept = 7;");
    let id = front_end.execute(ENDLESS);
    front_end.until(|heard| heard.message_type == "stream");
    let interrupt = front_end.ask(Channel::Control, "interrupt_request", json!({}));
    let mut all = front_end.until(|heard| heard.is_idle(&id));
    while reply_to(&all, &id).is_none() || reply_to(&all, &interrupt).is_none() {
        all.push(front_end.hear());
    }
    assert_eq!(reply_to(&all, &interrupt).unwrap()["status"], "ok");
    assert_eq!(reply_to(&all, &id).unwrap()["status"], "error");
    assert_eq!(front_end.value("kept"), "7");
}

#[test]
fn interrupt_between_cells_does_nothing() {
    let mut front_end = FrontEnd::start();
    front_end.run("let kept = 7;");
    let id = front_end.ask(Channel::Control, "interrupt_request", json!({}));
    let all = front_end.finish(&id);
    assert_eq!(reply_to(&all, &id).unwrap()["status"], "ok");
    assert_eq!(front_end.value("kept"), "7");
}

#[test]
fn aborted_child_is_an_error_and_the_kernel_goes_on() {
    let mut front_end = FrontEnd::start();
    front_end.run("let lost = 7;");
    let id = front_end.execute("println!(\"last words\"); std::process::abort()");
    let all = front_end.finish(&id);
    let reply = reply_to(&all, &id).unwrap();
    assert_eq!(reply["status"], "error");
    assert!(
        reply["evalue"].as_str().unwrap().contains("lost"),
        "{reply}"
    );
    assert_eq!(stream_text(&all, &id, "stdout"), "last words\n");
    assert_eq!(front_end.value("1 + 1"), "2");
}

/// A cell that waits as the library's calls do.
pub const ENDLESS: &str = "println!(\"go\");
loop {
    headwater::streams::interrupt::check()?;
    std::thread::sleep(std::time::Duration::from_millis(5));
}";
