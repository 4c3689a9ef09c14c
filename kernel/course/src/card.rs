//! The small box in which outcomes and hints show themselves.

use std::fmt::Write;

use headwater_streams::display;
use headwater_streams::frame::Bundle;

/// HTML in the making; everything that is added as text is escaped.
pub(crate) struct Card {
    html: String,
    title: String,
    colour: &'static str,
}

impl Card {
    pub fn new(title: &str) -> Card {
        Card {
            html: String::new(),
            title: escape(title),
            colour: "#0072b2",
        }
    }

    /// Sets the colour of the edge; the title must say the same in words.
    pub fn colour(mut self, colour: &'static str) -> Card {
        self.colour = colour;
        self
    }

    /// Adds a paragraph.
    pub fn line(mut self, text: &str) -> Card {
        let _ = write!(self.html, "<p style=\"margin:6px 0\">{}</p>", marked(text));
        self
    }

    /// Adds a paragraph that begins with a bold word.
    pub fn point(mut self, head: &str, text: &str) -> Card {
        let _ = write!(
            self.html,
            "<p style=\"margin:6px 0\"><strong>{}</strong> {}</p>",
            escape(head),
            marked(text)
        );
        self
    }

    /// Adds rows of a name and what belongs to it, in letters of one width.
    pub fn facts(mut self, facts: &[(&str, &str)]) -> Card {
        self.html
            .push_str("<table style=\"border-collapse:collapse;font-size:14px\">");
        for (name, value) in facts {
            let _ = write!(
                self.html,
                "<tr><th scope=\"row\" style=\"text-align:left;padding:2px 12px 2px 0\">{}</th>\
                 <td style=\"text-align:left;padding:2px 0\"><code>{}</code></td></tr>",
                escape(name),
                escape(value)
            );
        }
        self.html.push_str("</table>");
        self
    }

    /// Adds text that keeps its line breaks; if it looks like code it is set in one width.
    pub fn text_block(self, text: &str) -> Card {
        if !text.contains('\n') {
            return self.line(text);
        }
        let mut card = self;
        let _ = write!(
            card.html,
            "<pre style=\"margin:6px 0;font-size:14px;white-space:pre-wrap\">{}</pre>",
            escape(text)
        );
        card
    }

    /// Adds a picture.
    pub fn picture(mut self, svg: &str) -> Card {
        let _ = write!(self.html, "<div style=\"margin:6px 0\">{svg}</div>");
        self
    }

    /// Returns the whole card as HTML.
    pub fn html(&self) -> String {
        format!(
            "<div style=\"border-left:6px solid {};padding:4px 12px;font-size:14px;max-width:720px\">\
             <p style=\"margin:4px 0;font-size:16px\"><strong>{}</strong></p>{}</div>",
            self.colour, self.title, self.html
        )
    }

    /// Shows the card as the value of the running cell, with `text` as its plain twin.
    pub fn show(&self, text: &str) {
        display::result(Bundle::from([
            ("text/html".to_owned(), self.html()),
            ("text/plain".to_owned(), text.to_owned()),
        ]));
    }
}

/// Writes text as HTML; what stands between two backticks is code.
fn marked(text: &str) -> String {
    let mut html = String::new();
    for (index, part) in escape(text).split('`').enumerate() {
        let tag = match index {
            0 => "",
            odd if odd % 2 == 1 => "<code>",
            _ => "</code>",
        };
        html.push_str(tag);
        html.push_str(part);
    }
    html
}

/// Writes text so that HTML and SVG show it as it is.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
