//! Colours and their second codes, on a light and on a dark plate.
//!
//! Front ends show a picture as an image, which knows nothing of their theme; so a picture brings the
//! plate that its colours are made for. On it every colour of a series and of a text has a contrast of at
//! least 4.5 to 1 ([WCAG 2.2](https://www.w3.org/TR/WCAG22/#contrast-minimum); it asks 3 of graphics).

use plotters::style::RGBColor;

/// Colours of a picture.
pub(super) struct Theme {
    /// Stands in the ids of patterns: two pictures in one page may have different plates.
    pub name: &'static str,
    pub plate: RGBColor,
    pub ink: RGBColor,
    /// For what is said beside.
    pub grey: RGBColor,
    pub grid: RGBColor,
    series: [RGBColor; SERIES],
}

/// How many series a chart can tell apart.
pub(super) const SERIES: usize = 7;

/// The hues of Okabe and Ito, which most colour-blind people can tell apart; dark enough for white.
pub(super) const LIGHT: Theme = Theme {
    name: "light",
    plate: RGBColor(255, 255, 255),
    ink: RGBColor(34, 34, 34),
    grey: RGBColor(90, 90, 90),
    grid: RGBColor(226, 226, 226),
    series: [
        RGBColor(0, 114, 178),
        RGBColor(184, 74, 0),
        RGBColor(0, 120, 90),
        RGBColor(168, 66, 126),
        RGBColor(86, 86, 86),
        RGBColor(138, 97, 0),
        RGBColor(106, 81, 163),
    ],
};

/// The same hues, light enough for a dark plate.
pub(super) const DARK: Theme = Theme {
    name: "dark",
    plate: RGBColor(27, 30, 36),
    ink: RGBColor(238, 238, 238),
    grey: RGBColor(180, 184, 190),
    grid: RGBColor(60, 64, 72),
    series: [
        RGBColor(86, 180, 233),
        RGBColor(255, 138, 76),
        RGBColor(43, 196, 150),
        RGBColor(232, 150, 200),
        RGBColor(200, 200, 200),
        RGBColor(240, 190, 60),
        RGBColor(180, 160, 240),
    ],
};

/// Dash patterns in SVG's form; the first line is solid.
const DASHES: [&str; SERIES] = ["", "9 4", "2 4", "9 4 2 4", "16 5", "5 3", "12 3 3 3"];

/// How the next line or surface is drawn: what plotters has no word for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mark {
    /// Solid.
    Plain,
    /// A line with the dashes of a series.
    Dashed(usize),
    /// A fine dotted line: the watermark.
    Dotted,
    /// The surface of open windows of a series: hatched, with an outline.
    Open(usize),
    /// The second code of surfaces after the first series: stripes.
    Striped(usize),
}

impl Theme {
    /// Returns the colour of a series.
    pub fn colour(&self, series: usize) -> RGBColor {
        self.series[series % SERIES]
    }
}

impl Mark {
    /// Returns the surface of a series: plain for the first, with stripes for the others.
    pub fn surface(series: usize, open: bool) -> Mark {
        match (open, series) {
            (true, _) => Mark::Open(series % SERIES),
            (false, 0) => Mark::Plain,
            (false, _) => Mark::Striped(series % SERIES),
        }
    }

    /// Returns the dashes of a line, if it has any.
    pub fn dashes(self) -> Option<&'static str> {
        match self {
            Mark::Dashed(series) => {
                Some(DASHES[series % SERIES]).filter(|dashes| !dashes.is_empty())
            }
            Mark::Dotted => Some("1 3"),
            _ => None,
        }
    }

    /// Returns the id of the pattern that fills a surface, if it has one.
    pub fn pattern(self, theme: &Theme) -> Option<String> {
        match self {
            Mark::Open(series) => Some(format!("headwater-{}-open-{series}", theme.name)),
            Mark::Striped(series) => Some(format!("headwater-{}-closed-{series}", theme.name)),
            _ => None,
        }
    }

    /// Writes the pattern's definition.
    pub fn definition(self, theme: &Theme) -> String {
        let Some(id) = self.pattern(theme) else {
            return String::new();
        };
        let plate = hex(theme.plate);
        let (angle, ground, ink) = match self {
            Mark::Open(series) => (45, plate, hex(theme.colour(series))),
            Mark::Striped(series) => (90 * (series % 2), hex(theme.colour(series)), plate),
            _ => return String::new(),
        };
        format!(
            "<pattern id=\"{id}\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate({angle})\">\
             <rect width=\"6\" height=\"6\" fill=\"{ground}\"/><rect width=\"1.5\" height=\"6\" fill=\"{ink}\"/></pattern>"
        )
    }
}

pub(super) fn hex(colour: RGBColor) -> String {
    format!("#{:02X}{:02X}{:02X}", colour.0, colour.1, colour.2)
}

/// Returns the relative luminance of a colour
/// ([WCAG 2.2](https://www.w3.org/TR/WCAG22/#dfn-relative-luminance)).
fn luminance(colour: RGBColor) -> f64 {
    let part = |value: u8| {
        let value = f64::from(value) / 255.0;
        match value <= 0.04045 {
            true => value / 12.92,
            false => ((value + 0.055) / 1.055).powf(2.4),
        }
    };
    0.2126 * part(colour.0) + 0.7152 * part(colour.1) + 0.0722 * part(colour.2)
}

/// Returns the contrast of two colours, from 1 to 21.
pub(super) fn contrast(a: RGBColor, b: RGBColor) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_colour_has_contrast_on_its_plate() {
        assert!((contrast(RGBColor(0, 0, 0), RGBColor(255, 255, 255)) - 21.0).abs() < 1e-9);
        for theme in [&LIGHT, &DARK] {
            for colour in theme.series.iter().chain([&theme.ink, &theme.grey]) {
                let found = contrast(*colour, theme.plate);
                assert!(found >= 4.5, "{} {}: {found:.2}", theme.name, hex(*colour));
            }
        }
    }

    #[test]
    fn no_two_series_have_one_code() {
        for theme in [&LIGHT, &DARK] {
            for a in 0..SERIES {
                for b in 0..a {
                    assert_ne!(theme.colour(a), theme.colour(b));
                    assert_ne!(Mark::Dashed(a).dashes(), Mark::Dashed(b).dashes());
                }
            }
        }
    }
}
