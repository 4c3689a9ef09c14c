//! Counters, gauges and histograms of a program, in the text form that Prometheus reads.
//!
//! The form: <https://prometheus.io/docs/instrumenting/exposition_formats/>.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex, MutexGuard};

use headwater_streams::{Error, Result};

use super::metrics_server::MetricsServer;

/// Upper ends of the buckets of every histogram, each half as wide again as the one before.
pub const BUCKETS: [f64; 14] = [
    10.0, 15.0, 22.5, 34.0, 50.0, 75.0, 115.0, 170.0, 255.0, 385.0, 575.0, 865.0, 1300.0, 1950.0,
];

/// The metrics of a program. A cheap handle: clones count into the same metrics.
#[derive(Clone, Default)]
pub struct Metrics {
    families: Arc<Mutex<BTreeMap<String, Family>>>,
}

/// All series of one name.
struct Family {
    kind: Kind,
    /// By the text of their labels.
    series: BTreeMap<String, Series>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
}

#[derive(Default)]
struct Series {
    value: f64,
    /// How many observations fell into each bucket; the last one has no upper end.
    buckets: [u64; BUCKETS.len() + 1],
}

impl Metrics {
    /// Returns metrics without any.
    pub fn new() -> Metrics {
        Metrics::default()
    }

    /// Adds to a counter, which only grows.
    ///
    /// # Errors
    /// When `by` is below 0, or the name belongs to another kind of metric.
    pub fn count(&self, name: &str, label: (&str, &str), by: f64) -> Result<()> {
        if by.is_nan() || by < 0.0 {
            return Err(Error::new(format!("counter `{name}` cannot go down"))
                .have(format!("{by}"))
                .hint(".set(..) for a gauge, which can"));
        }
        self.with(name, Kind::Counter, label, |series| series.value += by)
    }

    /// Sets a gauge, which goes up and down.
    ///
    /// # Errors
    /// When the name belongs to another kind of metric.
    pub fn set(&self, name: &str, label: (&str, &str), value: f64) -> Result<()> {
        self.with(name, Kind::Gauge, label, |series| series.value = value)
    }

    /// Puts an observation into its bucket of a histogram.
    ///
    /// # Errors
    /// When the name belongs to another kind of metric.
    pub fn observe(&self, name: &str, label: (&str, &str), value: f64) -> Result<()> {
        self.with(name, Kind::Histogram, label, |series| {
            series.value += value;
            let place = BUCKETS.iter().position(|end| value <= *end);
            series.buckets[place.unwrap_or(BUCKETS.len())] += 1;
        })
    }

    /// Returns everything as a scrape gets it.
    pub fn text(&self) -> String {
        let families = self.lock();
        let mut text = String::new();
        for (name, family) in families.iter() {
            let _ = writeln!(text, "# TYPE {name} {}", family.kind.name());
            for (labels, series) in &family.series {
                match family.kind {
                    Kind::Histogram => series.histogram(&mut text, name, labels),
                    _ => {
                        let _ = writeln!(text, "{name}{{{labels}}} {}", series.value);
                    }
                }
            }
        }
        text
    }

    /// Answers scrapes at an address of this machine until the server drops.
    ///
    /// # Errors
    /// When the system gives no port.
    pub fn serve(&self) -> Result<MetricsServer> {
        MetricsServer::start(self)
    }

    fn with(
        &self,
        name: &str,
        kind: Kind,
        (key, value): (&str, &str),
        act: impl FnOnce(&mut Series),
    ) -> Result<()> {
        let mut families = self.lock();
        let family = families.entry(name.to_owned()).or_insert_with(|| Family {
            kind,
            series: BTreeMap::new(),
        });
        if family.kind != kind {
            return Err(Error::new(format!("`{name}` is a {}", family.kind.name()))
                .have(format!("it was to be used as a {}", kind.name()))
                .hint("another name: a metric has one type for life"));
        }
        let value = value
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n");
        act(family
            .series
            .entry(format!("{key}=\"{value}\""))
            .or_default());
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Family>> {
        self.families.lock().expect("no panic under this lock")
    }
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        }
    }
}

impl Series {
    /// Writes the buckets, each with all that is below it, as the form wants.
    fn histogram(&self, text: &mut String, name: &str, labels: &str) {
        let mut below = 0;
        for (place, count) in self.buckets.iter().enumerate() {
            below += count;
            let end = BUCKETS.get(place).map_or("+Inf".to_owned(), f64::to_string);
            let _ = writeln!(text, "{name}_bucket{{{labels},le=\"{end}\"}} {below}");
        }
        let _ = writeln!(text, "{name}_sum{{{labels}}} {}", self.value);
        let _ = writeln!(text, "{name}_count{{{labels}}} {below}");
    }
}
