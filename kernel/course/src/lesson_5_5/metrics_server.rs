//! The address at which metrics can be scraped.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use headwater_streams::{Error, Result};

use super::metrics::Metrics;

/// A client that says nothing for so long is let go.
const PATIENCE: Duration = Duration::from_secs(2);
/// More of a request than this is not read.
const LONGEST: u64 = 8192;

/// Answers `GET /metrics` on a port of 127.0.0.1 that the system chose; it stops when it drops.
pub struct MetricsServer {
    address: SocketAddr,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl MetricsServer {
    pub(super) fn start(metrics: &Metrics) -> Result<MetricsServer> {
        let refused = |cause: std::io::Error| {
            Error::new("no port for the metrics")
                .have(cause.to_string())
                .hint("close a server that you no longer need, and run the cell again")
                .caused_by(cause)
        };
        let listener = TcpListener::bind("127.0.0.1:0").map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let (ends, metrics) = (Arc::new(AtomicBool::new(false)), metrics.clone());
        let asked = ends.clone();
        let thread = std::thread::spawn(move || {
            for client in listener.incoming() {
                if asked.load(Ordering::SeqCst) {
                    return;
                }
                // A client that goes away in the middle is its own business.
                let _ = client.and_then(|client| answer(client, &metrics));
            }
        });
        Ok(MetricsServer {
            address,
            ends,
            thread: Some(thread),
        })
    }

    /// Returns the address, for [`scrape`](super::scrape()), `curl` or a Prometheus server.
    pub fn url(&self) -> String {
        format!("http://{}/metrics", self.address)
    }

    /// Shows the address as the value of a cell.
    pub fn evcxr_display(&self) {
        crate::lesson_5_2::show_text(&format!("metrics at {}", self.url()));
    }
}

impl Drop for MetricsServer {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        // The thread waits for a client: this is the last one.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn answer(client: TcpStream, metrics: &Metrics) -> std::io::Result<()> {
    client.set_read_timeout(Some(PATIENCE))?;
    let mut reader = BufReader::new(client.try_clone()?.take(LONGEST));
    let mut request = String::new();
    reader.read_line(&mut request)?;
    let mut line = String::new();
    // The head ends with an empty line; nothing in it matters here.
    while reader.read_line(&mut line)? > 2 {
        line.clear();
    }
    let (status, body) = match request.split_whitespace().collect::<Vec<_>>()[..] {
        ["GET", "/metrics", ..] => ("200 OK", metrics.text()),
        ["GET", ..] => ("404 Not Found", "only /metrics is here\n".to_owned()),
        _ => ("405 Method Not Allowed", "GET /metrics\n".to_owned()),
    };
    let mut client = client;
    write!(
        client,
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}
