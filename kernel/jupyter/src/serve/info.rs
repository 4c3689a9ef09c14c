//! What the kernel says about itself.

use jupyter_protocol::{CodeMirrorMode, HelpLink, KernelInfoReply, LanguageInfo, ReplyStatus};

use super::wire::PROTOCOL_VERSION;

const HELP: [(&str, &str); 3] = [
    ("Rust standard library", "https://doc.rust-lang.org/std/"),
    ("The Rust book", "https://doc.rust-lang.org/book/"),
    ("Polars for Rust", "https://docs.rs/polars"),
];

/// Returns the reply to `kernel_info_request`; `rustc` is the compiler's whole `rustc -vV`.
pub fn kernel_info(rustc: Option<&str>) -> KernelInfoReply {
    let release =
        rustc.and_then(|text| text.lines().find_map(|line| line.strip_prefix("release: ")));
    let release = release.unwrap_or(env!("CARGO_PKG_RUST_VERSION"));
    let version = env!("CARGO_PKG_VERSION");
    KernelInfoReply {
        status: ReplyStatus::Ok,
        protocol_version: PROTOCOL_VERSION.to_owned(),
        implementation: "headwater".to_owned(),
        implementation_version: version.to_owned(),
        language_info: LanguageInfo {
            name: "rust".to_owned(),
            version: release.to_owned(),
            mimetype: Some("text/rust".to_owned()),
            file_extension: Some(".rs".to_owned()),
            pygments_lexer: Some("rust".to_owned()),
            codemirror_mode: Some(CodeMirrorMode::Simple("rust".to_owned())),
            nbconvert_exporter: None,
        },
        banner: format!(
            "Headwater {version}: Rust {release} with live streams. `:help` lists the commands, `?name` explains a name."
        ),
        help_links: HELP
            .map(|(text, url)| HelpLink {
                text: text.to_owned(),
                url: url.to_owned(),
            })
            .to_vec(),
        debugger: false,
        error: None,
    }
}
