//! A member's connection: one request of the group on its way.

use wire::Call;
use wire::api::ApiKey;
use wire::messages::{heartbeat, join_group, leave_group, sync_group};

use crate::connection::{Connection, Outgoing};
use crate::error::Error;

use super::group::{Answer, Request};

/// One member's connection.
#[derive(Debug)]
pub(crate) struct Caller {
    /// The connection.
    pub(crate) connection: Connection,
    /// What the request on its way is, if there is one.
    asked: Option<ApiKey>,
    correlation_id: i32,
}

impl Caller {
    /// Begins with a connection on which nothing is on its way.
    pub(crate) fn new(connection: Connection) -> Self {
        Self {
            connection,
            asked: None,
            correlation_id: 0,
        }
    }

    /// Sends a request; the one before was answered.
    pub(crate) fn send(&mut self, request: &Request) -> Result<(), Error> {
        match request {
            Request::Join(request) => self.ask(request),
            Request::Sync(request) => self.ask(request),
            Request::Heartbeat(request) => self.ask(request),
            Request::Leave(request) => self.ask(request),
        }
    }

    /// Reads the answer, and waits for the rest of it.
    ///
    /// *Errors*: [`Error::Disconnected`] if nothing was asked: then all that can come is the end.
    pub(crate) fn take(&mut self) -> Result<Answer, Error> {
        match self.asked.take() {
            Some(ApiKey::JoinGroup) => self.answer::<join_group::Request>().map(Answer::Join),
            Some(ApiKey::SyncGroup) => self.answer::<sync_group::Request>().map(Answer::Sync),
            Some(ApiKey::LeaveGroup) => self.answer::<leave_group::Request>().map(Answer::Leave),
            Some(_) => self.answer::<heartbeat::Request>().map(Answer::Heartbeat),
            None => Err(Error::Disconnected),
        }
    }

    fn ask<C: Call>(&mut self, request: &C) -> Result<(), Error> {
        self.asked = Some(C::KEY);
        self.correlation_id = self.correlation_id.wrapping_add(1);
        let version = self.connection.version(C::KEY)?;
        let mut outgoing = Outgoing::of(request, version)?;
        outgoing.send(&mut self.connection.outgoing, self.correlation_id)
    }

    fn answer<C: Call>(&mut self) -> Result<C::Response, Error> {
        let version = self.connection.version(C::KEY)?;
        let incoming = &mut self.connection.incoming;
        incoming.answer::<C, _>(version, self.correlation_id, Ok)
    }
}
