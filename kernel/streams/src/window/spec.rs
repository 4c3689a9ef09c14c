//! Which windows an event falls into.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Error, Result, time};

/// Which windows an event falls into; made by [`Tumbling`], [`Hopping`] or [`Session`].
///
/// Every span is a fixed number of microseconds. A day is 24 hours from 1970-01-01T00:00:00Z and a
/// week seven of them (so weeks start on a Thursday); a month has no fixed length and is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WindowSpec {
    /// Windows `[start, start + size_us)` with a start at every multiple of `slide_us`, plus
    /// `offset_us`, since 1970.
    Fixed {
        /// How long a window is.
        size_us: i64,
        /// How often one starts: the size for tumbling windows, less for hopping ones.
        slide_us: i64,
        /// How far every start is moved.
        offset_us: i64,
    },
    /// Windows that last as long as the events of a key are at most `gap_us` apart.
    Session {
        /// How long after its last event a session ends.
        gap_us: i64,
    },
}

/// Windows of one size, one after the other: every event falls into exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tumbling(Fixed);

/// Windows of one size that start more often than that: an event falls into several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hopping(Fixed);

/// Windows as long as there are events: a session of a key ends when no event has come for a gap.
///
/// An event at `t` covers `[t, t + gap)`, and what touches or overlaps is one session: the event
/// exactly one gap after the last one still joins. A late event may bridge two open sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session(i64);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fixed {
    size: i64,
    slide: i64,
    offset: i64,
}

impl Tumbling {
    /// Returns windows of this size, for instance `Tumbling::of(minutes(30))`.
    pub fn of(size: Duration) -> Tumbling {
        let size = time::micros(size);
        Tumbling(Fixed {
            size,
            slide: size,
            offset: 0,
        })
    }

    /// Moves every start by this much. Default: windows start at multiples of their size since 1970.
    pub fn offset(self, offset: Duration) -> Tumbling {
        Tumbling(Fixed {
            offset: time::micros(offset),
            ..self.0
        })
    }
}

impl Hopping {
    /// Returns windows of this size; [`Hopping::every`] says how often one starts.
    pub fn of(size: Duration) -> Hopping {
        Hopping(Tumbling::of(size).0)
    }

    /// Starts a window this often. Default: one after the other.
    ///
    /// The size need not be a multiple of it: then some events fall into one window more than others.
    pub fn every(self, slide: Duration) -> Hopping {
        Hopping(Fixed {
            slide: time::micros(slide),
            ..self.0
        })
    }

    /// Moves every start by this much. Default: none.
    pub fn offset(self, offset: Duration) -> Hopping {
        Hopping(Fixed {
            offset: time::micros(offset),
            ..self.0
        })
    }
}

impl Session {
    /// Returns sessions that end this long after their last event, for instance
    /// `Session::gap(minutes(5))`.
    pub fn gap(gap: Duration) -> Session {
        Session(time::micros(gap))
    }
}

impl From<Tumbling> for WindowSpec {
    fn from(window: Tumbling) -> WindowSpec {
        window.0.into()
    }
}

impl From<Hopping> for WindowSpec {
    fn from(window: Hopping) -> WindowSpec {
        window.0.into()
    }
}

impl From<Session> for WindowSpec {
    fn from(window: Session) -> WindowSpec {
        WindowSpec::Session { gap_us: window.0 }
    }
}

impl From<Fixed> for WindowSpec {
    fn from(fixed: Fixed) -> WindowSpec {
        WindowSpec::Fixed {
            size_us: fixed.size,
            slide_us: fixed.slide,
            offset_us: fixed.offset,
        }
    }
}

impl WindowSpec {
    pub(crate) fn check(&self) -> Result<()> {
        let WindowSpec::Fixed {
            size_us, slide_us, ..
        } = *self
        else {
            return match self.span() {
                1.. => Ok(()),
                _ => {
                    Err(Error::new("a session needs a gap above zero")
                        .hint("Session::gap(minutes(5))"))
                }
            };
        };
        if size_us <= 0 || slide_us <= 0 {
            return Err(
                Error::new("a window needs a size above zero").hint("Tumbling::of(minutes(30))")
            );
        }
        if slide_us > size_us {
            let size = time::show_span(size_us);
            return Err(
                Error::new("windows that start less often than they are long leave gaps")
                    .have(format!("size {size}, every {}", time::show_span(slide_us)))
                    .hint(format!(
                        "Hopping::of(..).every(..) with every at most {size}"
                    )),
            );
        }
        Ok(())
    }

    /// Returns the size of a window, or the gap of a session: how long an event alone lasts.
    pub(crate) fn span(&self) -> i64 {
        match *self {
            WindowSpec::Fixed { size_us, .. } => size_us,
            WindowSpec::Session { gap_us } => gap_us,
        }
    }

    pub(crate) fn is_session(&self) -> bool {
        matches!(self, WindowSpec::Session { .. })
    }

    /// Returns what kind of windows these are, in words.
    pub(crate) fn words(&self) -> String {
        match *self {
            WindowSpec::Session { gap_us } => {
                format!("sessions with a gap of {}", time::show_span(gap_us))
            }
            WindowSpec::Fixed {
                size_us,
                slide_us,
                offset_us,
            } => {
                let size = time::show_span(size_us);
                let kind = match slide_us == size_us {
                    true => format!("tumbling windows of {size}"),
                    false => format!(
                        "hopping windows of {size} every {}",
                        time::show_span(slide_us)
                    ),
                };
                match offset_us {
                    0 => kind,
                    _ => format!("{kind}, moved by {}", time::show_span(offset_us)),
                }
            }
        }
    }
}
