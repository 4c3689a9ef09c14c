//! Prints what this machine has and lacks, one line each.

use clap::Args;

use super::SetupError;
use super::checks::{self, Check, Verdict};
use super::packages::typed;

/// Checks what the kernel needs, and says what to type.
#[derive(Debug, Clone, Default, Args)]
pub struct DoctorArgs {
    /// Print JSON for programs.
    #[arg(long)]
    pub json: bool,
}

/// Prints one line a check.
///
/// # Errors
/// When something that is needed is missing; the lines have said it already.
pub fn doctor(args: DoctorArgs) -> Result<(), SetupError> {
    let checks = checks::all();
    let missing: Vec<&str> = checks
        .iter()
        .filter(|check| check.verdict == Verdict::Missing)
        .map(|check| check.name)
        .collect();
    if args.json {
        let report = serde_json::json!({ "ok": missing.is_empty(), "checks": checks });
        println!("{report:#}");
    } else {
        checks.iter().for_each(|check| println!("{}", line(check)));
    }
    match missing.is_empty() {
        true => Ok(()),
        false => Err(SetupError::new(
            "something needed is missing",
            missing.join(", "),
            format!(
                "the lines after `try` above, then {} again",
                typed("doctor")
            ),
        )),
    }
}

fn line(check: &Check) -> String {
    let word = match check.verdict {
        Verdict::Ok => "ok",
        Verdict::Optional => "note",
        Verdict::Missing => "MISSING",
    };
    let attempt = match &check.attempt {
        Some(attempt) => format!("; try: {attempt}"),
        None => String::new(),
    };
    format!("{word:<8} {:<11} {}{attempt}", check.name, check.found)
}
