//! A service that answers requests and counts them, as a program does that Prometheus watches.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use headwater_streams::{Error, Result, interrupt};
use polars::prelude::DataFrame;

use super::board::column;
use super::metrics::Metrics;

/// So often it looks what is due.
const BEAT: Duration = Duration::from_millis(10);

/// A thread that works through requests at a rate. It counts `requests_total` and observes
/// `latency_ms`, each with the label `service`. It stops when it drops.
pub struct LabService {
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<Result<()>>>,
}

impl LabService {
    /// Starts on these requests: service (str), latency_ms (f64).
    ///
    /// # Errors
    /// When a column is not there, or the rate is no number above 0.
    pub fn start(metrics: &Metrics, requests: &DataFrame, per_second: f64) -> Result<LabService> {
        if !(per_second > 0.0 && per_second.is_finite()) {
            return Err(Error::new("a rate is a number above 0")
                .have(format!("{per_second} requests a second"))
                .hint("LabService::start(&metrics, &requests, 1000.0)?"));
        }
        let services = column(requests, "service")?.str()?.clone();
        let latencies = column(requests, "latency_ms")?.f64()?.clone();
        let (ends, metrics) = (Arc::new(AtomicBool::new(false)), metrics.clone());
        let asked = ends.clone();
        let thread = std::thread::spawn(move || {
            let began = Instant::now();
            for (number, (service, latency)) in services.iter().zip(latencies.iter()).enumerate() {
                let due = Duration::from_secs_f64(number as f64 / per_second);
                while began.elapsed() < due && !asked.load(Ordering::SeqCst) {
                    std::thread::sleep(BEAT);
                }
                if asked.load(Ordering::SeqCst) {
                    return Ok(());
                }
                if let Some((service, latency)) = service.zip(latency) {
                    metrics.count("requests_total", ("service", service), 1.0)?;
                    metrics.observe("latency_ms", ("service", service), latency)?;
                }
            }
            Ok(())
        });
        Ok(LabService {
            ends,
            thread: Some(thread),
        })
    }

    /// Returns whether every request is done.
    pub fn has_ended(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Waits for so long, or until every request is done.
    ///
    /// # Errors
    /// On interrupt.
    pub fn wait_at_most(&self, span: Duration) -> Result<()> {
        let limit = Instant::now() + span;
        while !self.has_ended() && Instant::now() < limit {
            interrupt::check()?;
            std::thread::sleep(BEAT);
        }
        Ok(())
    }
}

impl Drop for LabService {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
