//! `headwater broker`.

use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};

use crate::front_end::BINARY;

#[test]
fn broker_says_where_it_listens_and_ctrl_c_stops_it() {
    let mut broker = Command::new(BINARY)
        .args(["broker", "--port", "0"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(broker.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap);
    let first = lines.next().unwrap();
    let address = first
        .strip_prefix("broker at ")
        .unwrap()
        .split(',')
        .next()
        .unwrap()
        .to_owned();
    TcpStream::connect(&address).expect("it listens there");
    let help: Vec<_> = lines.by_ref().take(3).collect();
    assert!(
        help[0].contains(&format!("Cluster::connect(\"{address}\")")),
        "{help:?}"
    );
    // SAFETY: a signal to the process that this test has started.
    unsafe { libc::kill(libc::pid_t::try_from(broker.id()).unwrap(), libc::SIGINT) };
    assert_eq!(lines.next().as_deref(), Some("stopped"));
    assert!(broker.wait().unwrap().success());
}

#[test]
fn broker_with_a_directory_says_what_it_read_back() {
    let dir = tempfile::tempdir().unwrap();
    for how in ["a new directory", "the last broker was stopped cleanly"] {
        let mut broker = Command::new(BINARY)
            .args(["broker", "--port", "0", "--flush", "batch", "--data"])
            .arg(dir.path().join("data"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(broker.stdout.take().unwrap())
            .lines()
            .map(Result::unwrap);
        let said: Vec<_> = lines.by_ref().take(6).collect();
        assert!(said[1].ends_with(", flush batch"), "{said:?}");
        assert!(said[2].contains(how), "{said:?}");
        // SAFETY: a signal to the process that this test has started.
        unsafe { libc::kill(libc::pid_t::try_from(broker.id()).unwrap(), libc::SIGINT) };
        assert_eq!(lines.next().as_deref(), Some("stopped; all is stored"));
        assert!(broker.wait().unwrap().success());
    }
}

#[test]
fn flush_without_a_directory_is_refused() {
    let output = Command::new(BINARY)
        .args(["broker", "--port", "0", "--flush", "batch"])
        .output()
        .unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("--data"), "{said}");
}

#[test]
fn taken_port_is_said_to_be_taken() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let output = Command::new(BINARY)
        .args(["broker", "--port", &port.to_string()])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.starts_with("error: ") && said.contains(&port.to_string()),
        "{said}"
    );
    assert!(said.contains("try:"), "{said}");
}

fn broker_output(args: &[&str]) -> (bool, String, String) {
    let output = Command::new(BINARY)
        .arg("broker")
        .args(args)
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (said, complained) = (text(&output.stdout), text(&output.stderr));
    (output.status.success(), said, complained)
}

#[test]
fn other_machines_are_let_in_only_where_that_is_meant() {
    let (success, _, complained) = broker_output(&["--listen", "0.0.0.0:0"]);
    assert!(!success);
    assert!(
        complained.contains("nobody is asked who they are") && complained.contains("--open"),
        "{complained}"
    );
}

#[test]
fn added_user_gets_a_password_that_the_file_does_not_hold() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("users");
    let file = file.to_str().unwrap();
    let (success, said, _) = broker_output(&["--users", file, "--add-user", "ada"]);
    assert!(success);
    let password = said.split("the password ").nth(1).unwrap();
    let password = password.split(',').next().unwrap();
    assert_eq!(password.len(), 10, "{said}");
    let kept = std::fs::read_to_string(file).unwrap();
    assert!(kept.contains("ada:SCRAM-SHA-256$4096:") && !kept.contains(password));
    let (success, _, complained) = broker_output(&["--users", file, "--add-user", "a:b"]);
    assert!(!success && complained.contains("no `:`"), "{complained}");
}

#[test]
fn broker_with_users_says_what_clients_set() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("users");
    let file = file.to_str().unwrap();
    assert!(broker_output(&["--users", file, "--add-user", "ada"]).0);
    let mut broker = Command::new(BINARY)
        .args(["broker", "--port", "0", "--users", file])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(broker.stdout.take().unwrap()).lines();
    let fourth = lines.map(Result::unwrap).nth(3).unwrap();
    assert_eq!(
        fourth,
        "  clients set:  security.protocol=SASL_PLAINTEXT, sasl.mechanism=PLAIN or SCRAM-SHA-256 or SCRAM-SHA-512"
    );
    // SAFETY: a signal to the process that this test has started.
    unsafe { libc::kill(libc::pid_t::try_from(broker.id()).unwrap(), libc::SIGINT) };
    assert!(broker.wait().unwrap().success());
}
