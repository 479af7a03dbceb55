//! A cluster that is spoken to: its metadata, and a link to each node that was needed.

use std::time::Duration;

use types::{ErrorCode, Monotonic, NodeId};
use wire::Call;
use wire::api::ApiKey;

use super::exchange::{Event, Exchange, LinkKey, RequestId};
use super::options::ClusterOptions;
use crate::error::{BrokerError, Error};
use crate::metadata::{self, Metadata};

/// Who is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Peer {
    /// Whichever of the addresses given answers.
    Any,
    /// The node that takes admin requests.
    Controller,
    /// A node of the metadata.
    Node(NodeId),
}

/// A cluster that is spoken to.
#[derive(Debug)]
pub struct Cluster {
    bootstrap: Vec<String>,
    metadata: Metadata,
    exchange: Exchange,
}

impl Cluster {
    /// Connects to the first of `bootstrap` (`host:port` each) that answers, and asks for the
    /// brokers.
    ///
    /// *Errors*: that of the last address, if none answers.
    pub fn connect(bootstrap: &[&str], options: ClusterOptions) -> Result<Self, Error> {
        let mut cluster = Self {
            bootstrap: bootstrap
                .iter()
                .map(|&address| address.to_owned())
                .collect(),
            metadata: Metadata::default(),
            exchange: Exchange::new(options),
        };
        cluster.refresh(Some(&[]), false)?;
        Ok(cluster)
    }

    /// Returns what is known of the cluster.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Returns how this client connects.
    pub fn options(&self) -> &ClusterOptions {
        self.exchange.options()
    }

    /// Returns the time of this client's own clock.
    pub fn now(&self) -> Monotonic {
        self.exchange.now()
    }

    /// Asks for brokers and topics, all topics without names.
    ///
    /// *Errors*: as [`Self::call`]; topics that are refused are no error but in the metadata.
    pub fn refresh(&mut self, names: Option<&[&str]>, auto_create: bool) -> Result<(), Error> {
        let response = self.call(Peer::Any, &metadata::request(names, auto_create))?;
        let refusal = BrokerError::check(response.error_code, None);
        refusal.map_err(|refusal| Error::refused("Metadata", refusal))?;
        self.metadata.update(response);
        Ok(())
    }

    /// Asks for one topic until it is there, a partition of it with a leader, letting the broker create
    /// it if `auto_create`.
    ///
    /// *Errors*: [`Error::Refused`] with what the broker said last, when it will not be there, or
    /// was not within `topic_timeout`.
    pub fn await_topic(&mut self, name: &str, auto_create: bool) -> Result<(), Error> {
        let give_up = self.now().after(self.options().topic_timeout);
        loop {
            self.refresh(Some(&[name]), auto_create)?;
            let refusal = self.metadata.refused.get(name).cloned();
            let known = self.metadata.topics.get(name);
            let led = |index| self.metadata.leader(name, index).is_some();
            if known.is_some_and(|topic| topic.partitions.iter().any(|it| led(it.index))) {
                return Ok(());
            }
            let hopeless = refusal.as_ref().is_some_and(|refusal| {
                // An unknown topic is worth waiting for only if asking creates it.
                let unknown = refusal.known() == Some(ErrorCode::UnknownTopicOrPartition);
                !refusal.is_retriable() || (unknown && !auto_create)
            });
            if hopeless || self.now() > give_up {
                let without_leader = ErrorCode::LeaderNotAvailable.into();
                return Err(Error::refused(name, refusal.unwrap_or(without_leader)));
            }
            self.pause();
        }
    }

    /// Asks for a topic until a partition of it has a leader, or all its partitions have.
    ///
    /// *Errors*: [`Error::Refused`] that names a partition, if it had none within `topic_timeout`.
    pub fn await_leaders(&mut self, name: &str, partition: Option<i32>) -> Result<(), Error> {
        let give_up = self.now().after(self.options().topic_timeout);
        loop {
            let known = self.metadata.topics.get(name);
            let indices = known.into_iter().flat_map(|topic| &topic.partitions);
            let mut wanted = indices
                .map(|it| it.index)
                .filter(|&index| partition.is_none_or(|only| only == index));
            let Some(index) = wanted.find(|&it| self.metadata.leader(name, it).is_none()) else {
                return Ok(());
            };
            if self.now() > give_up {
                let place = format!("{name} partition {index}");
                return Err(Error::refused(&place, ErrorCode::LeaderNotAvailable.into()));
            }
            self.pause();
            self.refresh(Some(&[name]), false)?;
        }
    }

    /// Waits for the pause before asking again; what comes in meanwhile is kept.
    pub(super) fn pause(&mut self) {
        self.exchange.pause(self.options().retry_pause);
    }

    /// Sends a request and waits for its answer; what else comes in is kept for [`Self::receive`].
    ///
    /// *Errors*: whatever is wrong with address, connection or answer. Nothing is sent twice.
    pub fn call<C: Call>(&mut self, peer: Peer, message: &C) -> Result<C::Response, Error> {
        self.call_at_most(peer, message, i16::MAX)
    }

    /// Does what [`Self::call`] does, in a version up to `version_max`.
    ///
    /// *Errors*: as [`Self::call`].
    pub fn call_at_most<C: Call>(
        &mut self,
        peer: Peer,
        message: &C,
        version_max: i16,
    ) -> Result<C::Response, Error> {
        let link = self.linked(peer)?;
        self.exchange.call(link, message, version_max)
    }

    /// Returns the highest version in which requests of an API can be written to a peer.
    ///
    /// *Errors*: [`Error::NotServed`], or the peer cannot be reached.
    pub fn version(&mut self, peer: Peer, key: ApiKey) -> Result<i16, Error> {
        let link = self.linked(peer)?;
        self.exchange
            .version(link, key)
            .ok_or(Error::NotServed { key })
    }

    /// Sends a request, in a version up to `version_max`, whose answer [`Self::receive`] will give.
    ///
    /// *Errors*: as [`Self::call`]; no event follows then.
    pub fn send<C: Call>(
        &mut self,
        peer: Peer,
        message: &C,
        version_max: i16,
    ) -> Result<RequestId, Error> {
        let link = self.linked(peer)?;
        self.exchange.send(link, message, version_max)
    }

    /// Sends a request that will not be answered.
    ///
    /// *Errors*: as [`Self::send`].
    pub fn send_unanswered<C: Call>(
        &mut self,
        peer: Peer,
        message: &C,
        version_max: i16,
    ) -> Result<(), Error> {
        let link = self.linked(peer)?;
        self.exchange.send_unanswered(link, message, version_max)
    }

    /// Waits up to `wait` for something to come in; cuts links whose answers are overdue.
    pub fn receive(&mut self, wait: Duration) -> Option<Event> {
        self.exchange.receive(wait)
    }

    /// Makes sure that there is a link to a peer.
    fn linked(&mut self, peer: Peer) -> Result<LinkKey, Error> {
        let node = match peer {
            Peer::Any => None,
            Peer::Controller => self.metadata.controller,
            Peer::Node(node) => Some(node),
        };
        if self.exchange.is_linked(node) {
            return Ok(node);
        }
        let addresses = match node {
            None => {
                let known = self.metadata.brokers.values();
                let known = known.map(|endpoint| join(&endpoint.host, endpoint.port));
                self.bootstrap.iter().cloned().chain(known).collect()
            }
            Some(node) => {
                let endpoint = self.metadata.brokers.get(&node);
                let endpoint = endpoint.ok_or(Error::UnknownNode { node })?;
                vec![join(&endpoint.host, endpoint.port)]
            }
        };
        let mut failure = Error::InvalidAddress {
            address: String::new(),
        };
        for address in addresses {
            if !is_host_and_port(&address) {
                failure = Error::InvalidAddress { address };
                continue;
            }
            match self.exchange.open(node, &address) {
                Ok(()) => return Ok(node),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }
}

fn is_host_and_port(address: &str) -> bool {
    let parts = address.rsplit_once(':');
    parts.is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
}

/// An IPv6 address needs brackets in front of a port.
fn join(host: &str, port: u16) -> String {
    if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_host_and_port() {
        for good in ["localhost:9092", "[::1]:1", "10.0.0.1:65535"] {
            assert!(is_host_and_port(good), "{good}");
        }
        for bad in [
            "",
            "localhost",
            ":9092",
            "localhost:",
            "localhost:65536",
            "a:b",
        ] {
            let connected = Cluster::connect(&[bad], ClusterOptions::default());
            assert!(
                matches!(connected, Err(Error::InvalidAddress { .. })),
                "{bad}"
            );
        }
        assert_eq!(join("::1", 9092), "[::1]:9092");
        assert_eq!(join("host", 9092), "host:9092");
    }

    #[test]
    fn nobody_there_is_an_error_that_names_the_address() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        drop(listener);
        let error = Cluster::connect(&[&address], ClusterOptions::default()).unwrap_err();
        assert_eq!(error.to_string(), format!("cannot connect to {address}"));
    }

    #[test]
    fn a_broker_that_says_nothing_is_given_up() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let options = ClusterOptions {
            connect_timeout: Duration::from_millis(100),
            ..ClusterOptions::default()
        };
        let error = Cluster::connect(&[&address], options).unwrap_err();
        assert!(matches!(error, Error::TimedOut { .. }), "{error}");
    }
}
