//! Reads a session file: cells between `// %%` lines, with the differences that are wanted.

use super::gave::Part;

/// One cell of a session file.
pub struct WrittenCell {
    pub code: String,
    /// The parts in which evcxr gives something else, for a reason that stands in the file.
    pub differs: Vec<Part>,
}

const MARKER: &str = "// %%";

/// Returns the cells of a session; the lines before the first marker say what it is about.
pub fn cells(text: &str) -> Vec<WrittenCell> {
    let mut cells: Vec<WrittenCell> = Vec::new();
    for line in text.lines() {
        if let Some(head) = line.strip_prefix(MARKER) {
            cells.push(WrittenCell {
                code: String::new(),
                differs: differs(head.trim()),
            });
        } else if let Some(cell) = cells.last_mut() {
            if !cell.code.is_empty() {
                cell.code.push('\n');
            }
            cell.code.push_str(line);
        }
    }
    cells
}

/// Reads `differs (result, stdout): why`.
fn differs(head: &str) -> Vec<Part> {
    let Some(rest) = head.strip_prefix("differs (") else {
        assert!(head.is_empty(), "a marker line says `{head}`");
        return Vec::new();
    };
    let (parts, reason) = rest
        .split_once("):")
        .unwrap_or_else(|| panic!("no `):` in `{head}`"));
    assert!(!reason.trim().is_empty(), "no reason in `{head}`");
    parts
        .split(',')
        .map(|part| Part::named(part.trim()))
        .collect()
}
