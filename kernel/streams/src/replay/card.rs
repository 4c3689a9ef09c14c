//! The card that follows a replay.

use super::run::Shared;
use crate::frame::Bundle;
use crate::table::{escape, grouped};
use crate::time;

/// Returns the card: a bar, one line, and what went wrong.
pub(crate) fn card(shared: &Shared) -> Bundle {
    let (line, troubles) = (line(shared), shared.troubles());
    let progress = shared.progress();
    let mut html = format!(
        "<div style=\"font-size:14px\"><progress max=\"{}\" value=\"{}\" style=\"width:160px;vertical-align:middle\"></progress> {}",
        progress.to_send.max(1),
        progress.sent,
        escape(&line)
    );
    for trouble in &troubles {
        html.push_str(&format!(
            "<div style=\"color:#a33\">{}</div>",
            escape(trouble).replace('\n', "<br>")
        ));
    }
    html.push_str("</div>");
    let text = std::iter::once(line)
        .chain(troubles)
        .collect::<Vec<_>>()
        .join("\n");
    Bundle::from([("text/html".into(), html), ("text/plain".into(), text)])
}

/// Returns the replay in one line.
pub(crate) fn line(shared: &Shared) -> String {
    let progress = shared.progress();
    let state = match (progress.ended, shared.was_stopped()) {
        (false, _) => "sending",
        (true, false) => "ended",
        (true, true) => "stopped",
    };
    let mut parts = vec![
        format!("{} → topic {}: {state}", shared.label, shared.topic),
        format!(
            "{} of {} sent",
            grouped(progress.sent as i64),
            grouped(progress.to_send as i64)
        ),
        format!("{} records/s", grouped(progress.rate_per_s.round() as i64)),
    ];
    if !progress.clock.is_empty() {
        parts.push(format!("clock {} UTC", progress.clock));
    }
    parts.push(speed(shared));
    if progress.never_sent > 0 {
        parts.push(format!(
            "{} never sent (no arrival time)",
            grouped(progress.never_sent as i64)
        ));
    }
    parts.join(" · ")
}

fn speed(shared: &Shared) -> String {
    let words = |speed: f64| match speed.is_finite() {
        true => format!("1 s = {}", time::show_span((speed * 1e6) as i64)),
        false => "all at once".into(),
    };
    match shared.speed() {
        (speed, None) => words(speed),
        (speed, Some(asked)) => format!(
            "{} (asked for {}; {} sets a limit)",
            words(speed),
            words(asked),
            super::LIMIT_ENV
        ),
    }
}
