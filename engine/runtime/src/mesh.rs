//! Bounded request and response between the shards of a node.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use types::ShardId;

/// The shard that was asked is gone, or dropped the request without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the shard asked is gone")]
pub struct PeerGone;

arms! { pub(crate) MeshArm<Q, R> of Mesh }

/// One shard's end of the mesh: calls out, and takes what others call.
///
/// 1. Requests of one shard to one other arrive in the order they were put.
/// 2. A shard that does not take its requests stops those who call it, and nobody else.
/// 3. A call to one's own shard works like any other.
///
/// *Cost*: a clone shares the end.
pub struct Mesh<Q: Send + 'static, R: Send + 'static>(pub(crate) MeshArm<Q, R>);

impl<Q: Send + 'static, R: Send + 'static> Mesh<Q, R> {
    /// Returns the shard this end belongs to.
    pub fn id(&self) -> ShardId {
        on_arm!(&self.0, MeshArm, mesh => mesh.id())
    }

    /// Returns how many shards the node has.
    pub fn shards(&self) -> u16 {
        on_arm!(&self.0, MeshArm, mesh => mesh.shards())
    }

    /// Returns whether a shard has time for more work.
    ///
    /// *Panics*: if there is no such shard.
    pub fn has_time(&self, to: ShardId) -> bool {
        assert!(to.0 < self.shards(), "there is no shard {to}");
        on_arm!(&self.0, MeshArm, mesh => mesh.has_time(to))
    }

    /// Returns whether a shard has time for the work of one more connection; that one is counted.
    ///
    /// *Panics*: if there is no such shard.
    pub fn admits(&self, to: ShardId) -> bool {
        assert!(to.0 < self.shards(), "there is no shard {to}");
        on_arm!(&self.0, MeshArm, mesh => mesh.admits(to))
    }

    /// Puts a request into a shard's queue, waiting while that is full, and returns its reply to
    /// come. When this returns, the request's place in the order is fixed.
    ///
    /// *Panics*: if there is no such shard.
    pub async fn call(&self, to: ShardId, request: Q) -> Reply<R> {
        assert!(to.0 < self.shards(), "there is no shard {to}");
        Reply(on_arm!(&self.0, MeshArm as ReplyArm, mesh => mesh.call(to, request).await))
    }

    /// Waits for the next request; `None` when this end is closed and all that arrived is taken.
    ///
    /// Exactly one task of a shard takes requests.
    pub async fn incoming(&self) -> Option<(ShardId, Q, Responder<R>)> {
        on_arm!(&self.0, MeshArm, mesh => {
            let (from, request, responder) = mesh.incoming().await?;
            Some((from, request, Responder(responder.into())))
        })
    }

    /// Stops taking requests: later calls to this shard answer [`PeerGone`].
    pub fn close(&self) {
        on_arm!(&self.0, MeshArm, mesh => mesh.close());
    }
}

impl<Q: Send + 'static, R: Send + 'static> Clone for Mesh<Q, R> {
    fn clone(&self) -> Self {
        Self(on_arm!(&self.0, MeshArm as MeshArm, mesh => mesh.clone()))
    }
}

impl<Q: Send + 'static, R: Send + 'static> fmt::Debug for Mesh<Q, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mesh({} of {})", self.id(), self.shards())
    }
}

arms! { ReplyArm<R> of Reply }

/// The answer to a call, when it comes.
///
/// Dropping it does not take the request back.
#[must_use = "a reply resolves only when it is awaited"]
pub struct Reply<R: Send + 'static>(ReplyArm<R>);

impl<R: Send + 'static> Future for Reply<R> {
    type Output = Result<R, PeerGone>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        on_arm!(&mut self.0, ReplyArm, reply => Pin::new(reply).poll(context))
    }
}

arms! { ResponderArm<R> of Responder }

/// Where the answer to one request goes: at any later time, from any task of the shard asked.
///
/// Dropping it unanswered tells the caller [`PeerGone`].
#[must_use = "dropping a responder answers that the peer is gone"]
pub struct Responder<R: Send + 'static>(ResponderArm<R>);

impl<R: Send + 'static> Responder<R> {
    /// Answers the request; a caller that has gone is no error.
    pub fn respond(self, response: R) {
        on_arm!(self.0, ResponderArm, responder => responder.respond(response));
    }
}

#[cfg(feature = "uring")]
impl<R> From<crate::uring::Responder<R>> for ResponderArm<R> {
    fn from(responder: crate::uring::Responder<R>) -> Self {
        Self::Uring(responder)
    }
}

#[cfg(feature = "sim")]
impl<R> From<crate::sim::Responder<R>> for ResponderArm<R> {
    fn from(responder: crate::sim::Responder<R>) -> Self {
        Self::Sim(responder)
    }
}
