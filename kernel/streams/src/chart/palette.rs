//! Colours and their second codes.

use plotters::style::RGBColor;

/// Okabe and Ito's colours, the ones with most contrast on white first.
const COLOURS: [(u8, u8, u8); 7] = [
    (0, 114, 178),
    (213, 94, 0),
    (0, 158, 115),
    (204, 121, 167),
    (86, 86, 86),
    (230, 159, 0),
    (86, 180, 233),
];

/// Dash patterns in SVG's form; the first line is solid.
const DASHES: [&str; 7] = ["", "9 4", "2 4", "9 4 2 4", "16 5", "5 3", "12 3 3 3"];

/// How many series a chart can tell apart.
pub(super) const SERIES: usize = COLOURS.len();

/// What a fill stands for. plotters knows plain colours only, so each meaning has a shade of its
/// own, one step of blue away, and [`finish`] turns it into a pattern.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fill {
    Plain,
    /// Open windows: hatched.
    Open,
    /// The second code of bars after the first series: stripes.
    Striped,
}

/// Returns the colour of a series in the shade that stands for `fill`.
pub(super) fn colour(series: usize, fill: Fill) -> RGBColor {
    let (red, green, blue) = COLOURS[series % SERIES];
    let step = match fill {
        Fill::Plain => 0,
        Fill::Open => 1,
        Fill::Striped => 2,
    };
    RGBColor(red, green, blue + step)
}

/// Turns the shades of plotters' SVG into dashes, hatches and stripes, and adds the patterns used.
pub(super) fn finish(svg: &str) -> String {
    let mut svg = svg
        .replace(" opacity=\"1\"", "")
        .replace(" stroke=\"none\"", "")
        .replace(" \"/>", "\"/>");
    let mut patterns = String::new();
    for (series, dashes) in DASHES.iter().enumerate() {
        let plain = hex(colour(series, Fill::Plain));
        if !dashes.is_empty() {
            // The outline of a hollow marker is one pixel wide and stays whole.
            let line = format!("<polyline fill=\"none\" stroke=\"{plain}\" stroke-width=\"2\"");
            svg = svg.replace(&line, &format!("{line} stroke-dasharray=\"{dashes}\""));
        }
        for (fill, name) in [(Fill::Open, "open"), (Fill::Striped, "closed")] {
            let shade = format!("fill=\"{}\"", hex(colour(series, fill)));
            if svg.contains(&shade) {
                let id = format!("headwater-{name}-{series}");
                let outline = if fill == Fill::Open {
                    format!(" stroke=\"{plain}\"")
                } else {
                    String::new()
                };
                svg = svg.replace(&shade, &format!("fill=\"url(#{id})\"{outline}"));
                patterns.push_str(&pattern(&id, &plain, fill, series));
            }
        }
    }
    match svg.find('>') {
        Some(end) if !patterns.is_empty() => {
            svg.insert_str(end + 1, &format!("<defs>{patterns}</defs>"));
            svg
        }
        _ => svg,
    }
}

fn pattern(id: &str, colour: &str, fill: Fill, series: usize) -> String {
    let (angle, ground, ink) = match fill {
        Fill::Open => (45, "#fff", colour),
        _ => (90 * (series % 2), colour, "#fff"),
    };
    format!(
        "<pattern id=\"{id}\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate({angle})\">\
         <rect width=\"6\" height=\"6\" fill=\"{ground}\"/><rect width=\"1.5\" height=\"6\" fill=\"{ink}\"/></pattern>"
    )
}

fn hex(colour: RGBColor) -> String {
    format!("#{:02X}{:02X}{:02X}", colour.0, colour.1, colour.2)
}
