//! Draws numbers in pairs: what was expected, and below it what was given.

use std::fmt::Write;

use crate::card::escape;

const WIDTH: f64 = 640.0;
const LEFT: f64 = 150.0;
const RIGHT: f64 = 110.0;
const PAIR: f64 = 42.0;
/// No more pairs than this are drawn; the last line says how many there are.
const MOST: usize = 12;

/// A picture of one case: pairs of bars on one axis.
pub(crate) struct BarPicture {
    pub title: String,
    /// What the axis counts, with its unit.
    pub axis: String,
    pub pairs: Vec<Pair>,
}

/// One number as it should be and as it is.
pub(crate) struct Pair {
    pub name: String,
    pub expected: f64,
    pub got: f64,
}

impl BarPicture {
    /// Returns the picture as SVG, 640 pixels wide. Pairs that differ have a bold name.
    pub fn svg(&self) -> String {
        let drawn = self.pairs.iter().take(MOST);
        let height = 62.0 + drawn.len() as f64 * PAIR + 46.0;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{WIDTH}\" height=\"{height}\" \
             viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"14\" fill=\"#222222\">\
             <title>{title}</title><desc>{words}</desc><rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#ffffff\"/>\
             <text x=\"8\" y=\"20\">{title}</text>\
             <rect x=\"{LEFT}\" y=\"32\" width=\"26\" height=\"12\" fill=\"#0072b2\"/>\
             <text x=\"{}\" y=\"43\">expected</text>\
             <rect x=\"{}\" y=\"32\" width=\"26\" height=\"12\" fill=\"#ffffff\" stroke=\"#d55e00\" stroke-width=\"2\" \
             stroke-dasharray=\"5 3\"/><text x=\"{}\" y=\"43\">got</text>",
            LEFT + 32.0,
            LEFT + 120.0,
            LEFT + 152.0,
            title = escape(&self.title),
            words = escape(&self.words()),
        );
        for (row, pair) in drawn.enumerate() {
            self.pair(&mut svg, pair, 56.0 + row as f64 * PAIR);
        }
        let (zero, below) = (self.x(0.0), height - 40.0);
        let _ = write!(
            svg,
            "<line x1=\"{zero:.1}\" y1=\"52\" x2=\"{zero:.1}\" y2=\"{below}\" stroke=\"#222222\"/>\
             <text x=\"{LEFT}\" y=\"{}\">{}{}</text></svg>",
            height - 16.0,
            escape(&self.axis),
            match self.pairs.len() {
                all if all > MOST => format!(" (the first {MOST} of {all})"),
                _ => String::new(),
            }
        );
        svg
    }

    fn pair(&self, svg: &mut String, pair: &Pair, y: f64) {
        let weight = if pair.expected == pair.got {
            "normal"
        } else {
            "bold"
        };
        let _ = write!(
            svg,
            "<text x=\"8\" y=\"{}\" font-weight=\"{weight}\">{}</text>",
            y + 22.0,
            escape(&pair.name)
        );
        let zero = self.x(0.0);
        let looks = [
            (pair.expected, y, "fill=\"#0072b2\""),
            (
                pair.got,
                y + 18.0,
                "fill=\"#ffffff\" stroke=\"#d55e00\" stroke-width=\"2\" stroke-dasharray=\"5 3\"",
            ),
        ];
        for (value, top, look) in looks {
            let end = self.x(value);
            let _ = write!(
                svg,
                "<rect x=\"{:.1}\" y=\"{top}\" width=\"{:.1}\" height=\"13\" {look}/>\
                 <text x=\"{:.1}\" y=\"{}\">{}</text>",
                end.min(zero),
                (end - zero).abs(),
                end.max(zero) + 6.0,
                top + 12.0,
                number(value)
            );
        }
    }

    fn words(&self) -> String {
        let pairs = self.pairs.iter().take(MOST).map(|pair| {
            format!(
                "{}: expected {}, got {}.",
                pair.name,
                number(pair.expected),
                number(pair.got)
            )
        });
        pairs.collect::<Vec<_>>().join(" ")
    }

    fn x(&self, value: f64) -> f64 {
        let shown = self.pairs.iter().take(MOST);
        let ends = shown
            .flat_map(|pair| [pair.expected, pair.got])
            .filter(|end| end.is_finite());
        let (low, high) = ends.fold((0.0_f64, 0.0_f64), |(low, high), end| {
            (low.min(end), high.max(end))
        });
        let span = (high - low).max(f64::MIN_POSITIVE);
        let within = if value.is_nan() {
            0.0
        } else {
            value.clamp(low, high)
        };
        LEFT + (within - low) / span * (WIDTH - LEFT - RIGHT)
    }
}

/// Writes a number with three decimals at most.
pub(crate) fn number(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        format!("{value:.0}")
    } else if value.is_finite() && value.abs() < 1e15 {
        format!("{value:.3}")
    } else {
        format!("{value:e}")
    }
}
