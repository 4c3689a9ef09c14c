//! What an executed notebook shows: a live window, and words beside every picture.

use serde_json::{Map, Value};

use crate::run::notebook::{Notebook, text};
use crate::run::session::CellRun;

/// Returns the id of the first cell that streamed a topic, computed event-time windows and drew them
/// while they changed. The evidence is what it showed: a picture that was drawn anew, whose words name the
/// watermark of the query behind it.
pub fn live_cell(notebook: &Notebook, cells: &[CellRun]) -> Option<String> {
    let live = cells
        .iter()
        .filter(|run| run.failure.is_none() && run.updates > 0);
    let mut live = live.map(|run| &notebook.cells()[run.index]);
    let found = live.find(|cell| {
        let mut pictures = outputs(cell).filter(|data| data["image/svg+xml"].is_array());
        pictures.any(|data| names_a_watermark(&text(&data["text/plain"])))
    });
    found.and_then(|cell| Some(cell["id"].as_str()?.to_owned()))
}

/// Returns whether the words say `watermark 2013-02-08 10:00:00`, as those of live charts do.
fn names_a_watermark(words: &str) -> bool {
    let mut places = words.split("watermark ").skip(1);
    places.any(|place| place.starts_with(|first: char| first.is_ascii_digit()))
}

/// Counts pictures, and returns the ids of cells that show one without words.
pub fn pictures(notebook: &Notebook) -> (usize, Vec<String>) {
    let (mut count, mut silent) = (0, Vec::new());
    for cell in notebook.cells() {
        for data in outputs(cell) {
            let is_image =
                |data: &Map<String, Value>| data.keys().any(|kind| kind.starts_with("image/"));
            let is_picture =
                data.as_object().is_some_and(is_image) || text(&data["text/html"]).contains("<svg");
            if !is_picture {
                continue;
            }
            count += 1;
            let words = text(&data["text/plain"]);
            if words.trim().is_empty() || words.contains("<svg") {
                silent.push(cell["id"].as_str().unwrap_or("?").to_owned());
            }
        }
    }
    (count, silent)
}

fn outputs(cell: &Value) -> impl Iterator<Item = &Value> {
    let outputs = cell["outputs"].as_array().into_iter().flatten();
    outputs.map(|output| &output["data"])
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    fn notebook(words: &str) -> Notebook {
        let data = json!({"image/svg+xml": ["<svg/>"], "text/plain": [words]});
        Notebook::of(json!({"cells": [{
            "cell_type": "code", "id": "live", "source": [],
            "outputs": [{"output_type": "display_data", "data": data}],
        }]}))
    }

    fn run(updates: usize) -> [CellRun; 1] {
        [CellRun {
            index: 0,
            number: 1,
            took: Duration::ZERO,
            silence: Duration::ZERO,
            updates,
            failure: None,
        }]
    }

    #[test]
    fn a_picture_is_live_if_it_was_drawn_anew_by_a_query_with_a_watermark() {
        let live = notebook("flights: 3 values\nwatermark 2013-02-08 10:00:00 · 3 open\n");
        assert_eq!(live_cell(&live, &run(4)).as_deref(), Some("live"));
        assert_eq!(live_cell(&live, &run(0)), None);
        let still = notebook("flights: 3 values\nthe watermark stands still");
        assert_eq!(live_cell(&still, &run(4)), None);
    }

    #[test]
    fn a_picture_without_words_is_found() {
        assert_eq!(pictures(&notebook("words")), (1, vec![]));
        assert_eq!(pictures(&notebook(" ")), (1, vec!["live".to_owned()]));
    }
}
