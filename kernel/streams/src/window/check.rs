//! What Spark refuses to run as a stream, and so do we, before anything runs.

use super::{OutputMode, WindowSpec};
use crate::{Error, Result};

/// Says what a stream cannot do although a batch can.
pub(crate) fn check_streaming(
    spec: WindowSpec,
    keys: &[String],
    delay: Option<i64>,
    mode: OutputMode,
) -> Result<()> {
    if mode == OutputMode::Append && delay.is_none() {
        return Err(Error::new(
            "without a watermark no window is ever final, and append gives out final ones only",
        )
        .have("output append, no watermark")
        .hint(".watermark(\"event_time\", minutes(10)), or .output(Update)"));
    }
    if !spec.is_session() {
        return Ok(());
    }
    if mode == OutputMode::Update {
        return Err(Error::new(
            "sessions cannot be given out in update mode: two of them may become one",
        )
        .have("output update, session windows")
        .hint(".output(Append) or .output(Complete)"));
    }
    if keys.is_empty() {
        return Err(Error::new(
            "a stream has sessions of something: a session window needs a key beside it",
        )
        .have("no keys")
        .hint(".group_by([\"user\"])"));
    }
    Ok(())
}
