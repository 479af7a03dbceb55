//! A toy service, a server with its acceptor, and a client of raw frames.
//!
//! The toy reads Metadata requests of version 0, a version without flexible fields; the body's
//! first byte says what to do with it:
//!
//! | byte | the toy |
//! |---|---|
//! | `n` | answers now with the rest of the body |
//! | `l` | answers later with the rest of the body, when the gate numbered by the next byte opens |
//! | `w` | holds its call until that gate opens, then answers now |
//! | `m` | mutes the connection for the milliseconds in the next two bytes, or for ever; answers now |
//! | `M` | the same when gate 1 opens, later |
//! | `s` | moves the connection to the server numbered by the next byte; answers when gate 1 opens |
//! | `r` | answers now with the number of requests of its session |
//! | `a` | answers now whether everything before it is answered |
//! | `x` | answers nothing |
//! | `c`, `C` | closes: at once, or when that gate opens |
//! | `b` | answers now with as many bytes as the next four say |

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use runtime::{
    Chunk, ChunkWriter, ConnectionLimits, FrameReader, Listener, Queue, TaskGroup, Watch,
};
use server::{
    Acceptor, Answer, Arrival, ConnectionBounds, Error, Refusal, Reply, Request, Response, Served,
    Server, ServerOptions, Service, Session,
};
use types::{ByteCount, ErrorCode, ShardId};

pub(crate) const METADATA: i16 = 3;

/// Longer than any test may take: a wait that reaches it has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server's time limit that a test waits for, and before which it does what must not be late: a
/// machine may stall for so long.
pub(crate) const LIMIT: Duration = Duration::from_secs(2);

pub(crate) struct Toy {
    /// The gates that are open.
    pub(crate) gates: Rc<Watch<BTreeSet<u8>>>,
    /// How many calls were begun.
    pub(crate) calls: Rc<Watch<u64>>,
    /// Replies that were asked for and not yet dropped or resolved.
    pub(crate) in_flight: Rc<Cell<u64>>,
    /// What a file command is answered with.
    pub(crate) file: RefCell<Option<Chunk>>,
}

impl Toy {
    fn new() -> Self {
        Self {
            gates: Rc::new(Watch::new(BTreeSet::new())),
            calls: Rc::new(Watch::new(0)),
            in_flight: Rc::default(),
            file: RefCell::new(None),
        }
    }

    pub(crate) fn open(&self, gate: u8) {
        self.gates.update(|gates| gates.insert(gate));
    }
}

/// Counts something for as long as it lives.
struct Counted(Rc<Cell<u64>>);

impl Counted {
    fn new(count: &Rc<Cell<u64>>) -> Self {
        count.update(|count| count + 1);
        Self(Rc::clone(count))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.update(|count| count - 1);
    }
}

impl Service for Toy {
    async fn call(&self, session: &Rc<Session>, request: Request) -> Reply {
        self.calls.update(|calls| *calls += 1);
        let counted = Counted::new(&self.in_flight);
        let body = request.body;
        let gates = Rc::clone(&self.gates);
        let opened = move |gate: u8| async move {
            gates.wait_until(|gates| gates.contains(&gate)).await;
        };
        match body[0] {
            b'n' => Reply::Now(Response::from(body.slice(1..))),
            b'l' => Reply::later(async move {
                let _counted = counted;
                opened(body[1]).await;
                Answer::Response(Response::from(body.slice(2..)))
            }),
            b'w' => {
                opened(body[1]).await;
                Reply::Now(Response::from(body.slice(2..)))
            }
            b'm' => {
                mute(session, &body);
                Reply::Now(Response::from(body.slice(3..)))
            }
            b'M' => {
                let session = Rc::clone(session);
                Reply::later(async move {
                    opened(1).await;
                    mute(&session, &body);
                    Answer::Response(Response::from(body.slice(3..)))
                })
            }
            b's' => {
                session.move_to(ShardId(u16::from(body[1] - b'0')));
                Reply::later(async move {
                    let _counted = counted;
                    opened(1).await;
                    Answer::Response(Response::from(body.slice(2..)))
                })
            }
            b'r' => {
                let requests = session.requests().to_string();
                Reply::Now(Response::from(Bytes::from(requests)))
            }
            b'a' => Reply::Now(Response::from(Bytes::from(request.alone.to_string()))),
            b'x' => Reply::None,
            b'c' => Reply::Close(Refusal::Unanswerable(ErrorCode::CorruptMessage)),
            b'C' => Reply::later(async move {
                opened(body[1]).await;
                Answer::Close(Refusal::Unanswerable(ErrorCode::CorruptMessage))
            }),
            b'b' => {
                let size = u32::from_be_bytes(body[1..5].try_into().unwrap());
                let size = usize::try_from(size).unwrap();
                Reply::Now(Response::from(Bytes::from(vec![7; size])))
            }
            b'f' => {
                let head = Chunk::Memory(Bytes::from_static(b"before"));
                let tail = Chunk::Memory(Bytes::from_static(b"behind"));
                let file = self.file.borrow().clone().unwrap();
                Reply::Now(Response::new(vec![head, file, tail]))
            }
            other => panic!("the toy knows no {other}"),
        }
    }
}

fn mute(session: &Session, body: &[u8]) {
    let time = u16::from_be_bytes(body[1..3].try_into().unwrap());
    let time = match time {
        u16::MAX => Duration::MAX,
        time => Duration::from_millis(time.into()),
    };
    session.mute(runtime::now().after(time));
}

/// A server with its acceptor, on this shard alone.
pub(crate) struct Host {
    pub(crate) toy: Rc<Toy>,
    pub(crate) server: Rc<Server<Toy>>,
    /// Where connections may move to.
    pub(crate) other: Rc<Server<Toy>>,
    pub(crate) acceptor: Rc<Acceptor>,
    /// Why connections ended, in that order.
    pub(crate) ends: Rc<Watch<Vec<Result<(), &'static str>>>>,
    pub(crate) address: SocketAddr,
    _tasks: Rc<TaskGroup>,
}

impl Host {
    pub(crate) fn start(options: ServerOptions) -> Self {
        Self::bounded(
            options,
            ConnectionBounds {
                total_max: 100,
                per_address_max: 100,
            },
        )
    }

    pub(crate) fn bounded(options: ServerOptions, bounds: ConnectionBounds) -> Self {
        let toy = Rc::new(Toy::new());
        let server = Rc::new(Server::new(Rc::clone(&toy), options.clone()));
        let other = Rc::new(Server::new(Rc::clone(&toy), options));
        let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let acceptor = Rc::new(Acceptor::new(listener, bounds, 1));
        let ends = Rc::new(Watch::new(Vec::new()));
        let tasks = Rc::new(TaskGroup::new());
        let host = Self {
            toy,
            server,
            other,
            address: acceptor.local_addr(),
            acceptor,
            ends,
            _tasks: Rc::clone(&tasks),
        };
        let servers = [Rc::clone(&host.server), Rc::clone(&host.other)];
        let acceptor = Rc::clone(&host.acceptor);
        let ends = Rc::clone(&host.ends);
        let group = Rc::downgrade(&tasks);
        tasks.spawn(Queue::Latency, async move {
            loop {
                let (accepted, ticket) = acceptor.accept().await.unwrap();
                let (servers, acceptor) = (servers.clone(), Rc::clone(&acceptor));
                let ends = Rc::clone(&ends);
                group.upgrade().unwrap().spawn(Queue::Latency, async move {
                    let ended = serve_at_each(&servers, Arrival::new(accepted)).await;
                    acceptor.closed(ticket);
                    let ended = ended.map_err(|error: Error| error.label());
                    ends.update(|ends| ends.push(ended));
                });
            }
        });
        host
    }

    /// Waits until `count` connections have ended and returns how.
    pub(crate) async fn ends(&self, count: usize) -> Vec<Result<(), &'static str>> {
        within(self.ends.wait_until(|ends| ends.len() >= count)).await
    }

    /// Waits until no memory is held: a client may read an answer before the server has seen that
    /// it was sent.
    pub(crate) async fn assert_returns_its_memory(&self) {
        let returned = async {
            while self.server.metrics().memory_held > ByteCount::ZERO {
                runtime::sleep(Duration::from_millis(1)).await;
            }
        };
        within(returned).await;
    }

    pub(crate) async fn client(&self) -> Client {
        Client::connect(self.address).await
    }

    /// Shows that another connection is served.
    pub(crate) async fn assert_serves_others(&self) {
        let mut client = self.client().await;
        client.send(&[request(1, b"nalive")]).await;
        assert_eq!(client.answer().await, (1, Bytes::from_static(b"alive")));
    }
}

/// Serves a connection to its end, wherever it moves to.
async fn serve_at_each(servers: &[Rc<Server<Toy>>], first: Box<Arrival>) -> Result<(), Error> {
    let (mut at, mut arrival) = (0, first);
    loop {
        match servers[at].serve(arrival).await? {
            Served::Ended => return Ok(()),
            Served::Moves { to, arrival: next } => (at, arrival) = (to.index(), next),
        }
    }
}

/// A client that sends and reads raw bytes.
pub(crate) struct Client {
    reader: FrameReader,
    writer: Option<ChunkWriter>,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let connection = runtime::connect(address, ConnectionLimits::default())
            .await
            .unwrap();
        let (reader, writer) = connection.split();
        Self {
            reader,
            writer: Some(writer),
        }
    }

    /// Sends bytes, all at once.
    pub(crate) async fn send(&mut self, pieces: &[Bytes]) {
        let whole: BytesMut = pieces.iter().flatten().copied().collect();
        let writer = self.writer.as_mut().unwrap();
        writer.queue(Chunk::Memory(whole.freeze()));
        within(writer.flush()).await.unwrap();
    }

    /// Ends the sending side.
    pub(crate) async fn finish(&mut self) {
        within(self.writer.take().unwrap().close()).await.unwrap();
    }

    /// Waits for the next answer: its correlation id and body.
    pub(crate) async fn answer(&mut self) -> (i32, Bytes) {
        self.answer_or_end().await.expect("an answer, not the end")
    }

    /// Waits for the next answer; `None` at the end, be it clean or not.
    pub(crate) async fn answer_or_end(&mut self) -> Option<(i32, Bytes)> {
        let frame = within(self.reader.frame(ByteCount::mib(64)))
            .await
            .ok()
            .flatten()?;
        let correlation = i32::from_be_bytes(frame[..4].try_into().unwrap());
        Some((correlation, frame.slice(4..)))
    }

    /// Shows that the server has closed the connection without a further answer.
    pub(crate) async fn assert_closed(&mut self) {
        assert_eq!(self.answer_or_end().await, None);
    }
}

/// One whole frame: a Metadata request of version 0 with this body.
pub(crate) fn request(correlation: i32, body: &[u8]) -> Bytes {
    framed(&header(METADATA, 0, correlation), body)
}

/// A request header of version 1.
pub(crate) fn header(key: i16, version: i16, correlation: i32) -> Vec<u8> {
    let mut header = Vec::new();
    header.put_i16(key);
    header.put_i16(version);
    header.put_i32(correlation);
    header.put_i16(4);
    header.put_slice(b"test");
    header
}

/// A frame of two parts, its length in front.
pub(crate) fn framed(header: &[u8], body: &[u8]) -> Bytes {
    let mut frame = BytesMut::new();
    frame.put_i32(i32::try_from(header.len() + body.len()).unwrap());
    frame.put_slice(header);
    frame.put_slice(body);
    frame.freeze()
}

/// Waits for something that must happen soon.
pub(crate) async fn within<F: Future>(future: F) -> F::Output {
    runtime::timeout(PATIENCE, future)
        .await
        .expect("it happens in time")
}
