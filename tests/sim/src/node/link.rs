//! One client's connection to the broker: the protocol of `client`, the bytes by simulated TCP.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use client::connection::{Answer, Connection, Greeted, Outgoing};
use client::group::{Order, OrderRequest};
use runtime::{Chunk, ChunkWriter, ConnectionLimits, Elapsed, FrameReader};
use types::limits::FRAME_SIZE_MAX;
use wire::Call;

use super::desk::Desk;
use crate::chance::Chance;

/// How long a client waits for an answer before it gives up the connection.
const PATIENCE: Duration = Duration::from_secs(8);

/// Why a connection is of no more use; what was asked may or may not have been done.
#[derive(Debug, thiserror::Error)]
pub(super) enum Lost {
    #[error("the connection broke")]
    Broken(#[from] io::Error),
    #[error("no answer in time")]
    Silent(#[from] Elapsed),
    #[error("an answer that makes no sense: {0}")]
    Nonsense(#[from] client::Error),
}

/// Versions that clients of the data plane restrict themselves to: topics by id, by name, and the
/// last ones without tagged fields.
pub(super) const DATA_VERSIONS_MAX: &[i16] = &[i16::MAX, i16::MAX, 12, 8];

/// Versions that admins restrict themselves to; from 10 on Metadata tells topic ids.
pub(super) const ADMIN_VERSIONS_MAX: &[i16] = &[i16::MAX, i16::MAX, 11, 10];

/// Versions that simple committers restrict themselves to; from 10 on topics are named by id.
pub(super) const COMMIT_VERSIONS_MAX: &[i16] = &[9, 8, 7, 5, 2];

/// A connection that was greeted.
pub(super) struct Link {
    protocol: Connection,
    reader: FrameReader,
    writer: ChunkWriter,
    /// No request is written in a newer version than this.
    version_max: i16,
}

impl Link {
    /// Dials the broker and greets it; requests are written in versions up to `version_max`.
    ///
    /// Nonsense goes into the history.
    pub(super) async fn dial(desk: &Desk, version_max: i16) -> Result<Self, Lost> {
        let dialled = Self::dial_and_greet(desk, version_max).await;
        dialled.inspect_err(|lost| tell(desk, lost))
    }

    /// Dials until the broker is there.
    pub(super) async fn dial_patiently(desk: &Desk, chance: &mut Chance, version_max: i16) -> Self {
        loop {
            if let Ok(link) = Self::dial(desk, version_max).await {
                return link;
            }
            pause(chance, 5, 40).await;
        }
    }

    async fn dial_and_greet(desk: &Desk, version_max: i16) -> Result<Self, Lost> {
        let limits = ConnectionLimits::default();
        let connection = runtime::timeout(PATIENCE, runtime::connect(desk.address, limits));
        let (reader, writer) = connection.await??.split();
        let mut protocol = Connection::new("sim");
        let greeting = protocol.greet()?;
        let mut link = Self {
            protocol,
            reader,
            writer,
            version_max,
        };
        link.write(greeting).await?;
        loop {
            let frame = link.read().await?;
            match link.protocol.greeted(&frame)? {
                Greeted::Again(greeting) => link.write(greeting).await?,
                Greeted::Ready => return Ok(link),
            }
        }
    }

    /// Returns the version that no request is newer than.
    pub(super) fn version_max(&self) -> i16 {
        self.version_max
    }

    /// Asks and waits for the answer.
    pub(super) async fn call<C: Call>(
        &mut self,
        desk: &Desk,
        request: &C,
    ) -> Result<C::Response, Lost> {
        self.call_at_most(desk, request, i16::MAX).await
    }

    /// Asks in a version up to `version_max`, and waits for the answer.
    pub(super) async fn call_at_most<C: Call>(
        &mut self,
        desk: &Desk,
        request: &C,
        version_max: i16,
    ) -> Result<C::Response, Lost> {
        self.send_at_most(desk, request, version_max).await?;
        self.receive::<C>(desk).await
    }

    /// Carries a group member's order, and waits for the answer.
    pub(super) async fn carry(&mut self, desk: &Desk, order: &Order) -> Result<Answer, Lost> {
        let version_max = self.version_max.min(order.version_max);
        let carried = async {
            let outgoing = match &order.request {
                OrderRequest::Coordinator(it) => self.protocol.request_at_most(it, version_max),
                OrderRequest::Join(it) => self.protocol.request_at_most(it, version_max),
                OrderRequest::Sync(it) => self.protocol.request_at_most(it, version_max),
                OrderRequest::Offsets(it) => self.protocol.request_at_most(it, version_max),
                OrderRequest::Commit(it) => self.protocol.request_at_most(it, version_max),
                OrderRequest::Heartbeat(it) => self.protocol.request_at_most(it, version_max),
                OrderRequest::Leave(it) => self.protocol.request_at_most(it, version_max),
            };
            self.write(outgoing?).await?;
            let frame = self.read().await?;
            Ok(self.protocol.answered(&frame)?)
        };
        carried.await.inspect_err(|lost| tell(desk, lost))
    }

    /// Asks without waiting.
    pub(super) async fn send<C: Call>(&mut self, desk: &Desk, request: &C) -> Result<(), Lost> {
        self.send_at_most(desk, request, i16::MAX).await
    }

    async fn send_at_most<C: Call>(
        &mut self,
        desk: &Desk,
        request: &C,
        version_max: i16,
    ) -> Result<(), Lost> {
        let version_max = self.version_max.min(version_max);
        let sent = async {
            let outgoing = self.protocol.request_at_most(request, version_max)?;
            self.write(outgoing).await
        };
        sent.await.inspect_err(|lost| tell(desk, lost))
    }

    /// Asks for something that is not answered.
    pub(super) async fn send_unanswered<C: Call>(
        &mut self,
        desk: &Desk,
        request: &C,
    ) -> Result<(), Lost> {
        let sent = async {
            let outgoing = self
                .protocol
                .request_unanswered(request, self.version_max)?;
            self.write(outgoing).await
        };
        sent.await.inspect_err(|lost| tell(desk, lost))
    }

    /// Waits for the answer to the oldest question.
    pub(super) async fn receive<C: Call>(&mut self, desk: &Desk) -> Result<C::Response, Lost> {
        let received = async {
            let frame = self.read().await?;
            Ok(self.protocol.answered(&frame)?.decode::<C>()?)
        };
        received.await.inspect_err(|lost| tell(desk, lost))
    }

    async fn write(&mut self, outgoing: Outgoing) -> Result<(), Lost> {
        for piece in outgoing.pieces {
            self.writer.queue(Chunk::Memory(piece));
        }
        Ok(runtime::timeout(PATIENCE, self.writer.flush()).await??)
    }

    async fn read(&mut self) -> Result<Bytes, Lost> {
        let frame = runtime::timeout(PATIENCE, self.reader.frame(FRAME_SIZE_MAX)).await??;
        let ended = || io::Error::from(io::ErrorKind::UnexpectedEof);
        Ok(frame.ok_or_else(ended)?)
    }
}

/// Notes what no fault explains: whatever happens to a connection, what arrives makes sense.
fn tell(desk: &Desk, lost: &Lost) {
    match lost {
        Lost::Nonsense(_) => desk.unexpected(lost.to_string()),
        Lost::Broken(error) if error.kind() == io::ErrorKind::InvalidData => {
            desk.unexpected(format!("a frame that cannot be one: {error}"));
        }
        Lost::Broken(_) | Lost::Silent(_) => {}
    }
}

/// Does nothing for a while, drawn in milliseconds.
pub(super) async fn pause(chance: &mut Chance, least_ms: u64, most_ms: u64) {
    runtime::sleep(Duration::from_micros(
        chance.between(least_ms * 1000, most_ms * 1000),
    ))
    .await;
}
