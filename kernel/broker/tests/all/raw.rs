//! Set-up for tests that write requests byte by byte, over a socket or TLS.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

use headwater_broker::Server;

use crate::clients::PATIENCE;

/// A client that knows nothing of what it sends.
pub struct Raw<S> {
    pub stream: S,
}

/// What came back: nothing where the server closed the connection.
pub type Answer = Option<Vec<u8>>;

pub fn connect(server: &Server) -> Raw<TcpStream> {
    let stream = TcpStream::connect(server.bootstrap()).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    Raw { stream }
}

impl<S: Read + Write> Raw<S> {
    /// Sends a request with a header of version 1 and returns the body of its reply.
    pub fn ask(&mut self, key: i16, version: i16, body: &[u8]) -> Answer {
        self.send(key, version, 7, body);
        let reply = self.receive()?;
        assert_eq!(reply[..4], [0, 0, 0, 7], "the correlation id comes back");
        Some(reply[4..].to_vec())
    }

    /// Sends a request and waits for nothing.
    pub fn send(&mut self, key: i16, version: i16, correlation: i32, body: &[u8]) {
        let header = [&key.to_be_bytes()[..], &version.to_be_bytes()].concat();
        let request = [&header, &correlation.to_be_bytes()[..], &[0xff; 2], body].concat();
        self.send_frame(&request);
    }

    pub fn send_frame(&mut self, frame: &[u8]) {
        let framed = [&(frame.len() as i32).to_be_bytes(), frame].concat();
        // The server may have closed already: then there will be no answer.
        let _ = self.stream.write_all(&framed);
        let _ = self.stream.flush();
    }

    /// Returns the next frame, or nothing where the server closes the connection.
    pub fn receive(&mut self) -> Answer {
        let mut length = [0; 4];
        if let Err(error) = self.stream.read_exact(&mut length) {
            let late = matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
            assert!(!late, "neither a reply nor an end");
            return None;
        }
        let mut frame = vec![0; u32::from_be_bytes(length) as usize];
        self.stream.read_exact(&mut frame).expect("a whole frame");
        Some(frame)
    }
}

/// A string as requests before the compact ones have it.
pub fn string(text: &str) -> Vec<u8> {
    [&(text.len() as i16).to_be_bytes()[..], text.as_bytes()].concat()
}

/// Bytes as requests before the compact ones have them.
pub fn bytes(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as i32).to_be_bytes(), bytes].concat()
}
