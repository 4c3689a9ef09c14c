//! Cells that read stdin: the person is asked, or the read fails with a reason.

use headwater_kernel::run::client::{Channel, Heard};
use serde_json::json;

use crate::front_end::{FrontEnd, reply_to, stream_text};

const READ: &str = "let mut line = String::new();
std::io::stdin().read_line(&mut line)?;
line";

fn ask_for(front_end: &mut FrontEnd, code: &str) -> (String, Vec<Heard>) {
    let id = front_end.execute_with(code, json!({"allow_stdin": true}));
    (id, front_end.until(|heard| heard.channel == Channel::Stdin))
}

fn type_in(front_end: &mut FrontEnd, line: &str) {
    front_end.ask(Channel::Stdin, "input_reply", json!({"value": line}));
}

#[test]
fn read_line_asks_the_person_with_the_unfinished_line_as_prompt() {
    let mut front_end = FrontEnd::start();
    let code = format!("println!(\"Hello.\");\nprint!(\"name? \");\n{READ}");
    let (id, asked) = ask_for(&mut front_end, &code);
    let question = asked.last().unwrap();
    assert_eq!(question.message_type, "input_request");
    assert!(question.is_under(&id));
    assert_eq!(
        question.content,
        json!({"prompt": "name? ", "password": false})
    );
    type_in(&mut front_end, "Ada");
    let mut all = front_end.finish(&id);
    all.splice(0..0, asked);
    assert_eq!(
        stream_text(&all, &id, "stdout"),
        "Hello.\n",
        "the prompt is not shown twice"
    );
    let result = all
        .iter()
        .find(|heard| heard.message_type == "execute_result");
    assert_eq!(result.unwrap().content["data"]["text/plain"], "\"Ada\\n\"");
}

#[test]
fn lines_are_asked_for_one_by_one() {
    let mut front_end = FrontEnd::start();
    let code = "std::io::stdin().lines().map(|line| line.unwrap()).take_while(|line| !line.is_empty()).collect::<Vec<_>>()";
    let (id, _) = ask_for(&mut front_end, code);
    for line in ["grün", "€"] {
        type_in(&mut front_end, line);
        front_end.until(|heard| heard.channel == Channel::Stdin);
    }
    type_in(&mut front_end, "");
    let all = front_end.finish(&id);
    let result = all
        .iter()
        .find(|heard| heard.message_type == "execute_result");
    assert_eq!(
        result.unwrap().content["data"]["text/plain"],
        "[\"grün\", \"€\"]"
    );
}

#[test]
fn password_is_asked_for_as_one() {
    let mut front_end = FrontEnd::start();
    let (id, asked) = ask_for(&mut front_end, "read_password(\"token: \")?.len()");
    let question = &asked.last().unwrap().content;
    assert_eq!(*question, json!({"prompt": "token: ", "password": true}));
    type_in(&mut front_end, "secret");
    let all = front_end.finish(&id);
    let result = all
        .iter()
        .find(|heard| heard.message_type == "execute_result");
    assert_eq!(result.unwrap().content["data"]["text/plain"], "6");
}

#[test]
fn front_end_without_input_makes_the_read_fail_with_a_reason() {
    let mut front_end = FrontEnd::start();
    front_end.run("let kept = 7;");
    let id = front_end.execute(READ);
    let all = front_end.finish(&id);
    let reply = reply_to(&all, &id).unwrap();
    assert_eq!(reply["status"], "error");
    assert_eq!(reply["ename"], "NoInput", "{reply}");
    let reason = reply["evalue"].as_str().unwrap();
    assert!(reason.contains("this front end takes no input"), "{reason}");
    assert_eq!(front_end.value("kept"), "7");
}

#[test]
fn interrupt_ends_the_wait_and_keeps_the_variables() {
    let mut front_end = FrontEnd::start();
    front_end.run("let kept = 7;");
    let (id, _) = ask_for(&mut front_end, READ);
    front_end.ask(Channel::Control, "interrupt_request", json!({}));
    let all = front_end.finish(&id);
    let reply = reply_to(&all, &id).unwrap();
    assert_eq!(reply["ename"], "Interrupted", "{reply}");
    type_in(&mut front_end, "too late");
    assert_eq!(front_end.value("kept"), "7");
    let (id, _) = ask_for(&mut front_end, READ);
    type_in(&mut front_end, "in time");
    let all = front_end.finish(&id);
    let result = all
        .iter()
        .find(|heard| heard.message_type == "execute_result");
    assert_eq!(
        result.unwrap().content["data"]["text/plain"],
        "\"in time\\n\""
    );
}

#[test]
fn kernel_stops_while_a_cell_waits_for_input() {
    let mut front_end = FrontEnd::start();
    ask_for(&mut front_end, READ);
    assert!(front_end.stop(), "it ends by itself");
}

#[test]
fn child_that_dies_while_it_waits_leaves_no_question_behind() {
    let mut front_end = FrontEnd::start();
    let gate = front_end.gate("asked");
    let code = format!(
        "std::thread::spawn(|| {{ {} std::process::abort() }});\n{READ}",
        gate.wait()
    );
    let (id, _) = ask_for(&mut front_end, &code);
    gate.open();
    let all = front_end.finish(&id);
    assert_eq!(reply_to(&all, &id).unwrap()["ename"], "ChildDied");
    let (id, _) = ask_for(&mut front_end, READ);
    type_in(&mut front_end, "new child");
    let all = front_end.finish(&id);
    assert_eq!(reply_to(&all, &id).unwrap()["status"], "ok");
}

#[test]
fn thread_that_outlives_its_cell_is_told_that_nobody_can_be_asked() {
    let mut front_end = FrontEnd::start();
    let gate = front_end.gate("cell has ended");
    let code = format!(
        "let reader = std::thread::spawn(|| {{ {} std::io::stdin().read_line(&mut String::new()).is_err() }});",
        gate.wait()
    );
    let id = front_end.execute_with(&code, json!({"allow_stdin": true}));
    front_end.finish(&id);
    gate.open();
    let said = front_end.until(|heard| heard.message_type == "stream");
    let text = said.last().unwrap().content["text"].as_str().unwrap();
    assert!(text.contains("does not run any more"), "{text}");
    assert_eq!(front_end.value("reader.join().unwrap()"), "true");
}

#[test]
fn programs_that_a_cell_starts_find_no_input() {
    let mut front_end = FrontEnd::start();
    let code = "std::process::Command::new(\"cat\").status()?.code()";
    assert_eq!(front_end.value(code), "Some(0)");
}
