//! Terminal colours as HTML.

use super::html::escape;

/// Returns `text` with its colour codes as `span`s; every other control code is left out.
pub fn html(text: &str) -> String {
    let mut page = String::new();
    let mut style = Style::default();
    let mut rest = text;
    while let Some(at) = rest.find('\u{1b}') {
        style.write(&mut page, &rest[..at]);
        rest = skip_code(&rest[at..], &mut style);
    }
    style.write(&mut page, rest);
    page
}

/// Returns `text` without its control codes.
pub fn without_colours(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('\u{1b}') {
        plain.push_str(&rest[..at]);
        rest = skip_code(&rest[at..], &mut Style::default());
    }
    plain + rest
}

#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Style {
    colour: Option<Colour>,
    bold: bool,
    italic: bool,
    underlined: bool,
    dim: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Colour {
    /// One of the sixteen; the style sheet chooses its shade.
    Named(u8),
    Grey,
    Exact(u8, u8, u8),
}

impl Style {
    fn write(&self, page: &mut String, text: &str) {
        // Backspace, bell and the like mean nothing on a page.
        let text: String = text
            .chars()
            .filter(|letter| !letter.is_control() || "\n\t".contains(*letter))
            .collect();
        if text.is_empty() {
            return;
        }
        if *self == Style::default() {
            page.push_str(&escape(&text));
            return;
        }
        let mut classes = Vec::new();
        let mut exact = String::new();
        match self.colour {
            Some(Colour::Named(number)) => classes.push(format!("ansi-{number}")),
            Some(Colour::Grey) => classes.push("ansi-grey".to_owned()),
            Some(Colour::Exact(r, g, b)) => {
                exact = format!(" style=\"color:#{r:02x}{g:02x}{b:02x}\"")
            }
            None => {}
        }
        for (is_set, class) in [
            (self.bold, "bold"),
            (self.italic, "italic"),
            (self.underlined, "underlined"),
            (self.dim, "dim"),
        ] {
            if is_set {
                classes.push(format!("ansi-{class}"));
            }
        }
        page.push_str(&format!(
            "<span class=\"{}\"{exact}>{}</span>",
            classes.join(" "),
            escape(&text)
        ));
    }

    /// Applies the numbers of one "select graphic rendition" code.
    fn select(&mut self, numbers: &str) {
        let mut numbers = numbers.split(';').map(|number| number.parse().unwrap_or(0));
        while let Some(number) = numbers.next() {
            match number {
                0 => *self = Style::default(),
                1 => self.bold = true,
                2 => self.dim = true,
                3 => self.italic = true,
                4 => self.underlined = true,
                22 => (self.bold, self.dim) = (false, false),
                23 => self.italic = false,
                24 => self.underlined = false,
                30..=37 => self.colour = Some(Colour::Named(number - 30)),
                90..=97 => self.colour = Some(Colour::Named(number - 82)),
                38 => self.colour = extended(&mut numbers),
                48 => drop(extended(&mut numbers)),
                39 => self.colour = None,
                _ => {}
            }
        }
    }
}

/// Reads `5;n` (one of 256) or `2;r;g;b`.
fn extended(numbers: &mut impl Iterator<Item = u8>) -> Option<Colour> {
    match numbers.next()? {
        5 => Some(match numbers.next()? {
            number @ 0..=15 => Colour::Named(number),
            number @ 16..=231 => {
                let level = |step: u8| if step == 0 { 0 } else { 55 + 40 * step };
                let number = number - 16;
                Colour::Exact(level(number / 36), level(number / 6 % 6), level(number % 6))
            }
            // Shades of grey serve for what is less important, on light pages and on dark ones.
            _ => Colour::Grey,
        }),
        2 => Some(Colour::Exact(
            numbers.next()?,
            numbers.next()?,
            numbers.next()?,
        )),
        _ => None,
    }
}

/// Returns what follows the escape code that `text` begins with; a colour code is applied.
fn skip_code<'text>(text: &'text str, style: &mut Style) -> &'text str {
    let Some(code) = text.strip_prefix("\u{1b}[") else {
        return text.get(1..).unwrap_or_default();
    };
    let Some(end) = code.find(|letter: char| ('@'..='~').contains(&letter)) else {
        return "";
    };
    if code[end..].starts_with('m') {
        style.select(&code[..end]);
    }
    &code[end + 1..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_become_spans_and_other_codes_vanish() {
        let text = "\u{1b}[1;31mbad\u{1b}[0m <\u{1b}[38;5;246m|\u{1b}[38;2;1;2;255mx\u{1b}[39m\u{1b}[2Kend\u{7}";
        let expected = "<span class=\"ansi-1 ansi-bold\">bad</span> &lt;\
            <span class=\"ansi-grey\">|</span>\
            <span class=\"\" style=\"color:#0102ff\">x</span>end";
        assert_eq!(html(text), expected);
        assert_eq!(
            without_colours("\u{1b}[31mbad\u{1b}[0m end\u{1b}"),
            "bad end"
        );
    }
}
