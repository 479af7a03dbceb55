//! What goes out to the nodes and comes in from them, over all links.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use types::{Monotonic, NodeId};
use wire::Call;
use wire::api::ApiKey;

use super::clock::Clock;
use super::link::{Incoming, Link, LinkId};
use super::options::ClusterOptions;
use crate::connection::{Answer, Greeted, Outgoing};
use crate::error::Error;

/// Frames that wait to be taken, over all links; a link whose frame finds no room waits.
const INBOX_FRAMES_MAX: usize = 256;

/// To which node a link goes; `None` is whichever answered first.
pub(super) type LinkKey = Option<NodeId>;

/// By which an answer is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestId {
    link: LinkId,
    correlation_id: i32,
}

/// What came in.
#[derive(Debug)]
pub enum Event {
    /// An answer.
    Answered(RequestId, Answer),
    /// No answer will come, and why.
    Lost(RequestId, Error),
}

impl Event {
    fn request(&self) -> RequestId {
        match self {
            Self::Answered(id, _) | Self::Lost(id, _) => *id,
        }
    }
}

/// All links, and what is under way on them.
#[derive(Debug)]
pub(super) struct Exchange {
    options: ClusterOptions,
    links: BTreeMap<LinkKey, Link>,
    unanswered: BTreeMap<RequestId, Monotonic>,
    events: VecDeque<Event>,
    inbox: Receiver<Incoming>,
    sender: SyncSender<Incoming>,
    link_next: u64,
    clock: Clock,
}

impl Exchange {
    /// Starts without a link.
    pub(super) fn new(options: ClusterOptions) -> Self {
        let (sender, inbox) = sync_channel(INBOX_FRAMES_MAX);
        Self {
            options,
            links: BTreeMap::new(),
            unanswered: BTreeMap::new(),
            events: VecDeque::new(),
            inbox,
            sender,
            link_next: 0,
            clock: Clock::start(),
        }
    }

    pub(super) fn options(&self) -> &ClusterOptions {
        &self.options
    }

    pub(super) fn now(&self) -> Monotonic {
        self.clock.now()
    }

    /// Returns whether there is a link; one that ended since is noticed.
    pub(super) fn is_linked(&mut self, key: LinkKey) -> bool {
        self.take_in(Duration::ZERO);
        self.links.contains_key(&key)
    }

    /// Returns the highest version of an API that both ends of a link know.
    pub(super) fn version(&self, key: LinkKey, api: ApiKey) -> Option<i16> {
        let versions = self.links.get(&key)?.connection.versions()?;
        versions.choose(api, i16::MAX)
    }

    /// Waits; what comes in meanwhile is kept.
    pub(super) fn pause(&mut self, duration: Duration) {
        let until = self.now().after(duration);
        while let Some(left) = self.left(until) {
            self.take_in(left);
        }
    }

    /// Sends a request and waits for its answer; what else comes in is kept.
    pub(super) fn call<C: Call>(
        &mut self,
        key: LinkKey,
        message: &C,
        version_max: i16,
    ) -> Result<C::Response, Error> {
        let id = self.send(key, message, version_max)?;
        let until = self.now().after(self.options.request_timeout);
        loop {
            if let Some(event) = self.take_event(id) {
                return match event {
                    Event::Answered(_, answer) => answer.decode::<C>(),
                    Event::Lost(_, error) => Err(error),
                };
            }
            let Some(left) = self.left(until) else {
                return Err(self.timed_out());
            };
            self.take_in(left);
        }
    }

    /// Sends a request over a link that there is; an event will follow.
    pub(super) fn send<C: Call>(
        &mut self,
        key: LinkKey,
        message: &C,
        version_max: i16,
    ) -> Result<RequestId, Error> {
        let link = self.link(key)?;
        let outgoing = link.connection.request_at_most(message, version_max)?;
        let id = self.transmit(key, &outgoing)?;
        self.unanswered.insert(id, self.clock.now());
        Ok(id)
    }

    /// Sends a request that will not be answered.
    pub(super) fn send_unanswered<C: Call>(
        &mut self,
        key: LinkKey,
        message: &C,
        version_max: i16,
    ) -> Result<(), Error> {
        let link = self.link(key)?;
        let outgoing = link.connection.request_unanswered(message, version_max)?;
        self.transmit(key, &outgoing).map(|_| ())
    }

    /// Waits up to `wait` for something to come in; cuts links whose answers are overdue.
    pub(super) fn receive(&mut self, wait: Duration) -> Option<Event> {
        self.cut_overdue();
        let until = self.now().after(wait);
        loop {
            // What has come in is looked at even if there is no time to wait.
            self.take_in(Duration::ZERO);
            if let Some(event) = self.events.pop_front() {
                return Some(event);
            }
            self.take_in(self.left(until)?);
        }
    }

    fn take_event(&mut self, id: RequestId) -> Option<Event> {
        let place = self.events.iter().position(|event| event.request() == id)?;
        self.events.remove(place)
    }

    /// Returns the time left until a point in time; `None` if it has passed.
    fn left(&self, until: Monotonic) -> Option<Duration> {
        let left = until.since(self.now());
        (!left.is_zero()).then_some(left)
    }

    /// Takes in what has come, waiting up to `wait` for the first.
    fn take_in(&mut self, wait: Duration) {
        let mut received = self.inbox.recv_timeout(wait);
        loop {
            match received {
                Ok((id, frame)) => self.came(id, frame),
                // This end holds a sender itself.
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return,
            }
            received = self.inbox.recv_timeout(Duration::ZERO);
        }
    }

    fn came(&mut self, id: LinkId, frame: io::Result<bytes::Bytes>) {
        let found = self.links.iter_mut().find(|(_, link)| link.id == id);
        let Some((&key, link)) = found else { return };
        let answer = match frame {
            Ok(frame) => link.connection.answered(&frame),
            Err(error) => Err(link.broken(error)),
        };
        match answer {
            Ok(answer) => {
                let correlation_id = answer.correlation_id;
                let request = RequestId {
                    link: id,
                    correlation_id,
                };
                self.unanswered.remove(&request);
                self.events.push_back(Event::Answered(request, answer));
            }
            Err(error) => self.cut(key, error),
        }
    }

    /// Ends a link; its requests are lost.
    fn cut(&mut self, key: LinkKey, error: Error) {
        let Some(link) = self.links.remove(&key) else {
            return;
        };
        let of_it = |id: &RequestId| id.link == link.id;
        let lost = self.unanswered.keys().copied().filter(of_it);
        let lost: Vec<_> = lost.collect();
        self.unanswered.retain(|id, _| !of_it(id));
        // The first is told the cause, the others that the link is gone.
        let gone = || link.broken(io::ErrorKind::ConnectionAborted.into());
        let mut error = Some(error);
        for id in lost {
            let cause = error.take().unwrap_or_else(gone);
            self.events.push_back(Event::Lost(id, cause));
        }
    }

    fn cut_overdue(&mut self) {
        let now = self.now();
        let limit = self.options.request_timeout;
        let overdue = |sent: &Monotonic| now.since(*sent) > limit;
        let late = self.unanswered.iter().find(|(_, sent)| overdue(sent));
        let Some(link) = late.map(|(id, _)| id.link) else {
            return;
        };
        let key = self
            .links
            .iter()
            .find(|(_, it)| it.id == link)
            .map(|(&key, _)| key);
        let error = self.timed_out();
        if let Some(key) = key {
            self.cut(key, error);
        }
    }

    fn timed_out(&self) -> Error {
        Error::TimedOut {
            what: "an answer",
            limit: self.options.request_timeout,
        }
    }

    fn link(&mut self, key: LinkKey) -> Result<&mut Link, Error> {
        self.links.get_mut(&key).ok_or(Error::NotLinked)
    }

    fn transmit(&mut self, key: LinkKey, outgoing: &Outgoing) -> Result<RequestId, Error> {
        let link = self.link(key)?;
        let id = RequestId {
            link: link.id,
            correlation_id: outgoing.correlation_id,
        };
        if let Err(error) = link.send(outgoing) {
            let again = link.broken(io::ErrorKind::BrokenPipe.into());
            self.cut(key, again);
            return Err(error);
        }
        Ok(id)
    }

    /// Connects and greets.
    pub(super) fn open(&mut self, key: LinkKey, address: &str) -> Result<(), Error> {
        let limit = self.options.connect_timeout;
        let until = self.now().after(limit);
        let id = LinkId(self.link_next);
        self.link_next += 1;
        let client_id = self.options.client_id.clone();
        let mut link = Link::open((id, address), &client_id, limit, &self.sender)?;
        let greeting = link.connection.greet()?;
        link.send(&greeting)?;
        loop {
            let what = "greeting the broker";
            let left = self.left(until).ok_or(Error::TimedOut { what, limit })?;
            match self.inbox.recv_timeout(left) {
                Ok((from, frame)) if from == id => {
                    let frame = frame.map_err(|error| link.broken(error))?;
                    match link.connection.greeted(&frame)? {
                        Greeted::Ready => break,
                        Greeted::Again(greeting) => link.send(&greeting)?,
                    }
                }
                Ok((from, frame)) => self.came(from, frame),
                Err(_) => return Err(Error::TimedOut { what, limit }),
            }
        }
        self.links.insert(key, link);
        Ok(())
    }
}
