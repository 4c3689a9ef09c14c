//! Colours that can be read wherever front ends put an error: on white, on JupyterLab's pink and its
//! dark red, on a terminal's black.
//!
//! JupyterLab paints the named colours in one shade on all of these, and grey or cyan on pink is
//! hardly there. A colour by its number is the same everywhere; these two stand out by 3 to 1 and
//! more on each ground. Plain text has no colour at all, so that the front end chooses it.

/// For names of errors: bold, for on dark red the colour alone is weak.
pub const RED: &str = "\u{1b}[1;38;5;196m";
pub const BLUE: &str = "\u{1b}[38;5;33m";
pub const BOLD: &str = "\u{1b}[1m";
pub const RESET: &str = "\u{1b}[0m";

/// The same two for ariadne, and as it writes the first.
pub const PRIMARY: ariadne::Color = ariadne::Color::Fixed(196);
pub const SECONDARY: ariadne::Color = ariadne::Color::Fixed(33);
const LINE: &str = "\u{1b}[38;5;196m";

/// What ariadne paints by itself: the word `Error`, margins, code without a label, skipped lines,
/// and the words `Help` and `Note`.
const ARIADNE: [(&str, &str); 5] = [
    ("\u{1b}[31m", RED),
    ("\u{1b}[38;5;246m", ""),
    ("\u{1b}[38;5;249m", ""),
    ("\u{1b}[38;5;240m", ""),
    ("\u{1b}[38;5;115m", BOLD),
];

/// Returns a report of ariadne in colours that can be read. The code that a label points at is bold,
/// and the colours are for the lines that lead from it to the words.
pub fn legible(report: &str) -> String {
    let painted = ARIADNE
        .iter()
        .fold(report.to_owned(), |text, (theirs, ours)| {
            text.replace(theirs, ours)
        });
    let lines = painted.lines().map(|line| match is_code(line) {
        true => line.replace(LINE, BOLD).replace(BLUE, BOLD),
        false => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Whether a line of a report shows a line of the cell: its number and a bar stand in front.
fn is_code(line: &str) -> bool {
    let front = line.trim_start().trim_start_matches(RESET);
    let digits = front.chars().take_while(char::is_ascii_digit).count();
    digits > 0
        && front[digits..]
            .trim_start_matches(RESET)
            .trim_start()
            .starts_with('│')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_without_a_label_has_no_colour_and_the_rest_stands_out() {
        let report = "\u{1b}[31mError:\u{1b}[0m wrong\n \u{1b}[38;5;246m1 │\u{1b}[0m \
            \u{1b}[38;5;249mlet x = \u{1b}[0m\u{1b}[38;5;196my\u{1b}[0m\n   │ \u{1b}[38;5;196m┬\u{1b}[0m\n\
            \u{1b}[38;5;115mHelp\u{1b}[0m";
        let wanted = format!(
            "{RED}Error:{RESET} wrong\n 1 │{RESET} let x = {RESET}{BOLD}y{RESET}\n   │ {LINE}┬{RESET}\n\
            {BOLD}Help{RESET}"
        );
        assert_eq!(legible(report), wanted);
    }
}
