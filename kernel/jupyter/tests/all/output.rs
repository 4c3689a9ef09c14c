//! Output: live, in order, under the cell that caused it, and never too much.

use crate::broken_messages::{greet, send_parts};
use crate::front_end::{FrontEnd, published, reply_to, stream_text};

/// A bundle of one text, as Rust code.
fn text(text: &str) -> String {
    format!("[(\"text/plain\".to_owned(), {text:?}.to_owned())].into()")
}

#[test]
fn printed_text_arrives_while_the_cell_runs() {
    let mut front_end = FrontEnd::start();
    let gate = front_end.gate("end");
    let id = front_end.execute(&format!("println!(\"a line\"); {}", gate.wait()));
    // The cell cannot end before this returns.
    let mut all = front_end.until(|heard| heard.message_type == "stream");
    gate.open();
    all.extend(front_end.finish(&id));
    assert_eq!(stream_text(&all, &id, "stdout"), "a line\n");
    assert_eq!(
        published(&all, &id),
        ["busy", "execute_input", "stream", "idle"]
    );
}

#[test]
fn text_without_a_newline_lands_in_its_own_cell() {
    let mut front_end = FrontEnd::start();
    let id = front_end.execute("print!(\"no newline\");");
    let all = front_end.finish(&id);
    assert_eq!(stream_text(&all, &id, "stdout"), "no newline");
}

#[test]
fn stderr_is_a_stream_of_its_own() {
    let mut front_end = FrontEnd::start();
    let id = front_end.execute("eprintln!(\"careful\"); println!(\"fine\");");
    let all = front_end.finish(&id);
    assert_eq!(stream_text(&all, &id, "stderr"), "careful\n");
    assert_eq!(stream_text(&all, &id, "stdout"), "fine\n");
}

#[test]
fn text_and_displays_keep_their_order() {
    let mut front_end = FrontEnd::start();
    let code = format!(
        "println!(\"before\"); headwater::streams::display::show({}); println!(\"after\"); 5",
        text("picture")
    );
    let id = front_end.execute(&code);
    let all = front_end.finish(&id);
    let order = [
        "busy",
        "execute_input",
        "stream",
        "display_data",
        "stream",
        "execute_result",
        "idle",
    ];
    assert_eq!(published(&all, &id), order);
}

#[test]
fn update_names_the_display_that_it_replaces() {
    let mut front_end = FrontEnd::start();
    let code = format!(
        "headwater::streams::display::show_as(\"chart\", {});",
        text("one")
    );
    let id = front_end.execute(&code);
    let all = front_end.finish(&id);
    let display = all
        .iter()
        .find(|heard| heard.message_type == "display_data")
        .unwrap();
    assert_eq!(display.content["transient"]["display_id"], "chart");
    let code = format!(
        "headwater::streams::display::update(\"chart\", {});",
        text("two")
    );
    let id = front_end.execute(&code);
    let all = front_end.finish(&id);
    let update = all
        .iter()
        .find(|heard| heard.message_type == "update_display_data")
        .unwrap();
    assert_eq!(update.content["transient"]["display_id"], "chart");
    assert_eq!(update.content["data"]["text/plain"], "two");
}

#[test]
fn output_after_the_cell_has_returned_lands_under_it() {
    let mut front_end = FrontEnd::start();
    let gate = front_end.gate("late");
    let code = format!(
        "let owner = headwater::streams::display::current_cell();
        std::thread::spawn(move || {{
            headwater::streams::display::adopt(owner);
            {}
            headwater::streams::display::show({});
        }});",
        gate.wait(),
        text("late")
    );
    let first = front_end.execute(&code);
    let all = front_end.finish(&first);
    assert_eq!(published(&all, &first), ["busy", "execute_input", "idle"]);
    front_end.run("1 + 1");
    gate.open();
    let all = front_end.until(|heard| heard.message_type == "display_data");
    assert!(all.last().unwrap().is_under(&first), "{all:?}");
}

#[test]
fn nothing_of_a_cell_comes_after_its_idle() {
    let mut front_end = FrontEnd::start();
    for round in 0..20 {
        let id = front_end.execute(&format!(
            "for n in 0..200 {{ println!(\"{round} {{n}}\"); }} {round}"
        ));
        let all = front_end.until(|heard| heard.is_idle(&id));
        assert_eq!(stream_text(&all, &id, "stdout").lines().count(), 200);
        assert!(published(&all, &id).contains(&"execute_result".to_owned()));
        if reply_to(&all, &id).is_none() {
            front_end.until(|heard| heard.is_reply(&id, "execute_reply"));
        }
    }
}

#[test]
fn too_much_text_is_cut_and_every_line_accounted_for() {
    const LINES: usize = 200_000;
    let mut front_end = FrontEnd::start();
    let line = "x".repeat(99);
    let id = front_end.execute(&format!("for _ in 0..{LINES} {{ println!(\"{line}\"); }}"));
    let all = front_end.finish(&id);
    let text = stream_text(&all, &id, "stdout");
    let (mut shown, mut skipped) = (0, 0);
    for found in text.lines() {
        match found
            .strip_prefix("... ")
            .and_then(|rest| rest.split(' ').next())
        {
            Some(count) => skipped += count.parse::<usize>().unwrap(),
            None => {
                assert_eq!(found, line, "no line is cut in the middle");
                shown += 1;
            }
        }
    }
    assert_eq!(shown + skipped, LINES);
    assert!(
        skipped > 0 && shown > 1000,
        "{shown} shown, {skipped} skipped"
    );
}

#[test]
fn many_displays_all_arrive_in_order() {
    let mut front_end = FrontEnd::start();
    let id = front_end.execute(
        "for n in 0..250 { headwater::streams::display::show([(\"text/plain\".to_owned(), n.to_string())].into()); }",
    );
    let all = front_end.finish(&id);
    let displays = all
        .iter()
        .filter(|heard| heard.message_type == "display_data");
    let numbers: Vec<_> = displays
        .map(|heard| {
            heard.content["data"]["text/plain"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(numbers, (0..250).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[test]
fn front_end_that_does_not_read_does_not_stop_the_cell() {
    let mut front_end = FrontEnd::start();
    let info = front_end.kernel().connection().clone();
    let mut stalled = greet((info.ip.as_str(), info.iopub_port), "SUB");
    send_parts(&mut stalled, &[b"\x01"]);
    // Far more than the buffers of a connection hold.
    let id = front_end.execute(
        "let page = \"x\".repeat(1 << 20);
        for _ in 0..48 { headwater::streams::display::show([(\"text/plain\".to_owned(), page.clone())].into()); }",
    );
    let all = front_end.until(|heard| heard.is_reply(&id, "execute_reply"));
    assert_eq!(reply_to(&all, &id).unwrap()["status"], "ok");
}
