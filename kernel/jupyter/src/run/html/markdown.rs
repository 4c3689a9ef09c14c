//! Text cells: markdown with tables, footnotes and pictures.

use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, html};
use serde_json::Value;

use crate::run::notebook::text;

/// Pictures up to this size are put into the page; larger ones stay links.
const PICTURE_BYTES: u64 = 8 << 20;

/// Returns markdown as HTML. Pictures come from the cell's attachments or from `folder`.
pub fn html(source: &str, attachments: &Value, folder: &Path) -> String {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_MATH;
    let events = Parser::new_ext(source, options).map(|event| match event {
        Event::Start(Tag::Image {
            link_type,
            dest_url,
            title,
            id,
        }) => {
            let inside = attached(&dest_url, attachments).or_else(|| file(&dest_url, folder));
            let dest_url = inside.map_or(dest_url, CowStr::from);
            Event::Start(Tag::Image {
                link_type,
                dest_url,
                title,
                id,
            })
        }
        other => other,
    });
    let mut page = String::new();
    html::push_html(&mut page, events);
    page
}

/// A picture that was dropped into the cell.
fn attached(link: &str, attachments: &Value) -> Option<String> {
    let bundle = attachments
        .get(link.strip_prefix("attachment:")?)?
        .as_object()?;
    let (mime, base64) = bundle.iter().next()?;
    Some(format!("data:{mime};base64,{}", text(base64)))
}

/// A picture beside the notebook.
fn file(link: &str, folder: &Path) -> Option<String> {
    if link.contains(':') {
        return None;
    }
    let path = folder.join(link);
    let mime = match path.extension()?.to_str()? {
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        _ => return None,
    };
    if fs::metadata(&path).ok()?.len() > PICTURE_BYTES {
        return None;
    }
    Some(format!(
        "data:{mime};base64,{}",
        BASE64.encode(fs::read(&path).ok()?)
    ))
}
