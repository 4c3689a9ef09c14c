//! The line to type for what is missing, for the package manager that this machine has.

use std::env;
use std::path::PathBuf;

/// Something that comes from the system's packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Python 3 with the means to make a virtual environment.
    Python,
    /// A C compiler and linker.
    Compiler,
}

/// Returns the command that installs `need`.
pub fn install_line(need: Need) -> String {
    let known = MANAGERS
        .iter()
        .find(|manager| on_path(manager.program).is_some());
    match (known, need) {
        (Some(manager), Need::Python) => manager.python.to_owned(),
        (Some(manager), Need::Compiler) => manager.compiler.to_owned(),
        (None, Need::Python) => {
            "install Python 3.10 or newer with venv: https://www.python.org/downloads/".to_owned()
        }
        (None, Need::Compiler) => "install a C compiler, gcc or clang".to_owned(),
    }
}

/// Returns how a command of this program is typed: in a clone through cargo, for there it is not on
/// PATH.
pub fn typed(command: &str) -> String {
    match env::var_os("CARGO") {
        Some(_) => format!("cargo headwater {command}"),
        None => format!("headwater {command}"),
    }
}

/// Returns where PATH finds `program`.
pub fn on_path(program: &str) -> Option<PathBuf> {
    let folders = env::var_os("PATH")?;
    env::split_paths(&folders)
        .map(|folder| folder.join(program))
        .find(|path| is_executable(path))
}

fn is_executable(path: &std::path::Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata()
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

struct Manager {
    program: &'static str,
    python: &'static str,
    compiler: &'static str,
}

const MANAGERS: [Manager; 6] = [
    Manager {
        program: "apt-get",
        python: "sudo apt install python3 python3-venv",
        compiler: "sudo apt install build-essential",
    },
    Manager {
        program: "dnf",
        python: "sudo dnf install python3",
        compiler: "sudo dnf install gcc gcc-c++ make",
    },
    Manager {
        program: "pacman",
        python: "sudo pacman -S python",
        compiler: "sudo pacman -S base-devel",
    },
    Manager {
        program: "zypper",
        python: "sudo zypper install python3",
        compiler: "sudo zypper install gcc gcc-c++ make",
    },
    Manager {
        program: "apk",
        python: "sudo apk add python3",
        compiler: "sudo apk add build-base",
    },
    Manager {
        program: "brew",
        python: "brew install python",
        compiler: "xcode-select --install",
    },
];
