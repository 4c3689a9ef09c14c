//! Detectors on many series at once, compared with the truth: picture P6.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use headwater_streams::frame::Bundle;
use headwater_streams::{Error, Result, display};
use polars::prelude::*;

use super::board_picture;
use super::detector::{Detector, Watcher};
use crate::drawing::Drawing;

/// Windows are so long, in microseconds.
pub(super) const WINDOW: i64 = 10_000_000;
/// A detector's memory: so long after a fault it may still ring because of it.
const AFTER: i64 = 60 * WINDOW;
/// Flags of one detector that are no further apart are one alarm.
const ONE_ALARM: i64 = 12 * WINDOW;
/// The faults that a level can show. A gap has no level, and a slow tail leaves the median alone.
const KINDS: [&str; 3] = ["step", "spike", "drift"];

/// All detectors, watching the windows of ten seconds of every series that you push, beside the
/// truth. A cheap handle; what it shows in a cell changes with every push.
#[derive(Clone)]
pub struct DetectorBoard {
    inside: Arc<Mutex<Inside>>,
}

/// Locked for one push or one look.
struct Inside {
    series: String,
    value: String,
    faults: Vec<Fault>,
    tracks: BTreeMap<String, Track>,
    shown: Option<String>,
}

/// One fault of the truth; times in epoch microseconds.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    pub kind: String,
    pub subject: String,
    pub start: i64,
    pub end: i64,
}

/// One series: its values, and who flagged which.
#[derive(Default)]
pub(super) struct Track {
    /// Start of the window in epoch microseconds, and its value.
    pub values: Vec<(i64, f64)>,
    pub flags: BTreeMap<Detector, Vec<i64>>,
    watchers: BTreeMap<Detector, Watcher>,
}

/// How one detector does.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Counts {
    found: i64,
    /// Of the first flag in each found fault, in microseconds.
    delays: i64,
    alarms: i64,
    false_alarms: i64,
    /// Windows that are rightly flagged or rightly not.
    right: i64,
}

impl DetectorBoard {
    /// Watches column `value` of the series that column `series` names, against this truth: fault,
    /// subject (the series), start, end. Faults that a level cannot show are left out.
    ///
    /// # Errors
    /// When the truth lacks one of its columns.
    pub fn new(truth: &DataFrame, series: &str, value: &str) -> Result<DetectorBoard> {
        let text =
            |name: &str| -> Result<StringChunked> { Ok(column(truth, name)?.str()?.clone()) };
        let (kinds, subjects) = (text("fault")?, text("subject")?);
        let (starts, ends) = (micros(truth, "start")?, micros(truth, "end")?);
        let faults = (0..truth.height()).filter_map(|row| {
            Some(Fault {
                kind: kinds
                    .get(row)
                    .filter(|kind| KINDS.contains(kind))?
                    .to_owned(),
                subject: subjects.get(row)?.to_owned(),
                start: starts[row],
                end: ends[row],
            })
        });
        Ok(DetectorBoard {
            inside: Arc::new(Mutex::new(Inside {
                series: series.to_owned(),
                value: value.to_owned(),
                faults: faults.collect(),
                tracks: BTreeMap::new(),
                shown: None,
            })),
        })
    }

    /// Takes windows that are final (window_start, the series, the value), in the order of their starts.
    ///
    /// # Errors
    /// When one of the columns is not there.
    pub fn push(&self, windows: &DataFrame) -> Result<()> {
        let mut inside = self.lock();
        let windows = windows.sort(["window_start"], SortMultipleOptions::default())?;
        let starts = micros(&windows, "window_start")?;
        let names = column(&windows, &inside.series)?.str()?.clone();
        let values = column(&windows, &inside.value)?.cast(&DataType::Float64)?;
        let values = values.f64()?.clone();
        for (row, start) in starts.into_iter().enumerate() {
            if let Some((name, value)) = names.get(row).zip(values.get(row)) {
                inside
                    .tracks
                    .entry(name.to_owned())
                    .or_default()
                    .take(start, value);
            }
        }
        if let Some(id) = &inside.shown {
            display::update(id, bundle(&inside.drawing()));
        }
        Ok(())
    }

    /// Shows the picture in the cell; from now on it changes with every push.
    pub fn show(&self) {
        let mut inside = self.lock();
        let id = display::new_id();
        display::show_as(&id, bundle(&inside.drawing()));
        inside.shown = Some(id);
    }

    /// Returns how the detectors do, a row each: detector (str), found and faults (i64),
    /// mean_delay_s (f64), precision (f64, of alarms), false_alarms and false_alarms_a_day, accuracy
    /// (f64, of windows).
    ///
    /// # Errors
    /// Never in practice; the signature is that of every call that makes a frame.
    pub fn scores(&self) -> Result<DataFrame> {
        let inside = self.lock();
        let counts: Vec<Counts> = Detector::ALL
            .iter()
            .map(|one| inside.counts(*one))
            .collect();
        let windows = inside
            .tracks
            .values()
            .map(|track| track.values.len())
            .sum::<usize>() as f64;
        // A day of all series together.
        let days = inside.days();
        let faults = inside.visible().count() as i64;
        let part = |a: i64, b: f64| (b > 0.0).then(|| (a as f64 / b * 1000.0).round() / 1000.0);
        Ok(df!(
            "detector" => Detector::ALL.iter().map(|one| one.name()).collect::<Vec<_>>(),
            "found" => counts.iter().map(|one| one.found).collect::<Vec<_>>(),
            "faults" => vec![faults; counts.len()],
            "mean_delay_s" => counts.iter().map(|one| part(one.delays / 1_000_000, one.found as f64)).collect::<Vec<_>>(),
            "precision" => counts.iter().map(|one| part(one.alarms - one.false_alarms, one.alarms as f64)).collect::<Vec<_>>(),
            "false_alarms" => counts.iter().map(|one| one.false_alarms).collect::<Vec<_>>(),
            "false_alarms_a_day" => counts.iter().map(|one| part(one.false_alarms, days)).collect::<Vec<_>>(),
            "accuracy" => counts.iter().map(|one| part(one.right, windows)).collect::<Vec<_>>(),
        )?)
    }

    /// Returns how long each detector took to flag each fault that has begun: fault and subject (str),
    /// start (datetime in microseconds UTC), then seconds for every detector (f64), null where it did not.
    ///
    /// # Errors
    /// Never in practice; the signature is that of every call that makes a frame.
    pub fn delays(&self) -> Result<DataFrame> {
        let inside = self.lock();
        let faults: Vec<&Fault> = inside.visible().collect();
        let utc = DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC));
        let mut frame = df!(
            "fault" => faults.iter().map(|fault| fault.kind.as_str()).collect::<Vec<_>>(),
            "subject" => faults.iter().map(|fault| fault.subject.as_str()).collect::<Vec<_>>(),
            "start" => faults.iter().map(|fault| fault.start).collect::<Vec<_>>(),
        )?;
        let start = frame.column("start")?.cast(&utc)?;
        frame.with_column(start)?;
        for detector in &Detector::ALL[..4] {
            let delays = faults.iter().map(|fault| {
                let first = inside.first_flag(fault, *detector)?;
                Some((first + WINDOW - fault.start) as f64 / 1e6)
            });
            let delays: Float64Chunked = delays.collect();
            frame.with_column(delays.with_name(detector.name().into()).into_column())?;
        }
        Ok(frame)
    }

    /// Returns the picture so far.
    pub fn drawing(&self) -> Drawing {
        self.lock().drawing()
    }

    /// Shows the picture as the value of a cell.
    pub fn evcxr_display(&self) {
        self.drawing().evcxr_display();
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().expect("no panic under this lock")
    }
}

impl Track {
    fn take(&mut self, start: i64, value: f64) {
        self.values.push((start, value));
        for detector in Detector::ALL {
            let watcher = self
                .watchers
                .entry(detector)
                .or_insert_with(|| Watcher::new(detector));
            if watcher.flags(value) {
                self.flags.entry(detector).or_default().push(start);
            }
        }
    }

    /// Returns the starts of the windows at which an alarm of this detector begins.
    pub fn alarms(&self, detector: Detector) -> Vec<i64> {
        let (mut alarms, mut last) = (Vec::new(), i64::MIN / 2);
        for at in self.flags.get(&detector).into_iter().flatten() {
            if at - last > ONE_ALARM {
                alarms.push(*at);
            }
            last = *at;
        }
        alarms
    }
}

impl Inside {
    /// Returns the faults that have begun in the series pushed so far.
    fn visible(&self) -> impl Iterator<Item = &Fault> {
        self.faults.iter().filter(|fault| {
            let track = self.tracks.get(&fault.subject);
            let last = track.and_then(|track| track.values.last());
            last.is_some_and(|(last, _)| *last >= fault.start)
        })
    }

    fn days(&self) -> f64 {
        let spans = self.tracks.values().filter_map(|track| {
            let (first, last) = (track.values.first()?.0, track.values.last()?.0);
            Some(last + WINDOW - first)
        });
        spans.max().unwrap_or(0) as f64 / 86_400e6
    }

    /// Returns the start of the first window of a fault that this detector flags.
    fn first_flag(&self, fault: &Fault, detector: Detector) -> Option<i64> {
        let flags = self.tracks.get(&fault.subject)?.flags.get(&detector)?;
        flags.iter().copied().find(|at| fault.shows_in(*at))
    }

    fn counts(&self, detector: Detector) -> Counts {
        let mut counts = Counts::default();
        for (name, track) in &self.tracks {
            let faults: Vec<&Fault> = self
                .faults
                .iter()
                .filter(|fault| fault.subject == *name)
                .collect();
            let flags = track.flags.get(&detector).map_or(&[][..], Vec::as_slice);
            for fault in &faults {
                if let Some(first) = self.first_flag(fault, detector) {
                    counts.found += 1;
                    counts.delays += first + WINDOW - fault.start;
                }
            }
            let alarms = track.alarms(detector);
            let belongs = |at: &i64| {
                faults
                    .iter()
                    .any(|fault| (fault.start - WINDOW..fault.end + AFTER).contains(at))
            };
            counts.alarms += alarms.len() as i64;
            counts.false_alarms += alarms.iter().filter(|at| !belongs(at)).count() as i64;
            counts.right += track
                .values
                .iter()
                .filter(|(at, _)| {
                    faults.iter().any(|fault| fault.shows_in(*at))
                        == flags.binary_search(at).is_ok()
                })
                .count() as i64;
        }
        counts
    }

    fn drawing(&self) -> Drawing {
        let faults: Vec<&Fault> = self.visible().collect();
        let score = |detector: &Detector| {
            let counts = self.counts(*detector);
            let delay = match counts.found {
                0 => String::new(),
                found => format!(", on average after {} s", counts.delays / found / 1_000_000),
            };
            format!(
                "{}: {} of {} faults{delay}; {} false of {} alarms",
                detector.name(),
                counts.found,
                faults.len(),
                counts.false_alarms,
                counts.alarms
            )
        };
        let heard = &Detector::ALL[..4];
        let words: Vec<String> = heard.iter().map(score).collect();
        board_picture::draw(&self.tracks, &faults, &self.value, &words.join("\n"))
    }
}

impl Fault {
    /// Returns whether some of the window that starts at `at` is in this fault.
    fn shows_in(&self, at: i64) -> bool {
        at + WINDOW > self.start && at < self.end
    }
}

fn bundle(drawing: &Drawing) -> Bundle {
    Bundle::from([
        ("image/svg+xml".to_owned(), drawing.svg().to_owned()),
        ("text/plain".to_owned(), drawing.text().to_owned()),
    ])
}

pub(super) fn column<'a>(frame: &'a DataFrame, name: &str) -> Result<&'a Column> {
    frame.column(name).map_err(|_| {
        let names: Vec<&str> = frame
            .get_column_names()
            .iter()
            .map(|name| name.as_str())
            .collect();
        Error::new(format!("no column `{name}` in this frame"))
            .have(names.join(", "))
            .hint("a frame with that column: .alias(\"..\") renames an expression")
    })
}

/// Returns a column of times in epoch microseconds.
pub(super) fn micros(frame: &DataFrame, name: &str) -> Result<Vec<i64>> {
    let times = column(frame, name)?.cast(&DataType::Datetime(TimeUnit::Microseconds, None))?;
    let times = times.cast(&DataType::Int64)?;
    Ok(times.i64()?.iter().map(|time| time.unwrap_or(0)).collect())
}
