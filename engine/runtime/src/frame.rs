//! The reading half of a connection: whole frames, each a 4-byte big-endian length and that many
//! bytes.
//!
//! The kernel writes straight into the block that frames are cut from. How large the block is
//! follows what the connection has really sent:
//!
//! ```text
//!   between frames   what recent reads took, or the last frame's size, 4 KiB to `read_ahead_max`
//!   inside a frame   what is missing, but at most what is here already, or the last frame's size
//! ```
//!
//! So frames of one size each arrive in one block of their own, and a length that is announced and
//! not sent costs next to nothing. A reader that waits between frames holds no block at all, and a
//! small frame alone in a large block is copied out of it, so that one that is kept for long (a
//! fetch that waits for data) keeps little memory.

use std::cell::Cell;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes, BytesMut};
use types::ByteCount;

use crate::tcp::{ConnectionLimits, ReadArm};

/// The bytes before each frame that say its length.
const LENGTH_SIZE: usize = 4;

/// The least that is read at once.
const READ_SIZE_MIN: usize = 4 * 1024;

/// The most that earlier frames entitle a connection to have allocated for the next one at once.
const EARNED_SIZE_MAX: usize = 1024 * 1024;

/// How many times its size a frame may keep allocated when it is alone in its block.
const BLOCK_SHARE_MAX: usize = 16;

/// The largest block kept for the next reader of the shard.
const SPARE_SIZE_MAX: usize = 256 * 1024;

thread_local! {
    /// One block that a waiting reader gave back: most reads of a shard use it in turn.
    static SPARE: Cell<Option<BytesMut>> = const { Cell::new(None) };
}

/// The reading half of a connection.
pub struct FrameReader {
    half: ReadArm,
    buffer: BytesMut,
    read_size: usize,
    read_size_max: usize,
    frame_size: usize,
}

impl FrameReader {
    pub(crate) fn new(half: ReadArm, unread: BytesMut, limits: ConnectionLimits) -> Self {
        Self {
            half,
            buffer: unread,
            read_size: READ_SIZE_MIN,
            read_size_max: limits.read_ahead_max.as_usize().max(READ_SIZE_MIN),
            frame_size: 0,
        }
    }

    /// Takes the reader apart; the bytes that were read and not taken share no block with a frame.
    pub(crate) fn into_parts(self) -> (ReadArm, BytesMut) {
        (self.half, BytesMut::from(&self.buffer[..]))
    }

    /// Waits for the next whole frame and returns it without its length; `None` at an end between
    /// frames. May be dropped and called again: nothing is lost.
    ///
    /// *Errors*: `InvalidData` for a length that is negative or above `size_max`, before anything is
    /// allocated for it; `UnexpectedEof` for an end within a frame. The connection is then of no
    /// more use.
    /// *Cost*: frames that arrive together share one block, freed when the last of them is dropped.
    pub async fn frame(&mut self, size_max: ByteCount) -> io::Result<Option<Bytes>> {
        loop {
            let announced = self.announced()?;
            if let Some(size) = announced {
                if ByteCount::from(size) > size_max {
                    return Err(invalid_length());
                }
                if let Some(frame) = self.take_frame(size) {
                    return Ok(Some(frame));
                }
            }
            let whole = announced.map(|size| LENGTH_SIZE + size);
            if self.fill(whole).await? == 0 {
                return if self.buffer.is_empty() {
                    Ok(None)
                } else {
                    Err(io::ErrorKind::UnexpectedEof.into())
                };
            }
        }
    }

    /// Waits until the next frame's length is here and returns it; `None` at an end between frames.
    /// The frame stays to be read by [`FrameReader::frame`]: memory can be found for it first.
    ///
    /// *Errors*: as [`FrameReader::frame`].
    pub async fn announced_size(&mut self, size_max: ByteCount) -> io::Result<Option<ByteCount>> {
        loop {
            match self.announced()?.map(ByteCount::from) {
                Some(size) if size > size_max => return Err(invalid_length()),
                Some(size) => return Ok(Some(size)),
                None => {}
            }
            if self.fill(None).await? == 0 {
                return if self.buffer.is_empty() {
                    Ok(None)
                } else {
                    Err(io::ErrorKind::UnexpectedEof.into())
                };
            }
        }
    }

    /// Returns whether a whole frame has been read already: serve all that arrived, then flush once.
    pub fn has_frame(&self) -> bool {
        matches!(self.announced(), Ok(Some(size)) if self.buffer.len() - LENGTH_SIZE >= size)
    }

    /// Waits for whatever arrives next, of any size; `None` at the end. For protocols that are not
    /// framed.
    pub async fn bytes(&mut self) -> io::Result<Option<Bytes>> {
        if self.buffer.is_empty() && self.fill(None).await? == 0 {
            return Ok(None);
        }
        Ok(Some(self.buffer.split().freeze()))
    }

    /// Reads the next frame's length, if it is here.
    fn announced(&self) -> io::Result<Option<usize>> {
        let Some(length) = self.buffer.first_chunk::<LENGTH_SIZE>() else {
            return Ok(None);
        };
        let length = i32::from_be_bytes(*length);
        let size = usize::try_from(length).map_err(|_| invalid_length())?;
        Ok(Some(size))
    }

    fn take_frame(&mut self, size: usize) -> Option<Bytes> {
        if self.buffer.len() - LENGTH_SIZE < size {
            return None;
        }
        self.buffer.advance(LENGTH_SIZE);
        // Sizes that vary are remembered by their larger ones.
        self.frame_size = size.max(self.frame_size - self.frame_size / 8);
        let alone = self.buffer.len() == size;
        if alone && size * BLOCK_SHARE_MAX < self.buffer.capacity() {
            let frame = Bytes::copy_from_slice(&self.buffer);
            self.buffer.clear();
            return Some(frame);
        }
        Some(self.buffer.split_to(size).freeze())
    }

    /// Reads what has arrived behind what is buffered; `whole` is how much the buffer shall hold in
    /// the end, if that is known. Returns the bytes read, 0 at the end.
    async fn fill(&mut self, whole: Option<usize>) -> io::Result<usize> {
        poll_fn(|context| self.poll_fill(context, whole)).await
    }

    fn poll_fill(
        &mut self,
        context: &mut Context<'_>,
        whole: Option<usize>,
    ) -> Poll<io::Result<usize>> {
        self.make_room(whole);
        let room = self.buffer.capacity() - self.buffer.len();
        let buffer = &mut self.buffer;
        let polled = on_arm!(
            &mut self.half, ReadArm, half => half.poll_read(context, buffer)
        );
        match &polled {
            Poll::Ready(Ok(count)) if whole.is_none() => self.adapt(*count, room),
            Poll::Ready(_) => {}
            Poll::Pending => self.release(),
        }
        polled
    }

    /// Makes room for the next read, as the module's table says.
    fn make_room(&mut self, whole: Option<usize>) {
        let buffered = self.buffer.len();
        let missing = whole.map_or(0, |whole| whole - buffered);
        let (wanted, least) = if missing <= self.read_size {
            // Between frames, or near the end of one: take along what follows.
            let like_the_last = (LENGTH_SIZE + self.frame_size).min(self.read_size_max);
            let wanted = self.read_size.max(like_the_last);
            (wanted, missing.max(wanted / 4))
        } else {
            let earned = self.frame_size.min(EARNED_SIZE_MAX).max(self.read_size);
            let wanted = missing.min(earned.max(buffered));
            // What was not earned is given as the block fills.
            let least = if missing <= earned {
                missing
            } else {
                READ_SIZE_MIN
            };
            (wanted, least)
        };
        if self.buffer.capacity() - buffered >= least {
            return;
        }
        if buffered == 0
            && let Some(spare) = SPARE.take()
        {
            // Not a much larger one: a small frame that stays would keep all of it.
            if (wanted..=2 * wanted).contains(&spare.capacity()) {
                self.buffer = spare;
                return;
            }
            SPARE.set(Some(spare));
        }
        self.buffer.reserve(wanted);
    }

    /// Learns from a read between frames, of `count` bytes into room for `room`.
    fn adapt(&mut self, count: usize, room: usize) {
        if count == room {
            self.read_size = (self.read_size * 2).min(self.read_size_max);
        } else if count < self.read_size / 4 {
            self.read_size = (self.read_size / 2).max(READ_SIZE_MIN);
        }
    }

    /// Gives the block back while there is nothing to read into it.
    fn release(&mut self) {
        if !self.buffer.is_empty() {
            return;
        }
        let mut block = std::mem::take(&mut self.buffer);
        // Only a block that no frame shares any more is worth keeping.
        let unshared = block.try_reclaim(READ_SIZE_MIN);
        if unshared && block.capacity() <= SPARE_SIZE_MAX {
            SPARE.set(Some(block));
        }
    }
}

impl fmt::Debug for FrameReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FrameReader({} buffered)", self.buffer.len())
    }
}

fn invalid_length() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "the frame's length is negative or above the limit",
    )
}

#[cfg(test)]
#[cfg(feature = "sim")]
mod tests {
    use std::net::SocketAddr;
    use std::time::Duration;

    use super::*;
    use crate::sim::Simulation;
    use crate::{Chunk, ChunkWriter, Listener, connect, timeout};

    const SIZE_MAX: ByteCount = ByteCount::mib(100);
    const MOMENT: Duration = Duration::from_millis(50);

    /// Makes a connection; returns a reader, the writer it reads from, and what keeps both alive.
    async fn pair() -> (FrameReader, ChunkWriter, impl Drop) {
        struct Rest(
            #[expect(dead_code, reason = "kept alive")] FrameReader,
            ChunkWriter,
        );
        impl Drop for Rest {
            fn drop(&mut self) {
                assert_eq!(self.1.queued(), ByteCount::ZERO);
            }
        }
        let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let limits = ConnectionLimits::default();
        let dialled = connect(listener.local_addr(), limits).await.unwrap();
        let accepted = listener.accept().await.unwrap();
        let (reader, back) = accepted.into_connection(limits).unwrap().split();
        let (rest, writer) = dialled.split();
        (reader, writer, Rest(rest, back))
    }

    async fn send(writer: &mut ChunkWriter, bytes: &[u8]) {
        writer.queue(Chunk::Memory(Bytes::copy_from_slice(bytes)));
        writer.flush().await.unwrap();
    }

    async fn read_nothing(reader: &mut FrameReader) {
        let waited = timeout(MOMENT, reader.frame(SIZE_MAX)).await;
        assert!(waited.is_err(), "no frame is whole");
    }

    #[test]
    fn a_length_that_is_announced_and_not_sent_takes_no_memory() {
        Simulation::new(1).block_on(async {
            let (mut reader, mut writer, _rest) = pair().await;
            let announced: i32 = 50 * 1024 * 1024;
            send(&mut writer, &announced.to_be_bytes()).await;
            read_nothing(&mut reader).await;
            assert!(reader.buffer.capacity() <= 2 * READ_SIZE_MIN);
            for sent in [10_000, 50_000, 100_000, 200_000] {
                let before = reader.buffer.len();
                send(&mut writer, &vec![7; sent - before]).await;
                read_nothing(&mut reader).await;
                assert_eq!(reader.buffer.len(), sent + if before == 0 { 4 } else { 0 });
                let capacity = reader.buffer.capacity();
                let bound = 2 * reader.buffer.len() + 2 * READ_SIZE_MIN;
                assert!(capacity <= bound, "{capacity} for {sent}");
            }
        });
    }

    #[test]
    fn a_reader_that_waits_between_frames_holds_no_block() {
        Simulation::new(1).block_on(async {
            let (mut reader, mut writer, _rest) = pair().await;
            read_nothing(&mut reader).await;
            assert_eq!(reader.buffer.capacity(), 0);
            send(&mut writer, b"\0\0\0\x03abc").await;
            let frame = reader.frame(SIZE_MAX).await.unwrap().unwrap();
            read_nothing(&mut reader).await;
            assert_eq!(reader.buffer.capacity(), 0);
            assert_eq!(frame, &b"abc"[..]);
        });
    }

    #[test]
    fn a_small_frame_alone_in_a_large_block_is_copied_out_of_it() {
        Simulation::new(1).block_on(async {
            let (mut reader, mut writer, _rest) = pair().await;
            reader.read_size = 64 * 1024;
            send(&mut writer, b"\0\0\0\x03abc").await;
            let frame = reader.frame(SIZE_MAX).await.unwrap().unwrap();
            assert_eq!(frame, &b"abc"[..]);
            assert!(reader.buffer.capacity() >= 60 * 1024);
            let block = &mut reader.buffer;
            assert!(block.try_reclaim(64 * 1024), "the frame does not share it");
        });
    }

    #[test]
    fn a_sender_of_large_frames_has_the_next_one_in_one_block() {
        Simulation::new(1).block_on(async {
            let (mut reader, mut writer, _rest) = pair().await;
            let size = 300_000;
            let mut frame = i32::try_from(size).unwrap().to_be_bytes().to_vec();
            frame.resize(4 + size, 7);
            let mut grown = Vec::new();
            for _ in 0..2 {
                send(&mut writer, &frame[..100_000]).await;
                read_nothing(&mut reader).await;
                grown.push(reader.buffer.capacity());
                let rest = crate::race(reader.frame(SIZE_MAX), async {
                    send(&mut writer, &frame[100_000..]).await;
                    std::future::pending::<()>().await;
                });
                assert!(matches!(rest.await, crate::Either::Left(Ok(Some(_)))));
            }
            assert!(grown[0] < size, "the first had earned nothing: {grown:?}");
            assert!(grown[1] >= size, "the second had: {grown:?}");
        });
    }
}
