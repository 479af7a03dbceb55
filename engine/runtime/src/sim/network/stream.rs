//! Listeners and connections of simulated shards.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use types::Monotonic;

use super::pipe::Pipe;
use super::registry::Backlog;
use super::socket::Socket;
use crate::chunk::{Chunk, SendQueue};
use crate::file::FileReaderArm;
use crate::sim::clock::sleep_until;
use crate::sim::context::Context;
use crate::sim::executor::{Event, HostId};
use crate::sim::world::World;

/// The most bytes of a file that are sent at a time.
const FILE_STEP_MAX: u64 = 64 * 1024;

/// A listening port.
pub(crate) struct Listener {
    world: Rc<World>,
    host: HostId,
    address: SocketAddr,
    backlog: Rc<Backlog>,
}

impl Listener {
    pub(crate) fn bind(mut address: SocketAddr) -> io::Result<Self> {
        let Context { world, host, .. } = Context::current();
        let own = address.ip().is_loopback() || address.ip().is_unspecified();
        if !own && address.ip() != host.address {
            return Err(io::ErrorKind::AddrNotAvailable.into());
        }
        while address.port() == 0 {
            let port = host.next_port();
            if !world.network.listens(host.id, port) {
                address.set_port(port);
            }
        }
        let backlog = world.network.listen(host.id, address.port())?;
        Ok(Self {
            world,
            host: host.id,
            address,
            backlog,
        })
    }

    pub(crate) fn local_addr(&self) -> SocketAddr {
        self.address
    }

    pub(crate) async fn accept(&self) -> io::Result<Accepted> {
        let socket = self.backlog.pop().await;
        let socket = socket.ok_or(io::ErrorKind::ConnectionAborted)?;
        Ok(Accepted { socket })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.world
            .network
            .stop_listening(self.host, self.address.port());
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Listener({})", self.address)
    }
}

/// An accepted connection.
#[derive(Debug)]
pub(crate) struct Accepted {
    socket: Arc<Socket>,
}

impl Accepted {
    pub(crate) fn peer_addr(&self) -> SocketAddr {
        self.socket.peer
    }

    pub(crate) fn local_addr(&self) -> SocketAddr {
        self.socket.local
    }

    #[expect(
        clippy::unnecessary_wraps,
        reason = "the arm contract: the real one can fail"
    )]
    pub(crate) fn into_halves(self) -> io::Result<(ReadHalf, WriteHalf)> {
        Ok(halves(self.socket))
    }

    #[expect(
        clippy::unused_async,
        reason = "the arm contract: the real one closes a file"
    )]
    pub(crate) async fn reunite(read: ReadHalf, write: WriteHalf) -> Self {
        assert!(Arc::ptr_eq(&read.socket, &write.socket), "two halves");
        drop(write);
        Self {
            socket: read.socket,
        }
    }
}

/// A connection that was dialled.
#[derive(Debug)]
pub(crate) struct Connected {
    pub(crate) peer: SocketAddr,
    pub(crate) local: SocketAddr,
    pub(crate) read: ReadHalf,
    pub(crate) write: WriteHalf,
}

/// Dials: the way there and back takes its time, then the other side has it to accept.
pub(crate) async fn connect(address: SocketAddr) -> io::Result<Connected> {
    let Context { world, host, .. } = Context::current();
    let round_trip = latency(&world) + latency(&world);
    sleep_until(Monotonic::from_start(world.executor.now() + round_trip)).await;
    let unreachable = || io::Error::from(io::ErrorKind::HostUnreachable);
    let target = world
        .host_at(address.ip(), host.id)
        .ok_or_else(unreachable)?;
    let own_ip = if address.ip().is_loopback() {
        address.ip()
    } else {
        host.address.into()
    };
    let local = SocketAddr::new(own_ip, host.next_port());
    let window = world.network.with_plan(|plan| plan.window.as_usize());
    let (dialling, accepting) = Socket::pair(local, address, window);
    let ends = [host.id, target.id];
    world.network.offer(ends, address.port(), accepting)?;
    let (read, write) = halves(dialling);
    Ok(Connected {
        peer: address,
        local,
        read,
        write,
    })
}

fn halves(socket: Arc<Socket>) -> (ReadHalf, WriteHalf) {
    let read = ReadHalf {
        socket: Arc::clone(&socket),
    };
    (read, WriteHalf { socket })
}

/// The reading half of a connection.
#[derive(Debug)]
pub(crate) struct ReadHalf {
    socket: Arc<Socket>,
}

impl ReadHalf {
    pub(crate) fn poll_read(
        &mut self,
        context: &mut TaskContext<'_>,
        buffer: &mut BytesMut,
    ) -> Poll<io::Result<usize>> {
        Context::with(|current| {
            let executor = &current.world.executor;
            let now = executor.now();
            executor.draw(|rng| self.socket.incoming.poll_read(context, buffer, now, rng))
        })
    }
}

/// The writing half of a connection.
#[derive(Debug)]
pub(crate) struct WriteHalf {
    socket: Arc<Socket>,
}

impl WriteHalf {
    pub(crate) async fn send(&mut self, queue: &mut SendQueue) -> io::Result<()> {
        while let Some(front) = queue.front() {
            let count = match front {
                Chunk::Memory(bytes) => {
                    let bytes = bytes.clone();
                    self.write(bytes).await?
                }
                Chunk::File {
                    reader,
                    position,
                    length,
                } => {
                    let (position, wanted) = (*position, (*length).min(FILE_STEP_MAX));
                    let reader = match &reader.0 {
                        FileReaderArm::Sim(reader) => reader.clone(),
                        #[cfg(feature = "uring")]
                        FileReaderArm::Uring(_) => unreachable!("a file stays on its arm"),
                    };
                    let wanted = usize::try_from(wanted).expect("a step is small");
                    let bytes = reader.read_at(position, wanted).await?;
                    if bytes.is_empty() {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                    self.write(bytes).await?
                }
            };
            queue.advance(u64::try_from(count).expect("memory is addressed with 64 bits"));
        }
        Ok(())
    }

    #[expect(
        clippy::unused_async,
        reason = "the arm contract: the real one asks the kernel"
    )]
    pub(crate) async fn finish(self) -> io::Result<()> {
        let world = Context::with(|context| Rc::clone(&context.world));
        let latency = latency(&world);
        let at = self.socket.finish(world.executor.now(), latency);
        wake_reader_at(&world, at, &self.socket.outgoing);
        Ok(())
    }

    /// Writes as much of the bytes as there is room for, once there is; returns how much.
    async fn write(&self, mut bytes: Bytes) -> io::Result<usize> {
        let world = Context::with(|context| Rc::clone(&context.world));
        let executor = &world.executor;
        let outgoing = &self.socket.outgoing;
        let resets = world.network.with_plan(|plan| plan.reset_per_ten_thousand);
        if resets > 0 && executor.draw(|rng| rng.below(10_000)) < u64::from(resets) {
            self.socket.reset();
        }
        let count =
            poll_fn(|context| executor.draw(|rng| outgoing.poll_room(context, bytes.len(), rng)))
                .await?;
        bytes.truncate(count);
        let arrives = outgoing.write(bytes, executor.now(), latency(&world));
        wake_reader_at(&world, arrives, outgoing);
        Ok(count)
    }
}

fn wake_reader_at(world: &World, at: Duration, pipe: &Pipe) {
    let pipe = pipe.clone();
    let arrive = Event::Run(Box::new(move || pipe.arrive(at)));
    world.executor.schedule_at(at, arrive);
}

fn latency(world: &World) -> Duration {
    let (least, most) = world.network.with_plan(|plan| plan.latency);
    world.executor.draw(|rng| rng.duration(least, most))
}
