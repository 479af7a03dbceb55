//! As much of HTTP/1.1 as a scraper and a load balancer need: one GET, one answer, then the end.

use bytes::Bytes;

/// The longest request that is read.
pub(super) const REQUEST_SIZE_MAX: usize = 8 * 1024;

/// How many header fields a request may have.
const HEADERS_MAX: usize = 64;

/// What to make of the bytes that have arrived.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Parsed {
    /// The request is not complete yet.
    Partial,
    /// A request for this path.
    Path(String),
    /// A method that is not served.
    Method,
    /// Not HTTP.
    Bad,
}

/// Reads a request's head.
pub(super) fn parse(bytes: &[u8]) -> Parsed {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(bytes) {
        Ok(httparse::Status::Partial) if bytes.len() < REQUEST_SIZE_MAX => Parsed::Partial,
        Ok(httparse::Status::Complete(_)) => match (request.method, request.path) {
            (Some("GET" | "HEAD"), Some(path)) => {
                Parsed::Path(path.split('?').next().unwrap_or(path).to_owned())
            }
            _ => Parsed::Method,
        },
        Ok(httparse::Status::Partial) | Err(_) => Parsed::Bad,
    }
}

/// Writes an answer: its head and its body, which may be long.
pub(super) fn response(status: &str, content_type: &str, body: impl Into<Bytes>) -> [Bytes; 2] {
    let body = body.into();
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n",
        body.len()
    );
    [Bytes::from(head), body]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_as_they_arrive() {
        let whole = b"GET /metrics?x=1 HTTP/1.1\r\nhost: a\r\n\r\n";
        for end in 0..whole.len() {
            assert_eq!(parse(&whole[..end]), Parsed::Partial, "{end} bytes");
        }
        assert_eq!(parse(whole), Parsed::Path("/metrics".to_owned()));
        assert_eq!(parse(b"POST / HTTP/1.1\r\n\r\n"), Parsed::Method);
        assert_eq!(parse(b"\0\0\0\x10nonsense\r\n\r\n"), Parsed::Bad);
        assert_eq!(parse(&[b'a'; REQUEST_SIZE_MAX]), Parsed::Bad);
    }
}
