//! `user_expressions`: evaluated after a cell, for the front end alone.

use serde_json::json;

use crate::front_end::{FrontEnd, published, reply_to};

#[test]
fn expressions_see_the_cell_and_are_not_shown() {
    let mut front_end = FrontEnd::start();
    let wanted = json!({"sum": "a + 1", "wrong": "b + 1", "text": "\"x\"", "unit": "()", "made": "let c = 1;"});
    let id = front_end.execute_with("let a = 41;", json!({"user_expressions": wanted}));
    let all = front_end.finish(&id);
    assert_eq!(published(&all, &id), ["busy", "execute_input", "idle"]);
    let reply = reply_to(&all, &id).unwrap();
    let values = &reply["user_expressions"];
    let plain = |text: &str| json!({"status": "ok", "data": {"text/plain": text}, "metadata": {}});
    assert_eq!(values["sum"], plain("42"));
    assert_eq!(values["text"], plain("\"x\""));
    assert_eq!(values["unit"], plain("()"));
    for wrong in ["wrong", "made"] {
        assert_eq!(values[wrong]["status"], "error", "{wrong}");
        assert!(values[wrong]["traceback"].is_array());
    }
    assert_eq!(front_end.value("a"), "41");
}

#[test]
fn failed_cell_evaluates_no_expressions() {
    let mut front_end = FrontEnd::start();
    let fields = json!({"user_expressions": {"one": "1"}});
    let id = front_end.execute_with("panic!(\"no\")", fields);
    let all = front_end.finish(&id);
    let reply = reply_to(&all, &id).unwrap();
    assert_eq!(reply["status"], "error");
    assert!(reply.get("user_expressions").is_none(), "{reply}");
}

#[test]
fn silent_cell_gives_its_expressions() {
    let mut front_end = FrontEnd::start();
    let fields = json!({"silent": true, "user_expressions": {"one": "1"}});
    let id = front_end.execute_with("", fields);
    let all = front_end.finish(&id);
    assert_eq!(published(&all, &id), ["busy", "idle"]);
    let reply = reply_to(&all, &id).unwrap();
    assert_eq!(reply["user_expressions"]["one"]["data"]["text/plain"], "1");
}
