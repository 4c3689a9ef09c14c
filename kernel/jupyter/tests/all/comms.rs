//! Comms: the one target that is known, and the ones that are not.

use headwater_kernel::run::client::{Channel, Heard};
use serde_json::{Value, json};

use crate::front_end::{FrontEnd, published};

const TARGET: &str = "headwater.variables";

fn open(front_end: &mut FrontEnd, id: &str, target: &str) -> Vec<Heard> {
    let content = json!({"comm_id": id, "target_name": target, "data": {}});
    let id = front_end.ask(Channel::Shell, "comm_open", content);
    let all = front_end.until(|heard| heard.is_idle(&id));
    let said = published(&all, &id);
    assert_eq!((said[0].as_str(), said.len()), ("busy", 3), "{said:?}");
    all
}

fn names(all: &[Heard]) -> Vec<Value> {
    let message = all.iter().find(|heard| heard.message_type == "comm_msg");
    let list = message.expect("the list of variables").content["data"]["variables"].clone();
    let list = list.as_array().unwrap().iter();
    list.map(|variable| variable["name"].clone()).collect()
}

#[test]
fn comm_of_an_unknown_target_is_closed_again() {
    let mut front_end = FrontEnd::start();
    let all = open(&mut front_end, "c1", "nobody");
    assert!(all.iter().any(|heard| heard.message_type == "comm_close"));
    let reply = front_end.answer("comm_info_request", json!({}));
    assert_eq!(reply["comms"], json!({}));
}

#[test]
fn variables_are_sent_on_open_and_after_each_cell() {
    let mut front_end = FrontEnd::start();
    front_end.run("let a = 1;");
    let all = open(&mut front_end, "panel", TARGET);
    assert_eq!(names(&all), ["a"]);
    let id = front_end.execute("let b = 2;");
    let all = front_end.finish(&id);
    assert_eq!(names(&all), ["a", "b"]);
    assert_eq!(
        published(&all, &id),
        ["busy", "execute_input", "comm_msg", "idle"]
    );
    front_end.ask(
        Channel::Shell,
        "comm_close",
        json!({"comm_id": "panel", "data": {}}),
    );
    let id = front_end.execute("let c = 3;");
    let all = front_end.finish(&id);
    assert_eq!(published(&all, &id), ["busy", "execute_input", "idle"]);
}

#[test]
fn variable_comes_with_type_size_shape_and_columns() {
    let mut front_end = FrontEnd::start();
    front_end
        .run("let delays = df!(\"origin\" => [\"JFK\", \"LGA\"], \"minutes\" => [3.5, 4.0])?;");
    let all = open(&mut front_end, "panel", TARGET);
    let message = all.iter().find(|heard| heard.message_type == "comm_msg");
    let variable = &message.unwrap().content["data"]["variables"][0];
    assert_eq!(variable["name"], "delays");
    assert_eq!(variable["type"], "DataFrame");
    assert!(variable["bytes"].as_u64().unwrap() > 0, "{variable}");
    assert_eq!(variable["columns"][0][0], "origin", "{variable}");
    assert!(
        variable["shape"].as_str().unwrap().contains('2'),
        "{variable}"
    );
}

#[test]
fn open_comms_are_listed_by_target() {
    let mut front_end = FrontEnd::start();
    open(&mut front_end, "panel", TARGET);
    let listed = json!({"panel": {"target_name": TARGET}});
    for (question, expected) in [
        (json!({}), listed.clone()),
        (json!({"target_name": TARGET}), listed),
        (json!({"target_name": "jupyter.widget"}), json!({})),
    ] {
        let reply = front_end.answer("comm_info_request", question);
        assert_eq!(reply["comms"], expected);
    }
}

#[test]
fn message_is_answered_while_a_cell_runs_with_its_buffers() {
    let mut front_end = FrontEnd::start();
    open(&mut front_end, "panel", TARGET);
    let gate = front_end.gate("end");
    let cell = front_end.execute(&format!("println!(\"go\"); {}", gate.wait()));
    front_end.until(|heard| heard.message_type == "stream");
    let id = front_end.ask_with(
        Channel::Shell,
        "comm_msg",
        json!({"comm_id": "panel", "data": {"refresh": true}}),
        vec![b"\x00\xff".to_vec()],
    );
    let all = front_end
        .until(|heard| heard.is_under(&cell) && heard.content["execution_state"] == "busy");
    assert_eq!(published(&all, &id), ["busy", "comm_msg", "idle"]);
    let message = all
        .iter()
        .find(|heard| heard.message_type == "comm_msg")
        .unwrap();
    assert_eq!(message.buffers, [&b"\x00\xff"[..]]);
    gate.open();
    front_end.finish(&cell);
}
