//! One connection to a broker, without the socket: frames go out, frames come in.
//!
//! ```text
//!   greet() ─► frame out        frame in ─► greeted()  ─► Again(frame out) | Ready
//!   request(message) ─► frame out, a place in the line of unanswered requests
//!   frame in ─► answered() ─► Answer ─► decode::<Request>()
//! ```
//!
//! No clock and no I/O: whoever owns the socket carries the bytes. A frame out has its length in
//! front; a frame in comes without it.
//!
//! Invariants:
//! 1. Answers come in the order of the requests (the protocol's promise; checked).
//! 2. Nothing but the greeting is sent before the broker's versions are known.

use std::collections::VecDeque;

use bytes::Bytes;
use types::ErrorCode;
use wire::api::{Api, ApiKey};
use wire::header::ResponseHeader;
use wire::messages::api_versions;
use wire::primitive::Text;
use wire::{Call, Message, frame};

use crate::error::{BrokerError, Error};
use crate::versions::Versions;

/// What this client says it is made of.
const SOFTWARE_NAME: &str = "riverrun";
const SOFTWARE_VERSION: &str = env!("CARGO_PKG_VERSION");

/// A connection without its socket.
#[derive(Debug)]
pub struct Connection {
    client_id: Option<Text>,
    versions: Option<Versions>,
    correlation_next: i32,
    unanswered: VecDeque<Unanswered>,
}

#[derive(Clone, Copy, Debug)]
struct Unanswered {
    correlation_id: i32,
    api: &'static Api,
    version: i16,
}

/// A request on its way out.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// What the answer will carry.
    pub correlation_id: i32,
    /// The version it is written in.
    pub version: i16,
    /// The pieces of one frame, its length in front.
    pub pieces: Vec<Bytes>,
}

/// What follows the answer to a greeting.
#[derive(Clone, Debug)]
pub enum Greeted {
    /// The broker does not know our newest greeting: send this one.
    Again(Outgoing),
    /// The versions are known.
    Ready,
}

/// An answer, undecoded.
#[derive(Clone, Debug)]
pub struct Answer {
    /// That of the request.
    pub correlation_id: i32,
    /// The API of the request.
    pub key: ApiKey,
    /// The version of the request.
    pub version: i16,
    /// What follows the header.
    pub body: Bytes,
}

impl Answer {
    /// Reads the body as the answer to a request of type `C`.
    ///
    /// *Errors*: [`Error::OtherApi`], [`Error::Malformed`].
    pub fn decode<C: Call>(&self) -> Result<C::Response, Error> {
        if self.key != C::KEY {
            return Err(Error::OtherApi {
                got: self.key,
                want: C::KEY,
            });
        }
        Ok(C::Response::decode(&self.body, self.version)?)
    }
}

impl Connection {
    /// Makes a connection whose client calls itself `client_id`.
    pub fn new(client_id: &str) -> Self {
        Self {
            client_id: Text::new(Bytes::copy_from_slice(client_id.as_bytes())),
            versions: None,
            correlation_next: 0,
            unanswered: VecDeque::new(),
        }
    }

    /// Returns what the broker serves, once it was greeted.
    pub fn versions(&self) -> Option<&Versions> {
        self.versions.as_ref()
    }

    /// Returns how many requests wait for their answers.
    pub fn unanswered(&self) -> usize {
        self.unanswered.len()
    }

    /// Asks the broker for its versions, in the newest form that we know.
    ///
    /// *Errors*: [`Error::Unencodable`], for a client id beyond 32,767 bytes.
    pub fn greet(&mut self) -> Result<Outgoing, Error> {
        self.greet_in(ApiKey::ApiVersions.api().served.max)
    }

    fn greet_in(&mut self, version: i16) -> Result<Outgoing, Error> {
        let request = api_versions::Request {
            client_software_name: SOFTWARE_NAME.to_owned(),
            client_software_version: SOFTWARE_VERSION.to_owned(),
        };
        self.send(&request, version, Answered::Yes)
    }

    /// Takes the answer to a greeting.
    ///
    /// *Errors*: [`Error::Refused`] if the broker serves no version of the greeting that we know;
    /// otherwise as [`Self::answered`].
    pub fn greeted(&mut self, frame: &Bytes) -> Result<Greeted, Error> {
        let answer = self.answered(frame)?;
        let unsupported = ErrorCode::UnsupportedVersion.code();
        // An answer that refuses the version is written in version 0, whatever was asked.
        let refused = answer.body.first_chunk() == Some(&unsupported.to_be_bytes());
        let version = if refused { 0 } else { answer.version };
        let response = api_versions::Response::decode(&answer.body, version)?;
        let versions = Versions::of(&response);
        if refused {
            // Brokers before KIP-511 name no versions beside the refusal.
            let next = versions.choose(ApiKey::ApiVersions, answer.version - 1);
            let next = next.unwrap_or(0);
            if next < answer.version {
                return Ok(Greeted::Again(self.greet_in(next)?));
            }
        }
        BrokerError::check(response.error_code, None)
            .map_err(|refusal| Error::refused(ApiKey::ApiVersions.to_string(), refusal))?;
        self.versions = Some(versions);
        Ok(Greeted::Ready)
    }

    /// Writes a request in the highest version that both sides know.
    ///
    /// *Errors*: [`Error::NotServed`], [`Error::Unencodable`].
    pub fn request<C: Call>(&mut self, message: &C) -> Result<Outgoing, Error> {
        self.request_at_most(message, i16::MAX)
    }

    /// Writes a request in the highest version up to `version_max` that both sides know.
    ///
    /// *Errors*: as [`Self::request`].
    pub fn request_at_most<C: Call>(
        &mut self,
        message: &C,
        version_max: i16,
    ) -> Result<Outgoing, Error> {
        let version = self.choose(C::KEY, version_max)?;
        self.send(message, version, Answered::Yes)
    }

    /// Writes a request that the broker will not answer: Produce with acks 0.
    ///
    /// *Errors*: as [`Self::request`].
    pub fn request_unanswered<C: Call>(
        &mut self,
        message: &C,
        version_max: i16,
    ) -> Result<Outgoing, Error> {
        let version = self.choose(C::KEY, version_max)?;
        self.send(message, version, Answered::No)
    }

    /// Takes a frame that came in: the answer to the oldest request.
    ///
    /// *Errors*: [`Error::UnexpectedAnswer`], [`Error::Malformed`]; the connection is of no more use
    /// then.
    pub fn answered(&mut self, frame: &Bytes) -> Result<Answer, Error> {
        let oldest = self.unanswered.pop_front();
        let Some(oldest) = oldest else {
            let got = frame.first_chunk().map_or(0, |id| i32::from_be_bytes(*id));
            return Err(Error::UnexpectedAnswer { got, want: None });
        };
        let (header, body) = ResponseHeader::parse(frame, oldest.api, oldest.version)?;
        if header.correlation_id != oldest.correlation_id {
            return Err(Error::UnexpectedAnswer {
                got: header.correlation_id,
                want: Some(oldest.correlation_id),
            });
        }
        Ok(Answer {
            correlation_id: oldest.correlation_id,
            key: oldest.api.key,
            version: oldest.version,
            body,
        })
    }

    fn choose(&self, key: ApiKey, version_max: i16) -> Result<i16, Error> {
        let versions = self.versions.as_ref(); // invariant 2
        let version = versions.and_then(|versions| versions.choose(key, version_max));
        version.ok_or(Error::NotServed { key })
    }

    fn send<C: Call>(
        &mut self,
        message: &C,
        version: i16,
        answered: Answered,
    ) -> Result<Outgoing, Error> {
        let correlation_id = self.correlation_next;
        let pieces = frame::request(message, version, correlation_id, self.client_id.as_ref())?;
        self.correlation_next = correlation_id.wrapping_add(1);
        if answered == Answered::Yes {
            self.unanswered.push_back(Unanswered {
                correlation_id,
                api: C::KEY.api(),
                version,
            });
        }
        Ok(Outgoing {
            correlation_id,
            version,
            pieces,
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Answered {
    Yes,
    No,
}

#[cfg(test)]
mod tests {
    use wire::messages::{list_offsets, metadata};

    use super::*;

    /// A frame without its length, as the socket's owner hands it over.
    fn answer<M: Message>(correlation_id: i32, message: &M, version: i16) -> Bytes {
        let header = ResponseHeader { correlation_id };
        let whole = frame::response(header, message, version).unwrap().concat();
        Bytes::from(whole).slice(frame::LENGTH_SIZE..)
    }

    fn advertising(highest: i16) -> api_versions::Response {
        let mut response = api_versions::Response::advertising(4, Vec::new());
        for api in &mut response.api_keys {
            api.max_version = api.max_version.min(highest);
        }
        response
    }

    fn ready(highest: i16) -> Connection {
        let mut connection = Connection::new("test");
        let greeting = connection.greet().unwrap();
        let frame = answer(
            greeting.correlation_id,
            &advertising(highest),
            greeting.version,
        );
        assert!(matches!(connection.greeted(&frame), Ok(Greeted::Ready)));
        connection
    }

    #[test]
    fn an_older_broker_is_greeted_again_in_its_own_version() {
        let mut connection = Connection::new("test");
        let first = connection.greet().unwrap();
        assert_eq!(first.version, 4);
        let refusal = api_versions::Response {
            error_code: 35,
            api_keys: vec![api_versions::ApiVersion {
                api_key: 18,
                min_version: 0,
                max_version: 2,
            }],
            ..Default::default()
        };
        let Ok(Greeted::Again(second)) = connection.greeted(&answer(0, &refusal, 0)) else {
            panic!("greet again")
        };
        assert_eq!((second.version, second.correlation_id), (2, 1));
        let frame = answer(1, &advertising(2), 2);
        assert!(matches!(connection.greeted(&frame), Ok(Greeted::Ready)));
    }

    #[test]
    fn a_broker_that_refuses_every_greeting_is_given_up() {
        let mut connection = Connection::new("test");
        connection.greet().unwrap();
        let refusal = api_versions::Response {
            error_code: 35,
            ..Default::default()
        };
        let again = connection.greeted(&answer(0, &refusal, 0));
        assert!(matches!(
            again,
            Ok(Greeted::Again(Outgoing { version: 0, .. }))
        ));
        let given_up = connection.greeted(&answer(1, &refusal, 0));
        assert!(matches!(given_up, Err(Error::Refused { .. })));
    }

    #[test]
    fn requests_are_written_in_the_highest_common_version() {
        let mut connection = ready(9);
        let request = metadata::Request::default();
        assert_eq!(connection.request(&request).unwrap().version, 9);
        assert_eq!(connection.request_at_most(&request, 7).unwrap().version, 7);
    }

    #[test]
    fn nothing_is_sent_before_the_versions_are_known() {
        let mut connection = Connection::new("test");
        let sent = connection.request(&metadata::Request::default());
        assert!(matches!(
            sent,
            Err(Error::NotServed {
                key: ApiKey::Metadata
            })
        ));
    }

    #[test]
    fn answers_are_taken_in_the_order_of_their_requests() {
        let mut connection = ready(i16::MAX);
        let metadata = connection.request(&metadata::Request::default()).unwrap();
        let offsets = connection
            .request(&list_offsets::Request::default())
            .unwrap();
        assert_eq!(connection.unanswered(), 2);
        let response = metadata::Response {
            controller_id: 7,
            ..Default::default()
        };
        let frame = answer(metadata.correlation_id, &response, metadata.version);
        let taken = connection.answered(&frame).unwrap();
        assert_eq!(taken.decode::<metadata::Request>().unwrap(), response);
        let other = taken.decode::<list_offsets::Request>();
        assert!(matches!(other, Err(Error::OtherApi { .. })));
        let frame = answer(99, &list_offsets::Response::default(), offsets.version);
        let (got, want) = (99, Some(offsets.correlation_id));
        assert!(matches!(
            connection.answered(&frame),
            Err(Error::UnexpectedAnswer { got: g, want: w }) if g == got && w == want
        ));
        assert!(matches!(
            connection.answered(&frame),
            Err(Error::UnexpectedAnswer {
                got: 99,
                want: None
            })
        ));
    }

    #[test]
    fn a_request_without_an_answer_holds_no_place_in_the_line() {
        let mut connection = ready(i16::MAX);
        let request = wire::messages::produce::Request::default();
        connection.request_unanswered(&request, 12).unwrap();
        assert_eq!(connection.unanswered(), 0);
    }
}
