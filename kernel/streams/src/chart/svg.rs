//! plotters' pen for SVG with dashes and patterns, in as few bytes as it takes.
//!
//! plotters' own SVG knows plain colours only. This one writes the same shapes with the [`Mark`] that the
//! drawing side has set before, and keeps the definitions of the patterns that were used.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::fmt::Write;
use std::rc::Rc;

use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind,
    FontStyle, FontTransform,
};

use super::palette::{Mark, Theme};
use crate::table::escape;

/// What is written, seen from the drawing side.
#[derive(Clone)]
pub(super) struct Sheet(Rc<Inner>);

struct Inner {
    size: (u32, u32),
    theme: &'static Theme,
    body: RefCell<String>,
    mark: Cell<Mark>,
    used: RefCell<BTreeSet<Mark>>,
}

/// The same, seen from plotters.
pub(super) struct Backend(Sheet);

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

impl Sheet {
    pub fn new(size: (u32, u32), theme: &'static Theme) -> Sheet {
        Sheet(Rc::new(Inner {
            size,
            theme,
            body: RefCell::default(),
            mark: Cell::new(Mark::Plain),
            used: RefCell::default(),
        }))
    }

    pub fn backend(&self) -> Backend {
        Backend(self.clone())
    }

    /// Draws lines and surfaces in this way from now on.
    pub fn mark(&self, mark: Mark) {
        self.0.mark.set(mark);
    }

    /// Returns the picture as SVG.
    pub fn finish(&self) -> String {
        let (width, height) = self.0.size;
        let used = self.0.used.borrow();
        let patterns: String = used
            .iter()
            .map(|mark| mark.definition(self.0.theme))
            .collect();
        let patterns = match patterns.as_str() {
            "" => String::new(),
            patterns => format!("<defs>{patterns}</defs>"),
        };
        format!(
            "<svg width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
             xmlns=\"http://www.w3.org/2000/svg\">{patterns}\n{}</svg>\n",
            self.0.body.borrow()
        )
    }

    fn write(&self, element: std::fmt::Arguments<'_>) -> Drawn {
        let written = self.0.body.borrow_mut().write_fmt(element);
        written.expect("text in memory takes what is written");
        Ok(())
    }

    /// Returns fill and outline of a surface.
    fn surface(&self, colour: BackendColor) -> String {
        let mark = self.0.mark.get();
        match mark.pattern(self.0.theme) {
            None => format!("fill=\"{}\"{}", hex(colour), opacity(colour)),
            Some(id) => {
                self.0.used.borrow_mut().insert(mark);
                let outline = match mark {
                    Mark::Open(_) => format!(" stroke=\"{}\"", hex(colour)),
                    _ => String::new(),
                };
                format!("fill=\"url(#{id})\"{outline}")
            }
        }
    }

    /// Returns the stroke of a line.
    fn stroke<S: BackendStyle>(&self, style: &S) -> String {
        let (colour, width) = (style.color(), style.stroke_width());
        let width = match width {
            1 => String::new(),
            width => format!(" stroke-width=\"{width}\""),
        };
        let dashes = self.0.mark.get().dashes();
        let dashes = dashes.map_or(String::new(), |dashes| {
            format!(" stroke-dasharray=\"{dashes}\"")
        });
        format!(
            "stroke=\"{}\"{width}{dashes}{}",
            hex(colour),
            opacity(colour)
        )
    }
}

impl DrawingBackend for Backend {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        self.0.0.size
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        Ok(())
    }

    fn draw_pixel(&mut self, (x, y): BackendCoord, colour: BackendColor) -> Drawn {
        let fill = hex(colour);
        self.0.write(format_args!(
            "<rect x=\"{x}\" y=\"{y}\" width=\"1\" height=\"1\" fill=\"{fill}\"/>\n"
        ))
    }

    fn draw_line<S: BackendStyle>(
        &mut self,
        from: BackendCoord,
        to: BackendCoord,
        style: &S,
    ) -> Drawn {
        let stroke = self.0.stroke(style);
        self.0.write(format_args!(
            "<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" {stroke}/>\n",
            from.0, from.1, to.0, to.1
        ))
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        (left, top): BackendCoord,
        (right, bottom): BackendCoord,
        style: &S,
        fill: bool,
    ) -> Drawn {
        let (width, height) = (right - left, bottom - top);
        let paint = match fill {
            true => self.0.surface(style.color()),
            false => format!("fill=\"none\" {}", self.0.stroke(style)),
        };
        self.0.write(format_args!(
            "<rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" {paint}/>\n"
        ))
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Drawn {
        let stroke = self.0.stroke(style);
        let points = points(path);
        self.0.write(format_args!(
            "<polyline fill=\"none\" {stroke} points=\"{points}\"/>\n"
        ))
    }

    fn draw_circle<S: BackendStyle>(
        &mut self,
        (x, y): BackendCoord,
        radius: u32,
        style: &S,
        fill: bool,
    ) -> Drawn {
        let paint = match fill {
            true => self.0.surface(style.color()),
            false => format!("fill=\"none\" {}", self.0.stroke(style)),
        };
        self.0.write(format_args!(
            "<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\" {paint}/>\n"
        ))
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        corners: I,
        style: &S,
    ) -> Drawn {
        let paint = self.0.surface(style.color());
        let points = points(corners);
        self.0
            .write(format_args!("<polygon {paint} points=\"{points}\"/>\n"))
    }

    fn draw_text<S: BackendTextStyle>(
        &mut self,
        text: &str,
        style: &S,
        (x, y): BackendCoord,
    ) -> Drawn {
        let anchor = style.anchor();
        let side = match anchor.h_pos {
            HPos::Left => "",
            HPos::Right => " text-anchor=\"end\"",
            HPos::Center => " text-anchor=\"middle\"",
        };
        let down = match anchor.v_pos {
            VPos::Top => " dy=\".76em\"",
            VPos::Center => " dy=\".5ex\"",
            VPos::Bottom => "",
        };
        let turn = match style.transform() {
            FontTransform::None => String::new(),
            FontTransform::Rotate90 => format!(" transform=\"rotate(90 {x} {y})\""),
            FontTransform::Rotate180 => format!(" transform=\"rotate(180 {x} {y})\""),
            FontTransform::Rotate270 => format!(" transform=\"rotate(270 {x} {y})\""),
        };
        let weight = match style.style() {
            FontStyle::Bold => " font-weight=\"bold\"",
            _ => "",
        };
        let (family, size, fill) = (style.family(), style.size(), hex(style.color()));
        self.0.write(format_args!(
            "<text x=\"{x}\" y=\"{y}\"{down}{side} font-family=\"{}\" font-size=\"{}\"{weight} fill=\"{fill}\"{turn}>{}</text>\n",
            family.as_str(),
            (size * 100.0).round() / 100.0,
            escape(text)
        ))
    }
}

fn points(path: impl IntoIterator<Item = BackendCoord>) -> String {
    let mut points = String::new();
    for (x, y) in path {
        let space = if points.is_empty() { "" } else { " " };
        write!(points, "{space}{x},{y}").expect("text in memory takes what is written");
    }
    points
}

fn hex(colour: BackendColor) -> String {
    let (red, green, blue) = colour.rgb;
    format!("#{red:02X}{green:02X}{blue:02X}")
}

fn opacity(colour: BackendColor) -> String {
    match colour.alpha {
        alpha if alpha >= 1.0 => String::new(),
        alpha => format!(" opacity=\"{alpha}\""),
    }
}
