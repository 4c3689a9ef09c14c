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
