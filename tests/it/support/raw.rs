//! A connection that sends whatever bytes a test wants.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A plain TCP connection with a time limit on every step.
pub(crate) struct Raw(TcpStream);

impl Raw {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self::try_connect(address).expect("the broker accepts")
    }

    /// The same where nobody may listen any more.
    pub(crate) fn try_connect(address: SocketAddr) -> Option<Self> {
        let stream = TcpStream::connect(address).ok()?;
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .expect("a valid time");
        stream
            .set_write_timeout(Some(Duration::from_secs(30)))
            .expect("a valid time");
        Some(Self(stream))
    }

    /// Sends bytes as they are; a broker that has closed already is no error here.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        let _closed_already = self.0.write_all(bytes);
    }

    /// Sends a frame: its length, then the bytes.
    pub(crate) fn send_frame(&mut self, bytes: &[u8]) {
        let length = i32::try_from(bytes.len()).expect("a test frame is small");
        self.send(&length.to_be_bytes());
        self.send(bytes);
    }

    /// Reads one frame; `None` if the broker closed the connection instead.
    pub(crate) fn frame(&mut self) -> Option<Vec<u8>> {
        let mut length = [0; 4];
        self.0.read_exact(&mut length).ok()?;
        let length = usize::try_from(i32::from_be_bytes(length)).expect("a length of the broker");
        let mut frame = vec![0; length];
        self.0.read_exact(&mut frame).ok()?;
        Some(frame)
    }

    /// Whether something has arrived that was not read.
    pub(crate) fn has_bytes(&self) -> bool {
        self.0.set_nonblocking(true).expect("a socket");
        let peeked = self.0.peek(&mut [0; 1]);
        self.0.set_nonblocking(false).expect("a socket");
        peeked.is_ok()
    }

    /// Whether the broker closes the connection without an answer.
    pub(crate) fn is_closed(&mut self) -> bool {
        matches!(self.0.read(&mut [0; 1]), Ok(0) | Err(_))
    }

    /// Ends the sending side.
    pub(crate) fn finish(&mut self) {
        let _closed_already = self.0.shutdown(std::net::Shutdown::Write);
    }
}

/// An ApiVersions request of version 0 with a correlation id.
pub(crate) fn api_versions(correlation: i32) -> Vec<u8> {
    request(18, 0, correlation, &[])
}

/// A request with a header of version 1 and no client id.
pub(crate) fn request(key: i16, version: i16, correlation: i32, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend(key.to_be_bytes());
    bytes.extend(version.to_be_bytes());
    bytes.extend(correlation.to_be_bytes());
    bytes.extend((-1_i16).to_be_bytes());
    bytes.extend(body);
    bytes
}
