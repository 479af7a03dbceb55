//! Sockets: set up by socket2, read and awaited through glommio's `TcpStream`, written by `sendmsg`.
//!
//! glommio's stream is readiness: it calls recv and send without waiting, and polls through the ring
//! when they would block. Reading through it costs one recv and one poll per message. What it lacks is
//! vectored writes, sendfile, and a way to wait without reading or writing.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::net::{Shutdown, SocketAddr};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use futures_io::{AsyncRead, AsyncWrite};
use glommio::net::TcpStream;
use socket2::{Domain, Protocol, SockRef, Socket, Type};

use super::io_yield::yield_if_due;
use super::send_file::FileSender;
use super::{shard, sys};
use crate::chunk::{Chunk, SendQueue};

/// Connections the kernel completes before they are accepted.
const BACKLOG: i32 = 1024;

/// How long accepting pauses when descriptors or memory are spent: doubled from the first to the last.
const PAUSE_MIN: Duration = Duration::from_millis(5);
const PAUSE_MAX: Duration = Duration::from_millis(50);

/// Bytes that pass through glommio's own read, then are copied; a message of this size costs one recv.
const SMALL_READ_SIZE: usize = 4096;

/// Memory chunks in one sendmsg.
const SLICES_MAX: usize = 64;

/// Bytes in one send: about 100 us of copying, so that a large answer yields in between.
pub(super) const SEND_SIZE_MAX: usize = 512 * 1024;

/// A listening socket.
pub(crate) struct Listener {
    socket: Socket,
    local: SocketAddr,
}

impl Listener {
    /// Listens. Not by glommio's bind: that sets SO_REUSEPORT, and a second broker on the port would
    /// silently take half of the connections.
    pub(crate) fn bind(address: SocketAddr) -> io::Result<Self> {
        let domain = Domain::for_address(address);
        let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        // Accepted sockets inherit both; a congestion control that the kernel lacks fails here.
        socket.set_tcp_nodelay(true)?;
        if let Some(name) = &shard::seat().tcp_congestion {
            socket.set_tcp_congestion(name.as_bytes())?;
        }
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        Ok(Self {
            local: internet(&socket.local_addr()?)?,
            socket,
        })
    }

    /// Returns the address listened on.
    pub(crate) fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Accepts a connection; its descriptor closes on exec.
    pub(crate) async fn accept(&self) -> io::Result<Accepted> {
        let mut pause = PAUSE_MIN;
        loop {
            let accepted = self.socket.accept();
            let error = match accepted.and_then(|(socket, peer)| Accepted::new(socket, &peer)) {
                Ok(accepted) => return Ok(accepted),
                Err(error) => error,
            };
            let remedy = match Remedy::of(&error) {
                Remedy::Wait => match self.wait_readable().await {
                    Ok(()) => Remedy::Retry,
                    Err(error) => Remedy::of(&error),
                },
                remedy => remedy,
            };
            match remedy {
                Remedy::Retry => {}
                Remedy::Fail => return Err(error),
                Remedy::Wait | Remedy::Pause => {
                    tracing::warn!(%error, "accepting pauses");
                    glommio::timer::sleep(pause).await;
                    pause = (pause * 2).min(PAUSE_MAX);
                }
            }
        }
    }

    /// Waits until there is a connection, by a poll that glommio arms for a stream over a copy of the
    /// descriptor. When it fires, glommio tries to read, which a listening socket refuses: any result
    /// means that the poll has fired.
    async fn wait_readable(&self) -> io::Result<()> {
        let mut stream = sys::ring_stream(sys::duplicate(&self.socket)?);
        let fired = poll_fn(|context| {
            let polled = Pin::new(&mut stream).poll_read(context, &mut [0]);
            polled.map(drop)
        });
        fired.await;
        Ok(())
    }
}

/// What to do about an error of accept(2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Remedy {
    /// There is no connection yet.
    Wait,
    /// The connection that was to be accepted is gone.
    Retry,
    /// Descriptors or memory are spent: the connection stays in the queue, and without a pause the
    /// loop would spin.
    Pause,
    /// The listener is broken.
    Fail,
}

impl Remedy {
    fn of(error: &io::Error) -> Self {
        let Some(number) = error.raw_os_error() else {
            return Self::Pause;
        };
        match number {
            libc::EAGAIN => Self::Wait,
            // The connection was reset, or the network failed under it. *Source*: accept(2).
            libc::ECONNABORTED
            | libc::EINTR
            | libc::ENOTCONN
            | libc::ENETDOWN
            | libc::EPROTO
            | libc::ENOPROTOOPT
            | libc::EHOSTDOWN
            | libc::ENONET
            | libc::EHOSTUNREACH
            | libc::EOPNOTSUPP
            | libc::ENETUNREACH => Self::Retry,
            libc::EBADF | libc::EINVAL | libc::ENOTSOCK => Self::Fail,
            _ => Self::Pause,
        }
    }
}

/// A connection on its way to its shard.
pub(crate) struct Accepted {
    socket: Socket,
    peer: SocketAddr,
    local: SocketAddr,
}

impl Accepted {
    fn new(socket: Socket, peer: &socket2::SockAddr) -> io::Result<Self> {
        Ok(Self {
            peer: internet(peer)?,
            local: internet(&socket.local_addr()?)?,
            socket,
        })
    }

    /// Returns the other side's address.
    pub(crate) fn peer_addr(&self) -> SocketAddr {
        self.peer
    }

    /// Returns the address that was dialled.
    pub(crate) fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Makes this shard the owner.
    #[expect(
        clippy::unnecessary_wraps,
        reason = "the contract of both arms: the simulated peer may be gone by now"
    )]
    pub(crate) fn into_halves(self) -> io::Result<(ReadHalf, WriteHalf)> {
        Ok(halves(sys::ring_stream(OwnedFd::from(self.socket))))
    }
}

/// An opened connection.
pub(crate) struct Connected {
    pub(crate) peer: SocketAddr,
    pub(crate) local: SocketAddr,
    pub(crate) read: ReadHalf,
    pub(crate) write: WriteHalf,
}

/// Opens a connection.
pub(crate) async fn connect(address: SocketAddr) -> io::Result<Connected> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (peer, local) = (stream.peer_addr()?, stream.local_addr()?);
    let (read, write) = halves(stream);
    Ok(Connected {
        peer,
        local,
        read,
        write,
    })
}

fn internet(address: &socket2::SockAddr) -> io::Result<SocketAddr> {
    address
        .as_socket()
        .ok_or_else(|| io::Error::from(io::ErrorKind::AddrNotAvailable))
}

fn halves(stream: TcpStream) -> (ReadHalf, WriteHalf) {
    let stream = Rc::new(Stream {
        stream: RefCell::new(stream),
        finished: Cell::new(false),
    });
    let read = ReadHalf {
        stream: Rc::clone(&stream),
        flowing: false,
    };
    let write = WriteHalf {
        stream,
        files: FileSender::default(),
    };
    (read, write)
}

/// What both halves share.
pub(super) struct Stream {
    stream: RefCell<TcpStream>,
    finished: Cell<bool>,
}

impl Stream {
    /// Uses the descriptor for a system call that does not wait.
    pub(super) fn with_descriptor<T>(&self, call: impl FnOnce(BorrowedFd<'_>) -> T) -> T {
        let stream = self.stream.borrow();
        call(sys::borrow(&*stream))
    }

    /// Sends some of `bytes`, waiting until at least one has gone: the only way glommio offers to wait
    /// for room.
    pub(super) async fn send_some(&self, bytes: &[u8]) -> io::Result<usize> {
        let sent = poll_fn(|context| {
            let mut stream = self.stream.borrow_mut();
            Pin::new(&mut *stream).poll_write(context, bytes)
        })
        .await?;
        if sent == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        Ok(sent)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if !self.finished.get() {
            // A close without this would send what is left and look like an orderly end.
            let aborting =
                self.with_descriptor(|fd| SockRef::from(&fd).set_linger(Some(Duration::ZERO)));
            if let Err(error) = aborting {
                tracing::debug!(%error, "a connection ends without a reset");
            }
        }
    }
}

thread_local! {
    /// Where small messages arrive, so that a waiting connection needs no buffer of its own.
    static SMALL: RefCell<Box<[u8]>> = RefCell::new(vec![0; SMALL_READ_SIZE].into());
}

/// The reading half.
pub(crate) struct ReadHalf {
    stream: Rc<Stream>,
    /// The last read filled all it was given: more is likely to be there.
    flowing: bool,
}

impl ReadHalf {
    /// Reads into the spare capacity of `buffer`, of which there is some.
    pub(crate) fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut BytesMut,
    ) -> Poll<io::Result<usize>> {
        debug_assert!(buffer.capacity() > buffer.len(), "there is room for a byte");
        if self.flowing {
            match self.receive(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return Poll::Ready(result),
            }
        }
        let read = SMALL.with_borrow_mut(|small| {
            let limit = small.len().min(buffer.capacity() - buffer.len());
            let small = small.get_mut(..limit).unwrap_or_default();
            let mut stream = self.stream.stream.borrow_mut();
            let read = ready!(Pin::new(&mut *stream).poll_read(context, small))?;
            buffer.extend_from_slice(small.get(..read).unwrap_or_default());
            Poll::Ready(Ok::<_, io::Error>((read, read == limit)))
        });
        let (read, filled) = ready!(read)?;
        self.flowing = filled;
        if !filled || buffer.capacity() == buffer.len() {
            return Poll::Ready(Ok(read));
        }
        // More than fits the small buffer: the rest without a copy. An error or the end will be met
        // again by the next read, when it is not mixed with data.
        let more = self.receive(buffer).unwrap_or_else(|_| {
            self.flowing = false;
            0
        });
        Poll::Ready(Ok(read + more))
    }

    fn receive(&mut self, buffer: &mut BytesMut) -> io::Result<usize> {
        let received = self.stream.with_descriptor(|fd| sys::receive(fd, buffer));
        self.flowing = received.is_ok() && buffer.capacity() == buffer.len();
        received
    }
}

/// The writing half.
pub(crate) struct WriteHalf {
    stream: Rc<Stream>,
    files: FileSender,
}

impl WriteHalf {
    /// Sends the queue until it is empty.
    pub(crate) async fn send(&mut self, queue: &mut SendQueue) -> io::Result<()> {
        self.files.begin();
        loop {
            match queue.front() {
                None => break,
                Some(Chunk::Memory(_)) => self.send_memory(queue).await?,
                Some(Chunk::File { .. }) => self.files.send(&self.stream, queue).await?,
            }
            if !queue.is_empty() {
                yield_if_due().await;
            }
        }
        self.files.end().await;
        Ok(())
    }

    /// Sends the memory at the front of the queue, or a part of it.
    async fn send_memory(&self, queue: &mut SendQueue) -> io::Result<()> {
        let sent = match self.send_vectored(queue) {
            Ok(sent) => sent,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let Some(Chunk::Memory(bytes)) = queue.front() else {
                    return Ok(());
                };
                let bytes = bytes.get(..SEND_SIZE_MAX.min(bytes.len()));
                self.stream.send_some(bytes.unwrap_or_default()).await?
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
            Err(error) => return Err(error),
        };
        queue.advance(u64::try_from(sent).map_err(io::Error::other)?);
        Ok(())
    }

    fn send_vectored(&self, queue: &SendQueue) -> io::Result<usize> {
        let mut slices = [IoSlice::new(&[]); SLICES_MAX];
        let mut room = SEND_SIZE_MAX;
        let mut used = 0;
        for (slice, bytes) in slices.iter_mut().zip(queue.leading_memory()) {
            let bytes = bytes.chunk();
            let bytes = bytes.get(..room.min(bytes.len())).unwrap_or_default();
            *slice = IoSlice::new(bytes);
            room -= bytes.len();
            used += 1;
            if room == 0 {
                break;
            }
        }
        // More to come: the kernel may fill its segments with it.
        let more = if used < queue.len() {
            libc::MSG_MORE
        } else {
            0
        };
        let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL | more;
        let slices = slices.get(..used).unwrap_or_default();
        self.stream
            .with_descriptor(|fd| SockRef::from(&fd).send_vectored_with_flags(slices, flags))
    }

    /// Ends this direction. The connection is closed, not aborted, when the other half lets go.
    pub(crate) async fn finish(self) -> io::Result<()> {
        self.stream.finished.set(true);
        let result = self
            .stream
            .with_descriptor(|fd| SockRef::from(&fd).shutdown(Shutdown::Write));
        self.files.close().await;
        result
    }
}
