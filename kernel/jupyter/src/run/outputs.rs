//! Puts what the kernel says into the notebook, as front ends and nbclient do.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};

use super::notebook::{self, Notebook};

/// The outputs of a notebook that is being run.
#[derive(Debug)]
pub struct Outputs {
    notebook: Notebook,
    /// Where each display id is shown: cell and number of the output.
    displays: HashMap<String, Vec<(usize, usize)>>,
    /// Cells to be emptied when their next output comes.
    clear_next: HashSet<usize>,
}

impl Outputs {
    /// Takes a notebook and empties its code cells.
    pub fn of(mut notebook: Notebook) -> Outputs {
        for index in 0..notebook.cells().len() {
            if notebook.cells()[index]["cell_type"] == "code"
                && let Some(cell) = notebook.cell_mut(index)
            {
                cell.insert("execution_count".to_owned(), Value::Null);
                cell.insert("outputs".to_owned(), json!([]));
            }
        }
        Outputs {
            notebook,
            displays: HashMap::new(),
            clear_next: HashSet::new(),
        }
    }

    /// Returns the notebook as it is now.
    pub fn notebook(&self) -> &Notebook {
        &self.notebook
    }

    pub fn notebook_mut(&mut self) -> &mut Notebook {
        &mut self.notebook
    }

    /// Applies one iopub message that was caused by the cell at `index`.
    pub fn apply(&mut self, index: usize, message_type: &str, content: &Value) {
        match message_type {
            "execute_input" => {
                let count = content["execution_count"].clone();
                if let Some(cell) = self.notebook.cell_mut(index) {
                    cell.insert("execution_count".to_owned(), count);
                }
            }
            "stream" => self.stream(index, &content["name"], &content["text"]),
            "display_data" => self.append(
                index,
                content,
                json!({
                    "data": data(&content["data"]),
                    "metadata": object(&content["metadata"]),
                    "output_type": "display_data",
                }),
            ),
            "execute_result" => self.append(
                index,
                content,
                json!({
                    "data": data(&content["data"]),
                    "execution_count": content["execution_count"],
                    "metadata": object(&content["metadata"]),
                    "output_type": "execute_result",
                }),
            ),
            "error" => self.append(
                index,
                content,
                json!({
                    "ename": content["ename"],
                    "evalue": content["evalue"],
                    "output_type": "error",
                    "traceback": content["traceback"],
                }),
            ),
            "update_display_data" => self.update(content),
            "clear_output" if content["wait"] == true => drop(self.clear_next.insert(index)),
            "clear_output" => self.clear(index),
            _ => {}
        }
    }

    fn stream(&mut self, index: usize, name: &Value, text: &Value) {
        self.clear_if_due(index);
        let added = notebook::text(text);
        let Some(outputs) = self.outputs(index) else {
            return;
        };
        match outputs.last_mut() {
            Some(last) if last["output_type"] == "stream" && last["name"] == *name => {
                let whole = notebook::text(&last["text"]) + &added;
                last["text"] = notebook::lines(&whole);
            }
            _ => outputs.push(json!({
                "name": name, "output_type": "stream", "text": notebook::lines(&added),
            })),
        }
    }

    fn append(&mut self, index: usize, content: &Value, output: Value) {
        self.clear_if_due(index);
        let Some(outputs) = self.outputs(index) else {
            return;
        };
        outputs.push(output);
        let place = (index, outputs.len() - 1);
        if let Some(id) = content["transient"]["display_id"].as_str() {
            self.displays.entry(id.to_owned()).or_default().push(place);
        }
    }

    /// Replaces what a display id shows, in every cell that shows it.
    fn update(&mut self, content: &Value) {
        let id = content["transient"]["display_id"]
            .as_str()
            .unwrap_or_default();
        for (index, number) in self.displays.get(id).cloned().unwrap_or_default() {
            if let Some(output) = self
                .outputs(index)
                .and_then(|outputs| outputs.get_mut(number))
            {
                output["data"] = data(&content["data"]);
                output["metadata"] = object(&content["metadata"]);
            }
        }
    }

    fn clear_if_due(&mut self, index: usize) {
        if self.clear_next.remove(&index) {
            self.clear(index);
        }
    }

    fn clear(&mut self, index: usize) {
        if let Some(outputs) = self.outputs(index) {
            outputs.clear();
        }
        // The displays that stood in this cell are gone: an update must not hit what follows.
        self.displays
            .values_mut()
            .for_each(|places| places.retain(|(cell, _)| *cell != index));
    }

    fn outputs(&mut self, index: usize) -> Option<&mut Vec<Value>> {
        self.notebook
            .cell_mut(index)?
            .get_mut("outputs")?
            .as_array_mut()
    }
}

/// MIME types in order, text as lines, as Jupyter writes them.
fn data(data: &Value) -> Value {
    let mut entries: Vec<_> = data.as_object().into_iter().flatten().collect();
    entries.sort_by_key(|(mime, _)| *mime);
    let entries = entries.into_iter().map(|(mime, content)| {
        let is_text = mime.starts_with("text/")
            || mime == "image/svg+xml"
            || mime == "application/javascript";
        let content = match content {
            Value::String(text) if is_text => notebook::lines(text),
            other => other.clone(),
        };
        (mime.clone(), content)
    });
    Value::Object(entries.collect::<Map<_, _>>())
}

fn object(value: &Value) -> Value {
    if value.is_object() {
        value.clone()
    } else {
        json!({})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outputs_of(cells: usize) -> Outputs {
        let cell = json!({"cell_type": "code", "execution_count": null, "metadata": {}, "outputs": [], "source": ""});
        let root =
            json!({"cells": vec![cell; cells], "metadata": {}, "nbformat": 4, "nbformat_minor": 5});
        Outputs::of(Notebook::of(root))
    }

    fn shown(outputs: &Outputs, index: usize) -> Vec<String> {
        let list = outputs.notebook().cells()[index]["outputs"]
            .as_array()
            .unwrap();
        let content = |output: &Value| match output["output_type"].as_str() {
            Some("stream") => notebook::text(&output["text"]),
            _ => notebook::text(&output["data"]["text/plain"]),
        };
        list.iter().map(content).collect()
    }

    fn display(id: &str, text: &str) -> Value {
        json!({"data": {"text/plain": text}, "metadata": {}, "transient": {"display_id": id}})
    }

    fn stream(name: &str, text: &str) -> Value {
        json!({"name": name, "text": text})
    }

    #[test]
    fn text_of_one_stream_is_one_output() {
        let mut outputs = outputs_of(1);
        for (name, text) in [
            ("stdout", "a\nb"),
            ("stdout", "c\n"),
            ("stderr", "x\n"),
            ("stdout", "d"),
        ] {
            outputs.apply(0, "stream", &stream(name, text));
        }
        assert_eq!(shown(&outputs, 0), ["a\nbc\n", "x\n", "d"]);
        assert_eq!(
            outputs.notebook().cells()[0]["outputs"][0]["text"],
            json!(["a\n", "bc\n"])
        );
    }

    #[test]
    fn update_reaches_every_cell_that_shows_the_display() {
        let mut outputs = outputs_of(2);
        outputs.apply(0, "display_data", &display("chart", "old"));
        outputs.apply(1, "display_data", &display("other", "other"));
        outputs.apply(1, "display_data", &display("chart", "old"));
        outputs.apply(0, "update_display_data", &display("chart", "new"));
        assert_eq!(shown(&outputs, 0), ["new"]);
        assert_eq!(shown(&outputs, 1), ["other", "new"]);
    }

    #[test]
    fn clear_empties_the_cell_now_or_when_output_follows() {
        let mut outputs = outputs_of(1);
        outputs.apply(0, "display_data", &display("chart", "one"));
        outputs.apply(0, "clear_output", &json!({"wait": true}));
        assert_eq!(
            shown(&outputs, 0),
            ["one"],
            "not before there is something else"
        );
        outputs.apply(0, "stream", &stream("stdout", "two"));
        outputs.apply(0, "update_display_data", &display("chart", "gone"));
        assert_eq!(shown(&outputs, 0), ["two"]);
        outputs.apply(0, "clear_output", &json!({"wait": false}));
        assert!(shown(&outputs, 0).is_empty());
    }
}
