//! TCP: listeners, connections, and the writing half; the reading half is [`FrameReader`].
//!
//! A connection is accepted on one shard and may be handed, as [`Accepted`], to the shard that shall
//! own it; between two frames it may be handed on. Nagle's algorithm is off on every connection.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::BytesMut;
use types::ByteCount;

use crate::chunk::{Chunk, SendQueue};
use crate::frame::FrameReader;

arms! { ListenerArm of Listener }

/// A listening socket of one shard.
pub struct Listener(ListenerArm);

impl Listener {
    /// Listens on an address; port 0 lets the system choose one.
    ///
    /// *Errors*: `AddrInUse` when another socket listens there: never shared, see [`bind_retrying`].
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        Ok(Self(ambient!(ListenerArm => Listener::bind(address)?)))
    }

    /// Returns the address listened on, with the port the system chose.
    pub fn local_addr(&self) -> SocketAddr {
        on_arm!(&self.0, ListenerArm, listener => listener.local_addr())
    }

    /// Waits for the next connection; waits inside when the process is out of descriptors or memory.
    pub async fn accept(&self) -> io::Result<Accepted> {
        let arm = on_arm!(
            &self.0, ListenerArm as AcceptedArm, listener => listener.accept().await?
        );
        Ok(Accepted {
            arm,
            unread: BytesMut::new(),
        })
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Listener({})", self.local_addr())
    }
}

/// Binds as [`Listener::bind`] does, trying again for one second while the address is in use: after
/// a kill the kernel takes a moment to let go of it.
pub async fn bind_retrying(address: SocketAddr) -> io::Result<Listener> {
    const PATIENCE: Duration = Duration::from_secs(1);
    const PAUSE: Duration = Duration::from_millis(20);
    let give_up = crate::now().after(PATIENCE);
    loop {
        match Listener::bind(address) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && crate::now() < give_up => {
                crate::sleep(PAUSE).await;
            }
            result => return result,
        }
    }
}

arms! { AcceptedArm of Accepted }

/// An accepted connection that no shard owns at this time: `Send`. Dropping it closes the connection.
pub struct Accepted {
    arm: AcceptedArm,
    /// What a shard that owned it has read and not used.
    unread: BytesMut,
}

impl Accepted {
    /// Returns the other side's address.
    pub fn peer_addr(&self) -> SocketAddr {
        on_arm!(&self.arm, AcceptedArm, accepted => accepted.peer_addr())
    }

    /// Returns the address that was dialled.
    pub fn local_addr(&self) -> SocketAddr {
        on_arm!(&self.arm, AcceptedArm, accepted => accepted.local_addr())
    }

    /// Makes this shard the owner.
    pub fn into_connection(self, limits: ConnectionLimits) -> io::Result<Connection> {
        let (peer, local) = (self.peer_addr(), self.local_addr());
        let unread = self.unread;
        match self.arm {
            #[cfg(feature = "uring")]
            AcceptedArm::Uring(accepted) => {
                let (read, write) = accepted.into_halves()?;
                Ok(Connection {
                    peer,
                    local,
                    limits,
                    unread,
                    read: ReadArm::Uring(read),
                    write: WriteArm::Uring(write),
                })
            }
            #[cfg(feature = "sim")]
            AcceptedArm::Sim(accepted) => {
                let (read, write) = accepted.into_halves()?;
                Ok(Connection {
                    peer,
                    local,
                    limits,
                    unread,
                    read: ReadArm::Sim(read),
                    write: WriteArm::Sim(write),
                })
            }
        }
    }

    /// Puts a connection's halves together again, so that another shard can own it; what was read
    /// and not taken goes along.
    ///
    /// *Errors*: the connection is broken.
    /// *Panics*: if something is still to be sent, or the halves are not of one connection.
    pub async fn reunite(reader: FrameReader, writer: ChunkWriter) -> io::Result<Self> {
        assert!(writer.queue.is_empty(), "what is queued has been flushed");
        let (read, unread) = reader.into_parts();
        let arm = match (read, writer.half) {
            #[cfg(feature = "uring")]
            (ReadArm::Uring(read), WriteArm::Uring(write)) => {
                AcceptedArm::Uring(crate::uring::Accepted::reunite(read, write).await?)
            }
            #[cfg(feature = "sim")]
            (ReadArm::Sim(read), WriteArm::Sim(write)) => {
                AcceptedArm::Sim(crate::sim::Accepted::reunite(read, write).await)
            }
            #[cfg(all(feature = "uring", feature = "sim"))]
            _ => unreachable!("a connection is of one arm"),
        };
        Ok(Self { arm, unread })
    }
}

impl fmt::Debug for Accepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Accepted({} from {})",
            self.local_addr(),
            self.peer_addr()
        )
    }
}

const _: () = {
    const fn sendable<T: Send>() {}
    sendable::<Accepted>();
};

/// What one connection may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// The most bytes read ahead of the frame that is asked for; at least 4 KiB.
    pub read_ahead_max: ByteCount,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            // A frame of one 64 KiB batch fits.
            read_ahead_max: ByteCount::kib(128),
        }
    }
}

arms! { pub(crate) ReadArm of ReadHalf }
arms! { pub(crate) WriteArm of WriteHalf }

/// A connection of this shard.
pub struct Connection {
    peer: SocketAddr,
    local: SocketAddr,
    limits: ConnectionLimits,
    unread: BytesMut,
    read: ReadArm,
    write: WriteArm,
}

/// Opens a connection.
///
/// *Errors*: `ConnectionRefused` when nobody listens there.
pub async fn connect(address: SocketAddr, limits: ConnectionLimits) -> io::Result<Connection> {
    match crate::arm::current() {
        #[cfg(feature = "uring")]
        crate::arm::Kind::Uring => {
            let connected = crate::uring::connect(address).await?;
            Ok(Connection {
                peer: connected.peer,
                local: connected.local,
                limits,
                unread: BytesMut::new(),
                read: ReadArm::Uring(connected.read),
                write: WriteArm::Uring(connected.write),
            })
        }
        #[cfg(feature = "sim")]
        crate::arm::Kind::Sim => {
            let connected = crate::sim::connect(address).await?;
            Ok(Connection {
                peer: connected.peer,
                local: connected.local,
                limits,
                unread: BytesMut::new(),
                read: ReadArm::Sim(connected.read),
                write: WriteArm::Sim(connected.write),
            })
        }
    }
}

impl Connection {
    /// Returns the other side's address.
    pub fn peer_addr(&self) -> SocketAddr {
        self.peer
    }

    /// Returns this side's address.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Parts the connection into its directions, to be driven by two tasks.
    ///
    /// Dropping both without [`ChunkWriter::close`] aborts the connection.
    pub fn split(self) -> (FrameReader, ChunkWriter) {
        let reader = FrameReader::new(self.read, self.unread, self.limits);
        let writer = ChunkWriter {
            half: self.write,
            queue: SendQueue::default(),
        };
        (reader, writer)
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Connection({} to {})", self.local, self.peer)
    }
}

/// The writing half of a connection.
///
/// Chunks are queued, then flushed together: adjacent memory chunks leave in one system call, file
/// ranges without passing through user memory.
pub struct ChunkWriter {
    half: WriteArm,
    queue: SendQueue,
}

impl ChunkWriter {
    /// Appends a chunk to what is to be sent; no I/O.
    pub fn queue(&mut self, chunk: Chunk) {
        self.queue.push(chunk);
    }

    /// Returns the bytes that are queued and not yet taken by the kernel.
    pub fn queued(&self) -> ByteCount {
        self.queue.size()
    }

    /// Sends all that is queued; returns when the kernel has taken it.
    ///
    /// May be dropped and called again: what was taken is off the queue, so [`ChunkWriter::queued`]
    /// tells whether a flush that was cut short made progress.
    /// *Errors*: after one, the connection is of no more use.
    pub async fn flush(&mut self) -> io::Result<()> {
        if self.queue.is_empty() {
            return Ok(());
        }
        let queue = &mut self.queue;
        on_arm!(&mut self.half, WriteArm, half => half.send(queue).await)
    }

    /// Sends all that is queued, then ends this direction: the peer reads the end after the data.
    pub async fn close(mut self) -> io::Result<()> {
        self.flush().await?;
        on_arm!(self.half, WriteArm, half => half.finish().await)
    }
}

impl fmt::Debug for ChunkWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChunkWriter({} queued)", self.queued())
    }
}
