//! Turns what rustdoc wrote back into text: signatures on one line, documentation as Markdown.

/// Returns text without tags, entities decoded, every run of white space one space.
pub fn line(html: &str) -> String {
    let mut text = String::with_capacity(html.len() / 2);
    let mut rest = html;
    while let Some(open) = rest.find('<') {
        text.push_str(&rest[..open]);
        let end = rest[open..]
            .find('>')
            .map_or(rest.len(), |at| open + at + 1);
        if rest[open..].starts_with("<br") || rest[open..].starts_with("<div") {
            text.push(' ');
        }
        rest = &rest[end..];
    }
    text.push_str(rest);
    let words: Vec<&str> = text.split_whitespace().collect();
    let joined = decoded(&words.join(" "));
    // rustdoc breaks long argument lists into lines; on one line they need no spaces inside.
    joined
        .replace("( ", "(")
        .replace(", )", ")")
        .replace(" ?", "?")
}

/// Returns documentation as Markdown.
pub fn markdown(html: &str) -> String {
    let mut writer = Writer::default();
    let mut rest = html;
    while let Some(open) = rest.find('<') {
        writer.text(&rest[..open]);
        let end = rest[open..]
            .find('>')
            .map_or(rest.len(), |at| open + at + 1);
        writer.tag(&rest[open..end]);
        rest = &rest[end..];
    }
    writer.text(rest);
    writer.finish()
}

#[derive(Default)]
struct Writer {
    out: String,
    /// Inside a code block, where white space counts.
    block: bool,
    /// Inside an anchor that rustdoc adds to headings.
    anchor: bool,
}

impl Writer {
    fn text(&mut self, text: &str) {
        if self.anchor {
            return;
        }
        let text = decoded(text);
        if self.block {
            self.out.push_str(&text);
            return;
        }
        for (index, word) in text.split('\n').enumerate() {
            if index > 0 && !self.out.ends_with([' ', '\n']) {
                self.out.push(' ');
            }
            self.out.push_str(word);
        }
    }

    fn tag(&mut self, tag: &str) {
        let name = tag
            .trim_start_matches(['<', '/'])
            .split([' ', '>', '/'])
            .next()
            .unwrap_or_default();
        let closes = tag.starts_with("</");
        match (name, closes) {
            ("pre", false) => {
                self.paragraph();
                self.out.push_str("```rust\n");
                self.block = true;
            }
            ("pre", true) => {
                if !self.out.ends_with('\n') {
                    self.out.push('\n');
                }
                self.out.push_str("```\n\n");
                self.block = false;
            }
            ("code", _) if !self.block => self.out.push('`'),
            ("strong" | "b", _) if !self.block => self.out.push_str("**"),
            ("em" | "i", _) if !self.block => self.out.push('*'),
            ("h1" | "h2" | "h3" | "h4" | "h5" | "h6", false) => {
                self.paragraph();
                self.out.push_str("#### ");
            }
            ("p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "ul" | "ol" | "table", _) => {
                self.paragraph();
            }
            ("li", false) => self.list_item(),
            ("br" | "tr", _) => self.out.push('\n'),
            ("td" | "th", true) => self.out.push_str(" | "),
            ("a", _) => self.anchor = !closes && tag.contains("doc-anchor"),
            _ => {}
        }
    }

    fn list_item(&mut self) {
        let end = self.out.trim_end().len();
        self.out.truncate(end);
        let last = self.out.lines().next_back().unwrap_or_default();
        let gap = if last.starts_with("- ") || last.is_empty() {
            "\n- "
        } else {
            "\n\n- "
        };
        self.out.push_str(gap);
    }

    fn paragraph(&mut self) {
        // The first paragraph of a list's item stands on the item's own line.
        if self.block || self.out.ends_with("\n- ") {
            return;
        }
        let end = self.out.trim_end().len();
        self.out.truncate(end);
        if !self.out.is_empty() {
            self.out.push_str("\n\n");
        }
    }

    fn finish(self) -> String {
        self.out.trim().to_owned()
    }
}

fn decoded(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&#x27;", "'")
        .replace("&nbsp;", " ")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_comes_out_on_one_line() {
        let html = "fn <a href=\"#x\" class=\"fn\">next_chunk</a>&lt;const N: <a>usize</a>&gt;(\n    &amp;mut self,\n) -&gt; <a>Option</a>&lt;T&gt;<div class=\"where\">where\n    T: <a>Sized</a>,</div>";
        assert_eq!(
            line(html),
            "fn next_chunk<const N: usize>(&mut self) -> Option<T> where T: Sized,"
        );
    }

    #[test]
    fn documentation_keeps_code_blocks_lists_and_headings() {
        let html = "<p>First <code>x</code>\nline.</p>\n<h5 id=\"e\"><a class=\"doc-anchor\" href=\"#e\">§</a>Examples</h5>\n<ul>\n<li>one</li>\n<li><p>two</p></li>\n</ul><div class=\"example-wrap\"><pre class=\"rust\"><code><span class=\"kw\">let </span>a = 1;\nb();</code></pre></div>";
        assert_eq!(
            markdown(html),
            "First `x` line.\n\n#### Examples\n\n- one\n- two\n\n```rust\nlet a = 1;\nb();\n```"
        );
    }
}
