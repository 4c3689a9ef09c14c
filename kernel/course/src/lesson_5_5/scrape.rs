//! What a scrape says: every sample at one moment, and what two scrapes say together.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use headwater_streams::{Error, Result};
use polars::prelude::{DataFrame, df};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The samples of one scrape.
#[derive(Debug, Clone)]
pub struct Scrape {
    at: Instant,
    text: String,
    samples: Vec<Sample>,
}

/// One line of a scrape.
#[derive(Debug, Clone, PartialEq)]
struct Sample {
    name: String,
    /// As they stand between the braces.
    labels: String,
    value: f64,
}

/// Asks an address for its metrics, as a Prometheus server does.
///
/// # Errors
/// When nobody answers there, or the answer is no metrics.
pub fn scrape(url: &str) -> Result<Scrape> {
    let place = url
        .strip_prefix("http://")
        .and_then(|rest| rest.split_once('/'));
    let Some((host, path)) = place else {
        return Err(Error::new("no address to scrape")
            .have(format!("`{url}`"))
            .hint("scrape(&server.url())?"));
    };
    let answer = ask(host, path).map_err(|cause| {
        Error::new(format!("nobody answers at {url}"))
            .have(cause.to_string())
            .hint("metrics.serve()? and keep what it returns: the server ends when that drops")
            .caused_by(cause)
    })?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.lines().next().unwrap_or_default();
    if !status.contains(" 200 ") {
        return Err(Error::new(format!("no metrics at {url}"))
            .have(format!("`{status}`"))
            .hint("an address that ends in /metrics"));
    }
    Ok(Scrape {
        at: Instant::now(),
        samples: body.lines().filter_map(sample).collect(),
        text: body.to_owned(),
    })
}

fn ask(host: &str, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

fn sample(line: &str) -> Option<Sample> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let (series, value) = line.rsplit_once(' ')?;
    let (name, labels) = series.split_once('{').unwrap_or((series, ""));
    Some(Sample {
        name: name.to_owned(),
        labels: labels.trim_end_matches('}').to_owned(),
        value: value.parse().ok()?,
    })
}

impl Scrape {
    /// Returns the text as it came.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the samples: name and labels (str), value (f64).
    ///
    /// # Errors
    /// Never in practice; the signature is that of every call that makes a frame.
    pub fn samples(&self) -> Result<DataFrame> {
        let all = &self.samples;
        Ok(df!(
            "name" => all.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(),
            "labels" => all.iter().map(|one| one.labels.as_str()).collect::<Vec<_>>(),
            "value" => all.iter().map(|one| one.value).collect::<Vec<_>>(),
        )?)
    }

    /// Returns the sum of a metric over all its labels; 0 where there is none of this name.
    pub fn total(&self, name: &str) -> f64 {
        let own = self.samples.iter().filter(|sample| sample.name == name);
        own.map(|sample| sample.value).sum()
    }

    /// Returns by how much a counter grew in a second since an earlier scrape. A counter that is
    /// smaller than before began anew at 0.
    pub fn rate_since(&self, earlier: &Scrape, name: &str) -> f64 {
        let seconds = self.at.duration_since(earlier.at).as_secs_f64();
        let grown = self
            .samples
            .iter()
            .filter(|sample| sample.name == name)
            .map(|sample| {
                let before = earlier.value(name, &sample.labels).unwrap_or(0.0);
                if sample.value < before {
                    sample.value
                } else {
                    sample.value - before
                }
            });
        grown.sum::<f64>() / seconds.max(1e-9)
    }

    /// Returns the quantile `q` of a histogram, all labels together: found in its bucket, and placed
    /// in it as if the observations were spread evenly. Nothing where nothing was observed, or the
    /// bucket has no upper end.
    pub fn quantile(&self, name: &str, q: f64) -> Option<f64> {
        let bucket = format!("{name}_bucket");
        let mut below: Vec<(f64, f64)> = Vec::new();
        for sample in self.samples.iter().filter(|sample| sample.name == bucket) {
            let end = sample.labels.rsplit_once("le=\"")?.1.trim_end_matches('"');
            let end = if end == "+Inf" {
                f64::INFINITY
            } else {
                end.parse().ok()?
            };
            match below.iter_mut().find(|(known, _)| *known == end) {
                Some((_, count)) => *count += sample.value,
                None => below.push((end, sample.value)),
            }
        }
        below.sort_by(|a, b| a.0.total_cmp(&b.0));
        let all = below.last()?.1;
        let rank = q * all;
        let place = below
            .iter()
            .position(|(_, count)| *count >= rank && *count > 0.0)?;
        let (end, count) = below[place];
        let (start, before) = if place == 0 {
            (0.0, 0.0)
        } else {
            below[place - 1]
        };
        let part = (rank - before) / (count - before).max(1e-9);
        end.is_finite().then_some(start + part * (end - start))
    }

    /// Shows the text as the value of a cell.
    pub fn evcxr_display(&self) {
        crate::lesson_5_2::show_text(&self.text);
    }

    fn value(&self, name: &str, labels: &str) -> Option<f64> {
        let mut own = self.samples.iter();
        own.find(|sample| sample.name == name && sample.labels == labels)
            .map(|sample| sample.value)
    }
}
