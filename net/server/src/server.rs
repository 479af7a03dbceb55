//! All connections of one shard: served, watched, and stopped.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use runtime::{Accepted, ChunkWriter, ConnectionLimits, Either, FrameReader, Queue, Task, Watch};

use crate::arrival::{Arrival, Served};
use crate::error::Error;
use crate::lifeline::{Lifeline, Reading, Standing};
use crate::link::{Link, Shared};
use crate::memory::Budget;
use crate::metrics::Metrics;
use crate::options::ServerOptions;
use crate::order::Order;
use crate::reading::{ReadEnd, read_requests};
use crate::service::Service;
use crate::session::Session;
use crate::writing::write_answers;

/// How often overdue connections are looked for, at most and at least.
const SWEEP_INTERVAL_MIN: Duration = Duration::from_millis(10);
const SWEEP_INTERVAL_MAX: Duration = Duration::from_secs(1);

/// How long a client may take to see that its connection is over.
const LINGER_MAX: Duration = Duration::from_secs(1);

/// The connections of one shard.
pub struct Server<S: Service> {
    shared: Rc<Shared<S>>,
    links: Rc<Links<S>>,
    stopping: Cell<bool>,
    /// Cuts overdue connections; ends with the server.
    _sweeper: Task<()>,
}

/// Every open connection by its number.
struct Links<S> {
    open: RefCell<BTreeMap<u64, Rc<Link<S>>>>,
    count: Watch<usize>,
    numbered: Cell<u64>,
}

impl<S: Service> Server<S> {
    /// Makes a server without connections on the calling shard.
    pub fn new(service: Rc<S>, options: ServerOptions) -> Self {
        let shared = Rc::new(Shared {
            service,
            budget: Budget::new(options.memory_max),
            metrics: RefCell::new(Metrics::default()),
            options,
        });
        let links = Rc::new(Links {
            open: RefCell::new(BTreeMap::new()),
            count: Watch::new(0),
            numbered: Cell::new(0),
        });
        let sweeper = sweep(Rc::clone(&shared), Rc::clone(&links));
        let sweeper = runtime::spawn(Queue::Background, sweeper);
        Self {
            shared,
            links,
            stopping: Cell::new(false),
            _sweeper: sweeper,
        }
    }

    /// Serves one connection to its end, or until it moves to another shard.
    ///
    /// Run it as a task of its own; dropping it cuts the connection.
    /// *Errors*: why the connection ended, unless its client ended it between two requests or the
    /// server stopped; counted already, nothing is left to be done.
    pub async fn serve(&self, arrival: Box<Arrival>) -> Result<Served, Error> {
        if self.stopping.get() {
            if arrival.session.is_some() {
                Box::pin(dismiss(arrival.accepted)).await?;
            }
            return Err(Error::Shutdown);
        }
        let result = self.serve_arrival(arrival).await;
        let mut metrics = self.shared.metrics.borrow_mut();
        match &result {
            Ok(Served::Ended) => metrics.ended += 1,
            Ok(Served::Moves { .. }) => metrics.moved += 1,
            Err(error) => *metrics.broken.entry(error.label()).or_default() += 1,
        }
        result
    }

    async fn serve_arrival(&self, arrival: Box<Arrival>) -> Result<Served, Error> {
        let (link, mut reader, writer) = self.take_in(*arrival)?;
        let _registered = Registered::new(&self.links, &link);
        let writing = runtime::spawn(Queue::Latency, write_answers(Rc::clone(&link), writer));

        let read = {
            // Pinned here, so that the race holds a reference: an idle connection stays small.
            let reading = pin!(read_requests(&link, &mut reader));
            match runtime::race(link.lifeline.reading_cut(), reading).await {
                Either::Left(()) => Ok(ReadEnd::Stopped),
                Either::Right(read) => read,
            }
        };
        if !matches!(read, Ok(ReadEnd::Moves(_))) {
            link.lifeline.reading.set(Reading::Ended {
                since: runtime::now(),
            });
        }
        link.order.end();
        // After a clean end, or one that is the client's mistake, what was read before is answered.
        if let Err(Error::Io(error)) = &read
            && error.kind() != io::ErrorKind::UnexpectedEof
        {
            link.lifeline.cut(Error::Io(error.kind().into()));
        }
        let writer = writing.await;
        let mut cause = link.lifeline.take_cause();
        match (&read, &cause, writer) {
            (Ok(ReadEnd::Moves(to)), None, Some(writer)) => {
                let departing = Box::pin(Arrival::departing(&link.session, reader, writer));
                let (to, arrival) = (*to, Box::new(departing.await?));
                return Ok(Served::Moves { to, arrival });
            }
            (_, _, Some(writer)) => {
                if let Err(error) = Box::pin(writer.close()).await {
                    cause.get_or_insert_with(|| error.into());
                }
            }
            (_, _, None) => {}
        }
        let may_still_send = !matches!(read, Ok(ReadEnd::ByClient) | Err(Error::Io(_)));
        if may_still_send && matches!(cause, None | Some(Error::Refused { .. })) {
            linger(&mut reader).await;
        }
        match (read, cause) {
            (Err(error), _) | (Ok(_), Some(error)) => Err(error),
            (Ok(_), None) => Ok(Served::Ended),
        }
    }

    /// Makes this shard the owner.
    fn take_in(&self, arrival: Arrival) -> Result<(Rc<Link<S>>, FrameReader, ChunkWriter), Error> {
        let Arrival { accepted, session } = arrival;
        let session = session.unwrap_or_else(|| {
            let (peer, local) = (accepted.peer_addr(), accepted.local_addr());
            self.shared.metrics.borrow_mut().opened += 1;
            Session::new(peer, local, runtime::now())
        });
        let connection = accepted.into_connection(ConnectionLimits::default())?;
        let link = Rc::new(Link {
            shared: Rc::clone(&self.shared),
            lifeline: Lifeline::new(runtime::now()),
            session: Rc::new(session),
            order: Order::new(self.shared.options.requests_max),
        });
        let (reader, writer) = connection.split();
        Ok((link, reader, writer))
    }

    /// Returns what was counted so far.
    pub fn metrics(&self) -> Metrics {
        let mut metrics = self.shared.metrics.borrow().clone();
        metrics.connections = u64::try_from(self.links.count.get()).unwrap_or(u64::MAX);
        metrics.memory_held = self.shared.budget.held();
        metrics
    }

    /// Stops: nothing more is read, what was read is answered, then the connections are closed.
    /// Those that are not done after `patience` are cut; a client that was answered and goes on
    /// sending is borne for one more second.
    pub async fn shutdown(&self, patience: Duration) {
        self.stopping.set(true);
        self.links.each(|link| link.lifeline.drain());
        let none_left = || self.links.count.wait_until(|&count| count == 0);
        if runtime::timeout(patience, none_left()).await.is_err() {
            self.links.each(|link| link.lifeline.cut(Error::Shutdown));
            none_left().await;
        }
    }
}

impl<S> Links<S> {
    /// Visits a copy of the list: the visitor may end connections.
    fn each(&self, visit: impl FnMut(Rc<Link<S>>)) {
        let links: Vec<_> = self.open.borrow().values().map(Rc::clone).collect();
        links.into_iter().for_each(visit);
    }
}

/// A connection's place in the list, for as long as it is served.
struct Registered<S> {
    links: Rc<Links<S>>,
    number: u64,
}

impl<S> Registered<S> {
    fn new(links: &Rc<Links<S>>, link: &Rc<Link<S>>) -> Self {
        let number = links.numbered.get();
        links.numbered.set(number + 1);
        links.open.borrow_mut().insert(number, Rc::clone(link));
        links.count.update(|count| *count += 1);
        Self {
            links: Rc::clone(links),
            number,
        }
    }
}

impl<S> Drop for Registered<S> {
    fn drop(&mut self) {
        let link = self.links.open.borrow_mut().remove(&self.number);
        // The writing half may outlive this future if it was dropped: it has nothing to wait for.
        if let Some(link) = link {
            link.lifeline.cut(Error::Shutdown);
        }
        self.links.count.update(|count| *count -= 1);
    }
}

/// Closes a connection that has moved here in vain, so that the answers it was given arrive.
async fn dismiss(accepted: Accepted) -> Result<(), Error> {
    let connection = accepted.into_connection(ConnectionLimits::default())?;
    let (mut reader, writer) = connection.split();
    writer.close().await?;
    linger(&mut reader).await;
    Ok(())
}

/// Reads and forgets what a client still sends after its last answer was written, until it has
/// seen the end or [`LINGER_MAX`] has passed: closing a socket with bytes unread resets it, and a
/// reset may overtake the answers.
async fn linger(reader: &mut FrameReader) {
    let forget = async { while let Ok(Some(_)) = reader.bytes().await {} };
    let _patience_ended = runtime::timeout(LINGER_MAX, forget).await;
}

/// Cuts overdue connections, for ever.
async fn sweep<S: Service>(shared: Rc<Shared<S>>, links: Rc<Links<S>>) {
    let options = &shared.options;
    let shortest = [
        options.idle_timeout,
        options.frame_timeout,
        options.write_timeout,
        options.pressed_timeout,
    ];
    let shortest = shortest.into_iter().min().unwrap_or(SWEEP_INTERVAL_MAX);
    let interval = (shortest / 4).clamp(SWEEP_INTERVAL_MIN, SWEEP_INTERVAL_MAX);
    loop {
        // Without connections there is nothing to wake up for.
        links.count.wait_until(|&count| count > 0).await;
        runtime::sleep(interval).await;
        let now = runtime::now();
        let pressure = shared.budget.pressure();
        links.each(|link| {
            let standing = Standing {
                unanswered: link.order.unanswered(),
                muted_until: link.session.muted_until(),
                pressure,
            };
            if let Some(error) = link.lifeline.overdue(now, options, standing) {
                link.lifeline.cut(error);
            }
        });
    }
}
