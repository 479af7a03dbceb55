//! Addresses as people write them: `host:port`.

use std::fmt;

use controller::ConfigRefusal;

/// A host and a port; the host is a name, an IPv4 address, or an IPv6 address in brackets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    host: String,
    port: u16,
}

impl Address {
    /// Reads `host:port`; port 0 only where `port_min` is 0.
    pub fn parse(text: &str, port_min: u16) -> Result<Self, ConfigRefusal> {
        let refusal = ConfigRefusal::NotAnAddress;
        let Some((host, port)) = text.trim().rsplit_once(':') else {
            return Err(refusal);
        };
        let bracketed = host
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        let bare = bracketed.unwrap_or(host);
        let strange = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '[' | ']' | '/');
        let colons_inside = bare.contains(':') != bracketed.is_some();
        if bare.is_empty() || bare.contains(strange) || colons_inside {
            return Err(refusal);
        }
        match port.parse::<u16>() {
            Ok(port) if port >= port_min => Ok(Self {
                host: bare.to_owned(),
                port,
            }),
            _ => Err(refusal),
        }
    }

    /// Returns the host, an IPv6 address without its brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the port; 0 asks for any that is free.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_written_alike() {
        for text in [
            "localhost:9092",
            "127.0.0.1:0",
            "[::1]:9092",
            "a-b.example:65535",
        ] {
            let address = Address::parse(text, 0).unwrap();
            assert_eq!(address.to_string(), text);
        }
        assert_eq!(Address::parse("[::1]:1", 0).unwrap().host(), "::1");
    }

    #[test]
    fn what_is_not_host_and_port_is_refused() {
        let bad = [
            "",
            "host",
            ":9092",
            "host:",
            "host:x",
            "host:65536",
            "host:-1",
            "::1:9092",
            "[]:1",
            "[host]:1",
            "a b:1",
            "http://host:1",
            "[::1:1",
            "host:+ 1",
        ];
        for text in bad {
            assert_eq!(
                Address::parse(text, 0),
                Err(ConfigRefusal::NotAnAddress),
                "{text}"
            );
        }
        assert_eq!(
            Address::parse("host:0", 1),
            Err(ConfigRefusal::NotAnAddress)
        );
    }
}
