//! How a kernel ends, and what it takes with it.

use headwater_kernel::run::client::Channel;
use serde_json::json;

use crate::cells::ENDLESS;
use crate::front_end::{FrontEnd, reply_to, wait_until_ended};

fn kernel_and_child(front_end: &mut FrontEnd) -> (u32, u32) {
    let child = front_end.value("std::process::id()").parse().unwrap();
    (front_end.kernel().id().unwrap(), child)
}

fn signal(process: u32, signal: i32) {
    // SAFETY: a signal to the kernel that this test has started.
    let sent = unsafe { libc::kill(libc::pid_t::try_from(process).unwrap(), signal) };
    assert_eq!(sent, 0, "process {process} is there");
}

#[test]
fn shutdown_leaves_no_process() {
    let mut front_end = FrontEnd::start();
    let (kernel, child) = kernel_and_child(&mut front_end);
    assert!(front_end.stop(), "it ends when it is asked to");
    wait_until_ended(kernel);
    wait_until_ended(child);
}

#[test]
fn shutdown_is_answered_and_says_whether_it_is_a_restart() {
    let mut front_end = FrontEnd::start();
    let id = front_end.ask(
        Channel::Control,
        "shutdown_request",
        json!({"restart": true}),
    );
    let all = front_end.finish(&id);
    let reply = all
        .iter()
        .find(|heard| heard.is_reply(&id, "shutdown_reply"))
        .unwrap();
    assert_eq!(
        (&reply.content["status"], &reply.content["restart"]),
        (&json!("ok"), &json!(true))
    );
}

#[test]
fn shutdown_ends_a_running_cell() {
    let mut front_end = FrontEnd::start();
    let (kernel, child) = kernel_and_child(&mut front_end);
    front_end.execute("println!(\"go\"); loop { std::hint::spin_loop() }");
    front_end.until(|heard| heard.message_type == "stream");
    assert!(front_end.stop(), "it ends when it is asked to");
    wait_until_ended(kernel);
    wait_until_ended(child);
}

#[test]
fn killed_kernel_takes_its_child_with_it() {
    let mut front_end = FrontEnd::start();
    let (kernel, child) = kernel_and_child(&mut front_end);
    signal(kernel, libc::SIGKILL);
    wait_until_ended(child);
}

#[test]
fn child_started_after_a_crash_ends_with_the_kernel_too() {
    let mut front_end = FrontEnd::start();
    front_end.run("std::process::abort()");
    let (kernel, child) = kernel_and_child(&mut front_end);
    signal(kernel, libc::SIGKILL);
    wait_until_ended(child);
}

#[test]
fn ctrl_c_of_the_kernel_interrupts_the_cell() {
    let mut front_end = FrontEnd::start();
    let (kernel, _) = kernel_and_child(&mut front_end);
    let id = front_end.execute(ENDLESS);
    front_end.until(|heard| heard.message_type == "stream");
    signal(kernel, libc::SIGINT);
    let all = front_end.finish(&id);
    assert_eq!(reply_to(&all, &id).unwrap()["status"], "error");
    assert_eq!(front_end.value("1 + 1"), "2");
}

#[test]
fn termination_ends_kernel_and_child() {
    let mut front_end = FrontEnd::start();
    let (kernel, child) = kernel_and_child(&mut front_end);
    signal(kernel, libc::SIGTERM);
    wait_until_ended(child);
    wait_until_ended(kernel);
}
