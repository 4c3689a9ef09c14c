//! `headwater install` and `headwater doctor`, as they are typed.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::front_end::BINARY;

/// A person with a home folder and a PATH of their own, and a prelude that is only a name.
pub struct Person {
    home: tempfile::TempDir,
}

impl Person {
    /// PATH holds nothing yet.
    pub fn new() -> Person {
        let person = Person {
            home: tempfile::tempdir().expect("a folder"),
        };
        fs::create_dir(person.path("bin")).expect("a folder for programs");
        person
    }

    /// PATH finds the real `rustc` and `cc`, and nothing else.
    pub fn with_compiler(self) -> Person {
        for program in ["rustc", "cc"] {
            let path = std::env::var_os("PATH").expect("PATH is set");
            let mut places = std::env::split_paths(&path).map(|folder| folder.join(program));
            let real = places.find(|path| path.exists()).expect("it is installed");
            symlink(real, self.path("bin").join(program)).expect("a link");
        }
        self
    }

    /// Puts a shell script on PATH.
    pub fn with_program(self, name: &str, script: &str) -> Person {
        let text = self.path("script");
        fs::write(&text, format!("#!/bin/sh\n{script}\n")).expect("a script");
        // Another process makes the file that will be executed: were it open for writing here while
        // another test forks, its execution could fail with "text file busy".
        let mut install = Command::new("install");
        install
            .arg("-m755")
            .arg(text)
            .arg(self.path("bin").join(name));
        assert!(install.status().expect("coreutils").success());
        self
    }

    /// Writes a prelude that the compiler `rustc` built.
    pub fn with_prelude(self, rustc: &str, fingerprint: &str) -> Person {
        let folder = self.path("prelude");
        fs::create_dir_all(folder.join("deps")).expect("a folder");
        fs::write(folder.join("libheadwater.so"), fingerprint).expect("a library");
        fs::write(folder.join("deps/libpolars.rmeta"), "metadata").expect("a library");
        let manifest = json!({
            "rustc": rustc, "dylib": "libheadwater.so", "externs": {}, "search": ["deps"],
            "fingerprint": fingerprint,
        });
        fs::write(folder.join("prelude.json"), manifest.to_string()).expect("a manifest");
        self
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// `headwater` with this person's surroundings; `sh` and the like are found by full path.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command.args(arguments).current_dir(self.home.path());
        command.env("PATH", self.path("bin"));
        command.env("XDG_DATA_HOME", self.path("data"));
        for name in [
            "RUSTC",
            "HEADWATER_PRELUDE",
            "JUPYTER_DATA_DIR",
            "JUPYTER_PATH",
        ] {
            command.env_remove(name);
        }
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Said {
        Said::from(
            self.command(arguments)
                .output()
                .expect("the binary is built"),
        )
    }
}

/// What a command said and how it ended.
pub struct Said {
    pub ok: bool,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Said {
        Said {
            ok: output.status.success(),
            stdout: String::from_utf8(output.stdout).expect("text"),
            stderr: String::from_utf8(output.stderr).expect("text"),
        }
    }
}

impl Said {
    /// Expects a failure whose message holds all of `parts`.
    pub fn fails_with(&self, parts: &[&str]) {
        assert!(!self.ok, "it succeeded: {}{}", self.stdout, self.stderr);
        for part in parts {
            assert!(
                self.stderr.contains(part),
                "no `{part}` in: {}",
                self.stderr
            );
        }
    }
}

/// The whole answer of `rustc -vV`.
fn compiler() -> String {
    let output = Command::new("rustc").arg("-vV").output().expect("rustc");
    String::from_utf8(output.stdout).expect("text")
}

fn json_at(path: &Path) -> Value {
    let text = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).expect("JSON")
}

#[test]
fn kernelspec_holds_absolute_paths_and_asks_for_interrupts_by_message() {
    let person = Person::new().with_prelude(&compiler(), "one");
    let said = person.run(&["install", "--prefix", "env", "--prelude", "prelude"]);
    assert!(said.ok, "{}", said.stderr);

    let share = person.path("env/share");
    let folder = share.join("jupyter/kernels/headwater");
    let spec = json_at(&folder.join("kernel.json"));
    let binary = share.join("headwater/bin/headwater");
    let prelude = share.join("headwater/prelude");
    assert_eq!(
        spec["argv"],
        json!([binary, "kernel", "{connection_file}"]),
        "{spec}"
    );
    assert_eq!(spec["env"], json!({ "HEADWATER_PRELUDE": prelude }));
    assert_eq!(spec["display_name"], "Rust (Headwater)");
    assert_eq!(spec["language"], "rust");
    assert_eq!(spec["interrupt_mode"], "message");
    for logo in ["logo-svg.svg", "logo-32x32.png", "logo-64x64.png"] {
        assert!(folder.join(logo).exists(), "no {logo}");
    }
    assert!(binary.exists());
    assert_eq!(json_at(&prelude.join("prelude.json"))["fingerprint"], "one");
    assert!(prelude.join("deps/libpolars.rmeta").exists());
}

#[test]
fn installed_binary_runs_without_the_one_it_was_copied_from() {
    let person = Person::new().with_prelude(&compiler(), "one");
    let said = person.run(&["install", "--prefix", "env", "--prelude", "prelude"]);
    assert!(said.ok, "{}", said.stderr);
    let output = Command::new(person.path("env/share/headwater/bin/headwater"))
        .arg("--version")
        .output();
    let said = Said::from(output.expect("the copy may be executed"));
    assert!(said.stdout.starts_with("headwater "), "{}", said.stdout);
}

#[test]
fn second_install_changes_nothing_and_says_so() {
    let person = Person::new().with_prelude(&compiler(), "one");
    let install = || person.run(&["install", "--prelude", "prelude"]);
    assert!(install().stderr.contains("kernelspec   written to"));
    let again = install();
    assert!(again.ok, "{}", again.stderr);
    assert_eq!(
        again.stderr.matches("up to date in").count(),
        3,
        "{}",
        again.stderr
    );
}

#[test]
fn install_replaces_a_prelude_that_was_built_again() {
    let person = Person::new().with_prelude(&compiler(), "one");
    assert!(person.run(&["install", "--prelude", "prelude"]).ok);
    let person = person.with_prelude(&compiler(), "two");
    let said = person.run(&["install", "--prelude", "prelude"]);
    assert!(said.stderr.contains("3 files"), "{}", said.stderr);
    let library = person.path("data/headwater/prelude/libheadwater.so");
    assert_eq!(fs::read_to_string(library).expect("a library"), "two");
}

#[test]
fn user_install_goes_where_this_person_keeps_jupyter_data() {
    let person = Person::new().with_prelude(&compiler(), "one");
    let mut install = person.command(&["install", "--prelude", "prelude"]);
    install.env("JUPYTER_DATA_DIR", person.path("elsewhere"));
    let said = Said::from(install.output().expect("it runs"));
    assert!(said.ok, "{}", said.stderr);
    assert!(
        person
            .path("elsewhere/kernels/headwater/kernel.json")
            .exists()
    );
}

#[test]
fn sys_prefix_install_goes_into_the_environment_of_python() {
    let person = Person::new().with_prelude(&compiler(), "one");
    let env = person.path("conda");
    let answer = format!("echo 3 12; echo True; echo {}", env.display());
    let person = person.with_program("python3", &answer);
    let said = person.run(&["install", "--sys-prefix", "--prelude", "prelude"]);
    assert!(said.ok, "{}", said.stderr);
    assert!(
        env.join("share/jupyter/kernels/headwater/kernel.json")
            .exists()
    );
}

#[test]
fn wheel_brings_the_kernelspec_that_install_writes() {
    let person = Person::new().with_prelude(&compiler(), "one");
    assert!(person.run(&["install", "--prelude", "prelude"]).ok);
    let written = person.path("data/jupyter/kernels/headwater/kernel.json");
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("wheel/files/data");
    let brought = files.join("share/jupyter/kernels/headwater/kernel.json");
    let (mut written, mut brought) = (json_at(&written), json_at(&brought));
    assert_eq!(brought["argv"][0], "{prefix}/bin/headwater", "{brought}");
    // One has absolute paths, the other finds its places from where pip put it.
    for spec in [&mut written, &mut brought] {
        spec["argv"][0] = json!("the binary");
        spec["env"] = json!({});
    }
    assert_eq!(written, brought);
}

#[test]
fn install_beside_a_wheel_leaves_its_binary_to_pip() {
    let person = Person::new().with_prelude(&compiler(), "one");
    let env = person.path("env");
    let answer = format!("echo 3 12; echo True; echo {}", env.display());
    let person = person.with_program("python3", &answer);
    let spec = env.join("share/jupyter/kernels/headwater");
    fs::create_dir_all(&spec).expect("a folder");
    fs::create_dir_all(env.join("bin")).expect("a folder");
    let binary = env.join("bin/headwater");
    // By another process, as in `with_program`.
    let mut copy = Command::new("install");
    copy.arg("-m755").arg(BINARY).arg(&binary);
    assert!(copy.status().expect("coreutils").success());
    let mut install = Command::new(&binary);
    install
        .args(["install", "--sys-prefix", "--prelude", "prelude"])
        .current_dir(person.path(""))
        .env("PATH", person.path("bin"))
        .env("XDG_DATA_HOME", person.path("data"));
    let said = Said::from(install.output().expect("it runs"));
    assert!(said.ok, "{}", said.stderr);
    assert!(said.stderr.contains("where pip put it"), "{}", said.stderr);
    assert_eq!(json_at(&spec.join("kernel.json"))["argv"][0], json!(binary));
    assert!(!env.join("share/headwater/bin").exists());
}

#[test]
fn uninstall_takes_away_what_install_wrote_and_nothing_else() {
    let person = Person::new().with_prelude(&compiler(), "one");
    assert!(person.run(&["install", "--prelude", "prelude"]).ok);
    let other = person.path("data/jupyter/kernels/other");
    fs::create_dir_all(&other).expect("a folder");
    fs::create_dir_all(person.path("data/headwater/lab")).expect("a folder");
    let said = person.run(&["uninstall"]);
    assert!(said.ok, "{}", said.stderr);
    assert_eq!(
        said.stdout.matches("removed ").count(),
        3,
        "{}",
        said.stdout
    );
    assert!(said.stdout.contains("kept "), "{}", said.stdout);
    assert!(!person.path("data/jupyter/kernels/headwater").exists());
    assert!(!person.path("data/headwater/bin").exists());
    assert!(!person.path("data/headwater/prelude").exists());
    assert!(other.exists() && person.path("data/headwater/lab").exists());
    let again = person.run(&["uninstall"]);
    assert!(again.ok && again.stdout.contains("nothing is installed"));
}

#[test]
fn install_without_a_prelude_says_what_to_type() {
    let person = Person::new();
    let said = person.run(&["install", "--prelude", "nowhere"]);
    said.fails_with(&["no prebuilt prelude", "nowhere/prelude.json", "try:"]);
}

#[test]
fn install_into_a_folder_that_cannot_be_made_names_it() {
    let person = Person::new().with_prelude(&compiler(), "one");
    fs::write(person.path("env"), "a file").expect("a file");
    let said = person.run(&["install", "--prefix", "env", "--prelude", "prelude"]);
    said.fails_with(&["the prelude could not be copied", "/env/share/headwater"]);
}

#[test]
fn doctor_on_a_bare_machine_says_what_to_type_for_each_thing() {
    let person = Person::new().with_program("apt-get", "exit 1");
    let said = person.run(&["doctor"]);
    said.fails_with(&["something needed is missing"]);
    let lines: Vec<&str> = said
        .stdout
        .lines()
        .filter(|line| line.starts_with("MISSING"))
        .collect();
    for (name, attempt) in [
        ("rustc", "rustup.rs"),
        ("linker", "sudo apt install build-essential"),
        ("prelude", "headwater install"),
        ("python", "sudo apt install python3 python3-venv"),
    ] {
        let line = lines
            .iter()
            .find(|line| line.split_whitespace().nth(1) == Some(name));
        let line = line.unwrap_or_else(|| panic!("no line on {name}: {}", said.stdout));
        assert!(line.contains(&format!("try: {attempt}")) || line.contains(attempt));
    }
}

#[test]
fn doctor_is_content_with_compiler_prelude_and_jupyter() {
    let person = Person::new()
        .with_compiler()
        .with_prelude(&compiler(), "one")
        .with_program("jupyter", "echo 4.6.6");
    assert!(person.run(&["install", "--prelude", "prelude"]).ok);
    let said = person.run(&["doctor", "--json"]);
    let report: Value = serde_json::from_str(&said.stdout).expect("JSON");
    assert_eq!(report["ok"], true, "{report:#}");
    let checks = report["checks"].as_array().expect("a list");
    for name in [
        "rustc",
        "linker",
        "disk",
        "prelude",
        "jupyterlab",
        "kernelspec",
    ] {
        let check = checks.iter().find(|check| check["name"] == name);
        assert_eq!(
            check.map(|check| &check["verdict"]),
            Some(&json!("ok")),
            "{name}"
        );
    }
}

#[test]
fn doctor_finds_a_prelude_of_another_compiler() {
    let person = Person::new()
        .with_compiler()
        .with_prelude("rustc 1.94.0 (older)\n", "one");
    assert!(person.run(&["install", "--prelude", "prelude"]).ok);
    let said = person.run(&["doctor"]);
    said.fails_with(&["prelude"]);
    assert!(
        said.stdout.contains("was built by rustc 1.94.0 (older)"),
        "{}",
        said.stdout
    );
}

#[test]
fn doctor_finds_a_kernelspec_whose_binary_is_gone() {
    let person = Person::new().with_prelude(&compiler(), "one");
    assert!(person.run(&["install", "--prelude", "prelude"]).ok);
    fs::remove_file(person.path("data/headwater/bin/headwater")).expect("it is there");
    let said = person.run(&["doctor"]);
    assert!(said.stdout.contains("which is gone"), "{}", said.stdout);
}
