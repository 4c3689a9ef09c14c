//! What the kernel answers beside cells, also while one runs.

use headwater_kernel::run::client::{Channel, Heard};
use jupyter_zmq_client::create_client_heartbeat_connection;
use serde_json::json;

use crate::front_end::{FrontEnd, published, reply_to};

#[test]
fn kernel_info_names_rust_and_protocol_5_4() {
    let mut front_end = FrontEnd::start();
    let info = front_end.answer("kernel_info_request", json!({}));
    assert_eq!(info["status"], "ok");
    assert_eq!(info["protocol_version"], "5.4");
    assert_eq!(info["implementation"], "headwater");
    assert_eq!(info["language_info"]["name"], "rust");
    assert_eq!(info["language_info"]["mimetype"], "text/rust");
    assert_eq!(info["language_info"]["file_extension"], ".rs");
    assert_eq!(info["language_info"]["codemirror_mode"], "rust");
    for link in info["help_links"].as_array().unwrap() {
        assert!(
            link["url"].as_str().unwrap().starts_with("https://"),
            "{link}"
        );
    }
}

#[test]
fn completeness_tells_an_open_brace_from_a_mistake() {
    let mut front_end = FrontEnd::start();
    for (code, status) in [
        ("1 + 1", "complete"),
        ("fn f() {", "incomplete"),
        ("let )", "invalid"),
        (":dep serde\nuse serde::", "unknown"),
    ] {
        let reply = front_end.answer("is_complete_request", json!({"code": code}));
        assert_eq!(reply["status"], status, "{code}");
    }
}

#[test]
fn variables_are_completed_and_inspected() {
    let mut front_end = FrontEnd::start();
    front_end.run("let departure_count = 3_i64;");
    let code = "let é = departure_c";
    let content = json!({"code": code, "cursor_pos": code.chars().count()});
    let reply = front_end.answer("complete_request", content);
    assert_eq!(reply["status"], "ok");
    assert_eq!(reply["matches"], json!(["departure_count"]));
    assert_eq!(reply["cursor_start"], 8, "cursors count letters, not bytes");
    assert_eq!(reply["cursor_end"], 19);
    let content = json!({"code": "departure_count", "cursor_pos": 4, "detail_level": 0});
    let reply = front_end.answer("inspect_request", content);
    assert_eq!(reply["found"], true);
    assert!(
        reply["data"]["text/plain"]
            .as_str()
            .unwrap()
            .contains("i64"),
        "{reply}"
    );
}

#[test]
fn unknown_request_is_told_so() {
    let mut front_end = FrontEnd::start();
    let id = front_end.ask(Channel::Control, "create_subshell_request", json!({}));
    let all = front_end.finish(&id);
    let reply = all
        .iter()
        .find(|heard| heard.is_reply(&id, "create_subshell_reply"))
        .unwrap();
    assert_eq!(reply.content["status"], "error");
}

#[test]
fn debugger_is_refused_in_both_protocols() {
    let mut front_end = FrontEnd::start();
    let content = json!({"type": "request", "command": "attach", "seq": 7, "arguments": {}});
    let id = front_end.ask(Channel::Control, "debug_request", content);
    let all = front_end.finish(&id);
    let reply = reply_to(&all, &id).unwrap();
    assert_eq!(reply["status"], "error");
    assert_eq!(reply["success"], false);
    assert_eq!(reply["request_seq"], 7);
}

#[test]
fn connect_request_tells_the_ports() {
    let mut front_end = FrontEnd::start();
    let reply = front_end.answer("connect_request", json!({}));
    let info = front_end.kernel().connection();
    assert_eq!(
        reply,
        json!({
            "status": "ok", "shell_port": info.shell_port, "iopub_port": info.iopub_port,
            "stdin_port": info.stdin_port, "control_port": info.control_port,
            "hb_port": info.hb_port,
        })
    );
}

#[test]
fn cursor_defaults_to_the_end_of_the_code() {
    let mut front_end = FrontEnd::start();
    front_end.run("let departure_count = 3_i64;");
    let reply = front_end.answer("complete_request", json!({"code": "departure_c"}));
    assert_eq!(reply["matches"], json!(["departure_count"]));
    let reply = front_end.answer("inspect_request", json!({"code": "departure_count"}));
    assert_eq!(reply["found"], true);
}

#[test]
fn name_with_a_question_mark_opens_the_pager() {
    let mut front_end = FrontEnd::start();
    front_end.run("let departure_count = 3_i64; let parsed = \"5\".parse::<i32>();");
    for code in ["?departure_count", "departure_count?"] {
        let id = front_end.execute(code);
        let all = front_end.finish(&id);
        let reply = reply_to(&all, &id).unwrap();
        assert_eq!(reply["payload"][0]["source"], "page", "{reply}");
        assert_eq!(reply["payload"][0]["start"], 0);
        let text = reply["payload"][0]["data"]["text/plain"].as_str().unwrap();
        assert!(text.contains("i64"), "{text}");
        assert_eq!(published(&all, &id), ["busy", "execute_input", "idle"]);
    }
    assert_eq!(front_end.value("parsed?"), "5", "here `?` is the operator");
    let id = front_end.execute("?no_such_name");
    let all = front_end.finish(&id);
    assert_eq!(reply_to(&all, &id).unwrap()["status"], "error");
}

#[test]
fn shell_answers_while_a_cell_runs_and_the_cell_stays_busy() {
    let mut front_end = FrontEnd::start();
    let gate = front_end.gate("end");
    let cell = front_end.execute(&format!("println!(\"go\"); {}", gate.wait()));
    front_end.until(|heard| heard.message_type == "stream");
    let requests = [
        (Channel::Shell, "kernel_info_request", json!({})),
        (Channel::Shell, "comm_info_request", json!({})),
        (
            Channel::Shell,
            "complete_request",
            json!({"code": "pri", "cursor_pos": 3}),
        ),
        (
            Channel::Shell,
            "inspect_request",
            json!({"code": "pri", "cursor_pos": 3, "detail_level": 0}),
        ),
        (Channel::Shell, "is_complete_request", json!({"code": "1"})),
        (Channel::Control, "kernel_info_request", json!({})),
    ];
    for (channel, message_type, content) in requests {
        let id = front_end.ask(channel, message_type, content);
        let mut all = front_end.finish(&id);
        let is_busy_again =
            |heard: &Heard| heard.is_under(&cell) && heard.content["execution_state"] == "busy";
        if !all.iter().any(is_busy_again) {
            all.extend(front_end.until(is_busy_again));
        }
        assert!(
            !all.iter().any(|heard| heard.is_idle(&cell)),
            "the cell cannot have ended"
        );
    }
    let id = front_end.ask(
        Channel::Shell,
        "comm_msg",
        json!({"comm_id": "c1", "data": {}}),
    );
    front_end.until(|heard| heard.is_idle(&id));
    gate.open();
    let all = front_end.finish(&cell);
    assert_eq!(reply_to(&all, &cell).unwrap()["status"], "ok");
}

#[test]
fn heartbeat_is_answered_while_a_cell_runs() {
    let mut front_end = FrontEnd::start();
    let gate = front_end.gate("end");
    let cell = front_end.execute(&format!("println!(\"go\"); {}", gate.wait()));
    front_end.until(|heard| heard.message_type == "stream");
    let info = front_end.kernel().connection().clone();
    front_end.runtime().block_on(async {
        let mut heartbeat = create_client_heartbeat_connection(&info).await.unwrap();
        for _ in 0..3 {
            heartbeat.single_heartbeat().await.unwrap();
        }
    });
    gate.open();
    front_end.finish(&cell);
}
