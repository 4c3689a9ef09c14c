//! `headwater lab` around a JupyterLab that is only a script.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::process::{Child, ChildStdout, Stdio};

use crate::setup::{Person, Said};

/// Notes how it was started, says where it listens, and runs until SIGTERM.
const JUPYTER: &str = r#"
PATH=/usr/bin:/bin
if [ "$2" = --version ]; then echo 4.6.6; exit 0; fi
env > environment
printf '%s\n' "$@" > arguments
echo '{"port": 4242, "base_url": "/", "token": "secret"}' > "$JUPYTER_RUNTIME_DIR/jpserver-1.json"
trap 'kill $!; echo in order > ended; exit 0' TERM
sleep 600 &
wait"#;

const ARGUMENTS: [&str; 5] = [
    "lab",
    "a lesson.ipynb",
    "--no-browser",
    "--no-warm",
    "--prelude=prelude",
];

fn learner() -> Person {
    let person = Person::new().with_compiler();
    fs::write(person.path("a lesson.ipynb"), "{}").expect("a notebook");
    person
}

/// A running `lab` and what it has still to say on stdout.
struct Lab {
    process: Child,
    stdout: BufReader<ChildStdout>,
}

/// Starts `lab` and waits for its first line on stdout, which is also its last.
fn start(person: &Person, more: &[&str]) -> (Lab, String) {
    let mut command = person.command(&ARGUMENTS);
    command
        .args(more)
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut process = command.spawn().expect("the binary is built");
    let mut stdout = BufReader::new(process.stdout.take().expect("it is piped"));
    let mut line = String::new();
    stdout.read_line(&mut line).expect("text");
    (Lab { process, stdout }, line.trim().to_owned())
}

/// Returns whether it ended well, and what it said after the first line.
fn stop(mut lab: Lab, signal: i32) -> (bool, String) {
    let id = i32::try_from(lab.process.id()).expect("a process id");
    // SAFETY: kill takes two numbers, and the process was not awaited yet.
    unsafe { libc::kill(id, signal) };
    let status = lab.process.wait().expect("it ends");
    let mut rest = String::new();
    lab.stdout.read_to_string(&mut rest).expect("text");
    (status.success(), rest)
}

fn read(person: &Person, name: &str) -> String {
    fs::read_to_string(person.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn last_line_is_the_address_with_the_token_and_ctrl_c_ends_jupyter() {
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
        let person = learner().with_program("jupyter", JUPYTER);
        let (lab, line) = start(&person, &[]);
        let expected = "open http://127.0.0.1:4242/lab/tree/a%20lesson.ipynb?token=secret";
        assert_eq!(line, expected);
        let (ended_well, rest) = stop(lab, signal);
        assert!(ended_well, "signal {signal}");
        assert_eq!(rest, "", "the address is the last line");
        assert_eq!(read(&person, "ended"), "in order\n");
    }
}

#[test]
fn jupyter_learns_where_broker_kernel_and_settings_are() {
    let person = learner().with_program("jupyter", JUPYTER);
    fs::create_dir(person.path("datasets")).expect("a folder");
    let (lab, _) = start(&person, &["--port", "0"]);
    stop(lab, libc::SIGINT);
    let environment = read(&person, "environment");
    let value = |name: &str| {
        let mut lines = environment.lines().filter_map(|line| line.split_once('='));
        let found = lines.find(|(key, _)| *key == name);
        found.unwrap_or_else(|| panic!("no {name}")).1.to_owned()
    };
    assert!(value("HEADWATER_CONTROL").starts_with("127.0.0.1:"));
    assert!(value("HEADWATER_DATASETS").ends_with("/datasets"));
    let spec = format!("{}/kernels/headwater/kernel.json", value("JUPYTER_PATH"));
    assert!(fs::exists(spec).expect("a path"));
    let config = value("JUPYTER_CONFIG_PATH");
    let page = fs::read_to_string(format!("{config}/labconfig/page_config.json"));
    assert!(page.expect("settings").contains("announcements"));
    let arguments = read(&person, "arguments");
    assert!(
        arguments.contains("--ServerApp.ip=127.0.0.1\n"),
        "{arguments}"
    );
    assert!(arguments.contains("--ServerApp.port=0\n"), "{arguments}");
    assert!(
        arguments.contains("--ServerApp.open_browser=False\n"),
        "{arguments}"
    );
}

#[test]
fn runtime_files_of_jupyter_are_gone_afterwards() {
    let person = learner().with_program("jupyter", JUPYTER);
    let (lab, _) = start(&person, &[]);
    let environment = read(&person, "environment");
    let mut lines = environment.lines();
    let folder = lines.find_map(|line| line.strip_prefix("JUPYTER_RUNTIME_DIR="));
    let folder = folder.expect("a folder").to_owned();
    assert!(fs::exists(&folder).expect("a path"));
    stop(lab, libc::SIGINT);
    assert!(!fs::exists(&folder).expect("a path"));
}

#[test]
fn jupyter_that_ends_at_once_is_quoted() {
    let script =
        r#"[ "$2" = --version ] && echo 4.6.6 && exit 0; echo "no module named x"; exit 3"#;
    let person = learner().with_program("jupyter", script);
    let said = person.run(&ARGUMENTS);
    said.fails_with(&[
        "JupyterLab did not start",
        "exit status: 3: no module named x",
        "try:  less ",
    ]);
}

#[test]
fn port_in_use_is_refused_before_jupyter_starts() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("bound").port().to_string();
    let person = learner().with_program("jupyter", JUPYTER);
    let mut command = person.command(&ARGUMENTS);
    let said = Said::from(command.args(["--port", &port]).output().expect("it runs"));
    said.fails_with(&[&format!("port {port} cannot be used"), "try:  --port 0"]);
    assert!(!person.path("arguments").exists());
}

#[test]
fn notebook_that_is_not_there_is_named() {
    let said = learner().run(&["lab", "other.ipynb"]);
    said.fails_with(&["no such notebook", "other.ipynb"]);
}

#[test]
fn compiler_that_is_missing_is_the_first_thing_said() {
    let person = Person::new().with_program("dnf", "exit 1");
    fs::write(person.path("a lesson.ipynb"), "{}").expect("a notebook");
    person
        .run(&ARGUMENTS)
        .fails_with(&["rustc is missing", "rustup.rs"]);
}

#[test]
fn python_that_is_missing_comes_with_the_line_that_installs_it() {
    for (manager, line) in [
        ("apt-get", "sudo apt install python3 python3-venv"),
        ("dnf", "sudo dnf install python3"),
        ("brew", "brew install python"),
    ] {
        let person = learner().with_program(manager, "exit 1");
        person
            .run(&ARGUMENTS)
            .fails_with(&["Python 3.10 or newer is missing", line]);
    }
}

#[test]
fn python_that_is_too_old_is_named_with_its_version() {
    let person = learner().with_program("python3", "echo 3 8; echo True; echo /usr");
    person
        .run(&ARGUMENTS)
        .fails_with(&["Python 3.10 or newer is missing", "bin/python3 is 3.8"]);
}

#[test]
fn python_without_venv_comes_with_the_line_that_installs_it() {
    let person = learner()
        .with_program("python3", "echo 3 11; echo False; echo /usr")
        .with_program("apt-get", "exit 1");
    person.run(&ARGUMENTS).fails_with(&[
        "cannot make a virtual environment",
        "without venv or ensurepip",
        "sudo apt install python3 python3-venv",
    ]);
}

/// A Python whose environments hold a pip that cannot reach anything.
const OFFLINE: &str = r#"
PATH=/usr/bin:/bin
if [ "$1" = -c ]; then echo 3 11; echo True; echo /usr; exit 0; fi
mkdir -p "$4/bin"
cat > "$4/bin/python" <<'END'
#!/bin/sh
echo "NewConnectionError: [Errno -3] Temporary failure in name resolution" >&2
echo "ERROR: No matching distribution found for jupyterlab==4.6.6" >&2
exit 1
END
chmod +x "$4/bin/python"
"#;

#[test]
fn pip_without_a_network_is_told_from_other_failures() {
    let person = learner().with_program("python3", OFFLINE);
    let said = person.run(&ARGUMENTS);
    said.fails_with(&[
        "pip does not reach the Python package index",
        "No matching distribution",
        "pip.log",
    ]);
    // The half-made environment is not taken for a ready one.
    person.run(&ARGUMENTS).fails_with(&["pip does not reach"]);
}

#[test]
fn prelude_that_does_not_work_is_found_before_jupyter_starts() {
    let person = learner()
        .with_program("jupyter", JUPYTER)
        .with_prelude("rustc 1.94.0 (older)\n", "one");
    let said = person.run(&["lab", "a lesson.ipynb", "--no-browser", "--prelude=prelude"]);
    said.fails_with(&["built by another compiler", "rustc 1.94.0"]);
    assert!(!person.path("arguments").exists());
}
