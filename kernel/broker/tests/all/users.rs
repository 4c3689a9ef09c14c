//! The file of users: made, read, and refused where it should be.

use std::path::PathBuf;

use headwater_broker::security::Users;
use tempfile::TempDir;

fn file() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("users");
    (directory, path)
}

#[test]
fn saved_users_can_log_in_and_their_passwords_are_nowhere() {
    let (directory, path) = file();
    Users::save(&path, "ada", "engine").expect("saved");
    Users::save(&path, "bob", "builder").expect("saved");
    Users::save(&path, "ada", "difference").expect("saved");
    let users = Users::load(&path).expect("users");
    assert_eq!(users.names().collect::<Vec<_>>(), ["ada", "bob"]);
    assert!(users.check("ada", b"difference"));
    assert!(users.check("bob", b"builder"));
    assert!(!users.check("ada", b"engine"), "the old password");
    assert!(!users.check("eve", b"engine"));
    let text = std::fs::read_to_string(&path).expect("text");
    assert!(
        !["engine", "builder", "difference"]
            .iter()
            .any(|word| text.contains(word))
    );
    assert_eq!(
        text.lines().count(),
        5,
        "a remark, and two lines a user: {text}"
    );
    assert_eq!(
        std::fs::read_dir(&directory).expect("files").count(),
        1,
        "nothing left beside"
    );
}

#[cfg(unix)]
#[test]
fn file_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let (_directory, path) = file();
    Users::save(&path, "ada", "engine").expect("saved");
    let mode = std::fs::metadata(&path)
        .expect("a file")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).expect("set");
    let message = Users::load(&path).expect_err("an error").to_string();
    assert!(
        message.contains("mode 640") && message.contains("chmod 600"),
        "{message}"
    );
    assert!(Users::save(&path, "bob", "builder").is_err());
}

#[test]
fn lines_of_another_form_are_named() {
    let (_directory, path) = file();
    Users::save(&path, "ada", "engine").expect("saved");
    let good = std::fs::read_to_string(&path).expect("text");
    let line = good.lines().nth(1).expect("a credential").to_owned();
    let bad = [
        line.replace("$4096:", "$4095:"),
        line.replace("$4096:", "$2000000:"),
        line.replace("SCRAM-SHA-256", "SCRAM-SHA-1"),
        line[..line.len() - 8].to_owned(),
        "ada:engine".to_owned(),
        "ada".to_owned(),
    ];
    for bad in bad {
        // The file stays as private as it was.
        std::fs::write(&path, format!("{line}\n{bad}\n")).expect("written");
        let message = Users::load(&path).expect_err(&bad).to_string();
        assert!(message.contains("line 2"), "{message}");
        assert!(
            !message.contains("engine"),
            "a password in a message: {message}"
        );
    }
    std::fs::write(&path, "# nobody\n\n").expect("written");
    assert!(
        Users::load(&path)
            .expect_err("an error")
            .to_string()
            .contains("nobody is in it")
    );
    std::fs::remove_file(&path).expect("removed");
    assert!(Users::load(&path).is_err());
}

#[test]
fn names_and_passwords_that_no_file_can_hold_are_refused() {
    let (_directory, path) = file();
    for (name, password) in [
        ("", "x"),
        ("a:b", "x"),
        ("a\nb", "x"),
        (" a", "x"),
        ("#a", "x"),
        ("a", ""),
    ] {
        assert!(
            Users::save(&path, name, password).is_err(),
            "{name:?} {password:?}"
        );
    }
    assert!(!path.exists());
}
