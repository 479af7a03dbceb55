//! The writing half: answers out, in order, as many as are ready in one flush.
//!
//! Heads and small pieces are copied next to each other into one buffer, so that a burst of small
//! answers is one piece of memory and one system call; large pieces and file ranges go as they are.
//! The client takes an answer in pieces of at most [`FLUSH_SIZE_MAX`]: each must be taken in time,
//! whatever the size of the whole, and between two of them other connections have their turn.

use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use bytes::{BufMut, BytesMut};
use runtime::{Chunk, ChunkWriter, Either};
use types::ByteCount;
use wire::frame::LENGTH_SIZE;
use wire::header::ResponseHeader;

use crate::error::Error;
use crate::lifeline::Writing;
use crate::link::{Link, Pending};
use crate::memory::Answers;
use crate::options::FLUSH_SIZE_MAX;
use crate::service::{Answer, Outcome, Reply, Response};

/// A piece of at most this size is copied: cheaper than one more entry of a vectored write.
const COPIED_SIZE_MAX: usize = 1024;

/// What an idle connection keeps of its buffer.
const IDLE_BUFFER_MAX: usize = 512;

/// Writes answers until there are no more, and returns the writer, or until the connection is cut; an
/// error cuts it.
pub(crate) async fn write_answers<S>(
    link: Rc<Link<S>>,
    writer: ChunkWriter,
) -> Option<ChunkWriter> {
    let answers = link.shared.budget.answers();
    let half = Half {
        link: Rc::clone(&link),
        writer,
        small: BytesMut::new(),
        answers,
    };
    let running = pin!(half.run());
    match runtime::race(link.lifeline.writing_cut(), running).await {
        Either::Right(Ok(writer)) => Some(writer),
        Either::Right(Err(error)) => {
            link.lifeline.cut(error);
            None
        }
        Either::Left(()) => None,
    }
}

struct Half<S> {
    link: Rc<Link<S>>,
    writer: ChunkWriter,
    /// What is not yet given to `writer`.
    small: BytesMut,
    answers: Answers,
}

impl<S> Half<S> {
    async fn run(mut self) -> Result<ChunkWriter, Error> {
        while let Some(mut pending) = self.next().await? {
            let waiting = pending.waiting.take();
            let (key, received) = (pending.api.key, pending.received);
            let (head, answer) = self.resolve(pending).await?;
            let (size, outcome) = match &answer {
                Answer::Response(response) => (head.frame_size(response), response.outcome()),
                Answer::None => (ByteCount::ZERO, Outcome::Served),
                Answer::Close(_) => (ByteCount::ZERO, Outcome::Failed),
            };
            let took = runtime::now().since(received);
            self.link
                .shared
                .metrics
                .borrow_mut()
                .answered(key, size, outcome, took);
            if let Answer::Response(response) = &answer {
                self.answers.charge(response.memory());
            }
            drop(waiting); // charged anew just now
            match answer {
                Answer::Response(response) => self.send(&head, response).await?,
                Answer::None => {}
                Answer::Close(refusal) => {
                    self.flush().await?;
                    self.writer.close().await?;
                    return Err(Error::Refused { key, refusal });
                }
            }
            self.link.order.answered();
        }
        self.flush().await?;
        Ok(self.writer)
    }

    /// Takes the oldest request; flushes what is queued before waiting for one.
    async fn next(&mut self) -> Result<Option<Pending>, Error> {
        if let Some(pending) = self.link.order.try_next() {
            return Ok(Some(pending));
        }
        self.flush().await?;
        if self.small.try_reclaim(IDLE_BUFFER_MAX + 1) {
            self.small = BytesMut::new();
        }
        Ok(self.link.order.next().await)
    }

    /// Waits for an answer; flushes what is queued before waiting. The memory charged for the
    /// request is returned then.
    async fn resolve(&mut self, pending: Pending) -> Result<(Head, Answer), Error> {
        let head = Head {
            correlation_id: pending.correlation_id,
            flexible: ResponseHeader::is_flexible(pending.api, pending.version),
        };
        let answer = match pending.reply {
            Reply::Now(response) => Answer::Response(response),
            Reply::None => Answer::None,
            Reply::Close(refusal) => Answer::Close(refusal),
            Reply::Later(mut later) => {
                match poll_fn(|context| Poll::Ready(later.as_mut().poll(context))).await {
                    Poll::Ready(answer) => answer,
                    Poll::Pending => {
                        self.flush().await?;
                        later.await
                    }
                }
            }
        };
        drop(pending.charge);
        Ok((head, answer))
    }

    /// Queues one answer, flushing whenever there is a whole piece.
    async fn send(&mut self, head: &Head, response: Response) -> Result<(), Error> {
        head.put(&response, &mut self.small);
        for chunk in response.into_chunks() {
            if let Chunk::Memory(bytes) = &chunk
                && bytes.len() <= COPIED_SIZE_MAX
            {
                self.small.extend_from_slice(bytes);
                continue;
            }
            self.seal();
            self.send_in_pieces(chunk).await?;
        }
        if self.queued() >= FLUSH_SIZE_MAX.0 {
            self.flush().await?;
        }
        Ok(())
    }

    async fn send_in_pieces(&mut self, mut rest: Chunk) -> Result<(), Error> {
        while !rest.is_empty() {
            let room = FLUSH_SIZE_MAX.0.saturating_sub(self.queued());
            if room == 0 {
                self.flush_piece().await?;
                continue;
            }
            let piece = take_front(&mut rest, room);
            self.writer.queue(piece);
        }
        Ok(())
    }

    /// Sends everything that is queued and returns the memory charged for it.
    async fn flush(&mut self) -> Result<(), Error> {
        self.seal();
        if self.queued() > 0 {
            self.flush_piece().await?;
        }
        self.answers.clear();
        Ok(())
    }

    /// Sends what is queued; the answer it belongs to may go on.
    async fn flush_piece(&mut self) -> Result<(), Error> {
        let lifeline = &self.link.lifeline;
        let queued = self.writer.queued();
        lifeline.writing.set(Writing::Sending {
            since: runtime::recently(),
            queued,
        });
        self.writer.flush().await?;
        lifeline.writing.set(Writing::Resting {
            since: runtime::recently(),
        });
        runtime::yield_if_due().await;
        Ok(())
    }

    /// Hands what was copied together to the writer.
    fn seal(&mut self) {
        if !self.small.is_empty() {
            self.writer
                .queue(Chunk::Memory(self.small.split().freeze()));
        }
    }

    fn queued(&self) -> u64 {
        self.writer.queued().0 + ByteCount::from(self.small.len()).0
    }
}

/// What stands before an answer's body.
struct Head {
    correlation_id: i32,
    flexible: bool,
}

impl Head {
    /// Returns the size of the whole frame with its length field.
    fn frame_size(&self, response: &Response) -> ByteCount {
        ByteCount(ByteCount::from(LENGTH_SIZE).0 + self.length(response))
    }

    /// Writes the frame's length and the response header.
    ///
    /// *Panics*: for a body of 2 GiB, beyond everything that bounds an answer.
    fn put(&self, response: &Response, buffer: &mut BytesMut) {
        let length = i32::try_from(self.length(response)).expect("an answer is below 2 GiB");
        buffer.put_i32(length);
        buffer.put_i32(self.correlation_id);
        if self.flexible {
            buffer.put_u8(0); // no tagged fields
        }
    }

    fn length(&self, response: &Response) -> u64 {
        4 + u64::from(self.flexible) + response.size().0
    }
}

/// Takes at most `size` bytes off the front of a chunk.
fn take_front(rest: &mut Chunk, size: u64) -> Chunk {
    let size = size.min(rest.size().0);
    match rest {
        Chunk::Memory(bytes) => Chunk::Memory(bytes.split_to(ByteCount(size).as_usize())),
        Chunk::File {
            reader,
            position,
            length,
        } => {
            let front = Chunk::File {
                reader: reader.clone(),
                position: *position,
                length: size,
            };
            *position += size;
            *length -= size;
            front
        }
    }
}
