//! Reads one page of rustdoc: a name with its declaration, documentation and members.

use super::Kind;
use super::html::{line, markdown};

/// Documentation longer than this is cut: it is read in a tooltip.
const LETTERS: usize = 6_000;

/// A page, taken apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Page {
    pub declaration: String,
    pub doc: String,
    pub members: Vec<PageMember>,
    pub derefs: Option<String>,
    pub traits: Vec<String>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct PageMember {
    pub name: String,
    pub kind: Kind,
    pub signature: String,
    pub doc: String,
}

/// Which part of a page the reader is in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Head,
    /// Fields, variants, inherent methods, a trait's own methods.
    Own,
    /// Methods of what it derefs to: they belong to that type.
    Deref,
    Traits,
    /// Implementors, auto traits: nothing for a cell.
    Rest,
}

/// Returns kind and name that a page's file name tells: `struct.Vec.html`.
pub fn of_file(file: &str) -> Option<(Kind, &str)> {
    let (kind, name) = file.strip_suffix(".html")?.split_once('.')?;
    let kind = match kind {
        "struct" => Kind::Struct,
        "enum" => Kind::Enum,
        "union" => Kind::Union,
        "trait" => Kind::Trait,
        "traitalias" => Kind::TraitAlias,
        "type" => Kind::Type,
        "fn" => Kind::Function,
        "macro" => Kind::Macro,
        "derive" | "attr" => Kind::Derive,
        "constant" => Kind::Constant,
        "static" => Kind::Static,
        "primitive" => Kind::Primitive,
        _ => return None,
    };
    // `macro.vec!.html` only leads to `macro.vec.html`.
    (!name.contains('!')).then_some((kind, name))
}

impl Page {
    /// Reads a page.
    pub fn read(html: &str) -> Page {
        let html = html.find("<h1>").map_or(html, |at| &html[at..]);
        let mut page = Page {
            declaration: between(
                html,
                "<pre class=\"rust item-decl\"><code>",
                "</code></pre>",
            )
            .map(declaration)
            .unwrap_or_default(),
            ..Page::default()
        };
        let mut part = Part::Head;
        for chunk in chunks(html) {
            match marker(chunk) {
                Marker::Header(id) => part = page.enter(id, chunk),
                Marker::Section(id, class) if part == Part::Own => page.member(id, class, chunk),
                Marker::Section(id, "impl") if part == Part::Traits => page.implements(id, chunk),
                Marker::Field if part == Part::Own => page.field(chunk),
                Marker::Section(..) | Marker::Field => {}
                Marker::None => page.doc = top_doc(chunk),
            }
        }
        page.traits.sort();
        page.traits.dedup();
        page
    }

    fn enter(&mut self, id: &str, chunk: &str) -> Part {
        if id.starts_with("deref-methods") {
            let target = between(chunk, "Target = ", "</span>").map(line);
            let target = target.as_deref().and_then(|text| text.strip_suffix('>'));
            self.derefs = target.map(str::to_owned).or(self.derefs.take());
            return Part::Deref;
        }
        match id {
            "fields"
            | "variants"
            | "implementations"
            | "required-methods"
            | "provided-methods"
            | "required-associated-consts"
            | "provided-associated-consts"
            | "required-associated-functions"
            | "provided-associated-functions" => Part::Own,
            "trait-implementations" | "blanket-implementations" => Part::Traits,
            _ => Part::Rest,
        }
    }

    fn member(&mut self, id: &str, class: &str, chunk: &str) {
        let tag = if class == "variant" { "</h3>" } else { "</h4>" };
        let Some(header) = between(chunk, "class=\"code-header\">", tag) else {
            return;
        };
        // An unstable method cannot be called by a cell.
        let head = chunk.split("class=\"docblock").next().unwrap_or(chunk);
        if head.contains("class=\"stab unstable\"") {
            return;
        }
        let signature = line(header);
        let plain = id.split_once('.').map_or(id, |(_, name)| name);
        let name = between(header, "class=\"fn\">", "</a>")
            .or_else(|| between(header, "class=\"constant\">", "</a>"))
            .unwrap_or(plain)
            .to_owned();
        let kind = match id.split('.').next().unwrap_or_default() {
            "variant" => Kind::Variant,
            "method" | "tymethod" if takes_self(&signature) => Kind::Method,
            "method" | "tymethod" => Kind::Associated,
            "associatedconstant" => Kind::Constant,
            _ => return,
        };
        // Two `impl` blocks for different parameters may offer the same name.
        if self.members.iter().any(|known| known.name == name) {
            return;
        }
        let name = if kind == Kind::Variant {
            name.split(['(', ' ', '{']).next().unwrap_or("").to_owned()
        } else {
            name
        };
        self.members.push(PageMember {
            name,
            kind,
            signature: signature.trim_start_matches("pub ").to_owned(),
            doc: doc_of(chunk),
        });
    }

    fn field(&mut self, chunk: &str) {
        let Some(code) = between(chunk, "<code>", "</code>") else {
            return;
        };
        let signature = line(code);
        let Some((name, _)) = signature.split_once(':') else {
            return;
        };
        self.members.push(PageMember {
            name: name.to_owned(),
            kind: Kind::Field,
            doc: doc_of(chunk),
            signature,
        });
    }

    fn implements(&mut self, id: &str, chunk: &str) {
        let Some(header) = between(chunk, "class=\"code-header\">", "</h3>") else {
            return;
        };
        let link = header
            .find("class=\"trait\"")
            .and_then(|at| between(&header[at..], ">", "</a>"));
        let Some(name) = link.filter(|_| id.contains("-for-")) else {
            return;
        };
        // `Deref` without a list of methods goes to a parameter: `Arc<T>` is used as its `T`.
        if name == "Deref" && self.derefs.is_none() {
            self.derefs = Some("*".to_owned());
        }
        self.traits.push(name.to_owned());
    }
}

fn takes_self(signature: &str) -> bool {
    let arguments = signature.split_once('(').map_or("", |(_, rest)| rest);
    let first = arguments.split([',', ')', ':']).next().unwrap_or_default();
    first.split_whitespace().next_back() == Some("self") || first.ends_with("self")
}

enum Marker<'a> {
    Header(&'a str),
    Section(&'a str, &'a str),
    Field,
    None,
}

const SECTION: &str = "<section id=\"";
const FIELD: &str = "<span id=\"structfield.";
const HEADER: &str = "<h2 id=\"";

fn marker(chunk: &str) -> Marker<'_> {
    if let Some(rest) = chunk.strip_prefix(SECTION) {
        let id = rest.split('"').next().unwrap_or_default();
        let class = between(rest, "class=\"", "\"").unwrap_or_default();
        return Marker::Section(id, class);
    }
    if chunk.starts_with(FIELD) {
        return Marker::Field;
    }
    match chunk.strip_prefix(HEADER) {
        Some(rest) => Marker::Header(rest.split('"').next().unwrap_or_default()),
        None => Marker::None,
    }
}

/// Cuts a page before each section, field and header of sections; the first chunk is its head.
fn chunks(html: &str) -> Vec<&str> {
    // Pages of built-in types have megabytes: three searches are much faster than one walk.
    let mut cuts = vec![0, html.len()];
    for pattern in [SECTION, FIELD] {
        cuts.extend(html.match_indices(pattern).map(|(at, _)| at));
    }
    let is_header = |at: &usize| {
        let tag = html[*at..].split('>').next();
        tag.is_some_and(|tag| tag.contains("section-header"))
    };
    let headers = html.match_indices(HEADER).map(|(at, _)| at);
    cuts.extend(headers.filter(is_header));
    cuts.sort_unstable();
    cuts.windows(2)
        .map(|pair| &html[pair[0]..pair[1]])
        .collect()
}

/// Declarations keep their lines; what a trait's page repeats below is left out.
fn declaration(html: &str) -> String {
    let html = html.split("<details").next().unwrap_or(html);
    let mut text = String::new();
    for (index, part) in html.split('\n').enumerate() {
        if index > 0 {
            text.push('\n');
        }
        let indent = part.len() - part.trim_start().len();
        text.push_str(&" ".repeat(indent));
        text.push_str(&line(part));
    }
    let text = text.trim_end().trim_start_matches("pub ").to_owned();
    if text.ends_with('{') {
        text + " … }"
    } else {
        text
    }
}

fn top_doc(chunk: &str) -> String {
    chunk
        .find("top-doc")
        .map(|at| doc_of(&chunk[at..]))
        .unwrap_or_default()
}

/// Returns the documentation that follows in a chunk.
fn doc_of(chunk: &str) -> String {
    let Some(start) = chunk
        .find("class=\"docblock")
        .or_else(|| chunk.find("class='docblock"))
    else {
        return String::new();
    };
    let body = &chunk[start..];
    let body = body.find('>').map_or("", |at| &body[at + 1..]);
    let end = body.find("</details>").unwrap_or(body.len());
    let mut text = markdown(&body[..end]);
    if let Some((cut, _)) = text.char_indices().nth(LETTERS) {
        text.truncate(cut);
        if text.matches("```").count() % 2 == 1 {
            text.push_str("\n```");
        }
        text.push_str("\n\n…");
    }
    text
}

/// Returns what stands between the first `open` and the next `close`.
fn between<'a>(text: &'a str, open: &str, close: &str) -> Option<&'a str> {
    let start = text.find(open)? + open.len();
    let end = text[start..].find(close)?;
    Some(&text[start..start + end])
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r##"<h1>Struct <span class="struct">Trip</span></h1>
<pre class="rust item-decl"><code>pub struct Trip {
    pub fare: <a class="primitive" href="f64.html">f64</a>,
}</code></pre><details class="toggle top-doc" open><summary></summary><div class="docblock"><p>A trip.</p>
<h2 id="examples">Examples</h2></div></details><h2 id="fields" class="fields section-header">Fields</h2><span id="structfield.fare" class="structfield section-header"><a href="#structfield.fare">§</a><code>fare: <a>f64</a></code></span><div class="docblock"><p>In dollars.</p></div><h2 id="implementations" class="section-header">Implementations</h2>
<section id="method.tip" class="method"><h4 class="code-header">pub fn <a href="#method.tip" class="fn">tip</a>(&amp;self) -&gt; <a>f64</a></h4></section></summary><div class="docblock"><p>Adds a fifth.</p></div></details>
<section id="method.new" class="method"><h4 class="code-header">pub fn <a href="#method.new" class="fn">new</a>() -&gt; Trip</h4></section>
<section id="method.soon" class="method"><h4 class="code-header">pub fn <a href="#method.soon" class="fn">soon</a>(&amp;self)</h4></section><span class="item-info"><div class="stab unstable">unstable</div></span>
<h2 id="trait-implementations" class="section-header">Trait Implementations</h2><section id="impl-Clone-for-Trip" class="impl"><h3 class="code-header">impl <a class="trait" href="Clone.html">Clone</a> for Trip</h3></section><section id="method.clone" class="method trait-impl"><h4 class="code-header">fn <a class="fn">clone</a>(&amp;self) -&gt; Trip</h4></section>"##;

    #[test]
    fn a_page_gives_declaration_members_and_traits() {
        let page = Page::read(PAGE);
        assert_eq!(page.declaration, "struct Trip {\n    pub fare: f64,\n}");
        assert!(page.doc.starts_with("A trip."), "{}", page.doc);
        let members: Vec<_> = page
            .members
            .iter()
            .map(|member| (member.name.as_str(), member.kind, member.signature.as_str()))
            .collect();
        let expected = [
            ("fare", Kind::Field, "fare: f64"),
            ("tip", Kind::Method, "fn tip(&self) -> f64"),
            ("new", Kind::Associated, "fn new() -> Trip"),
        ];
        assert_eq!(members, expected, "what is unstable cannot be called");
        assert_eq!(page.members[1].doc, "Adds a fifth.");
        assert_eq!(page.traits, ["Clone"]);
    }

    #[test]
    fn file_names_tell_kind_and_name() {
        assert_eq!(of_file("struct.Vec.html"), Some((Kind::Struct, "Vec")));
        assert_eq!(of_file("macro.vec!.html"), None);
        assert_eq!(of_file("index.html"), None);
    }
}
