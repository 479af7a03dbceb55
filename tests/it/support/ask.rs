//! One request in one version, and its answer read to the last byte.

use bytes::Bytes;
use wire::header::ResponseHeader;
use wire::{Call, Message};

use super::Broker;
use super::raw::Raw;

/// Asks in one version.
pub(crate) fn ask<C: Call>(broker: &Broker, version: i16, request: &C) -> C::Response {
    let api = C::KEY.api();
    let mut client = Raw::connect(broker.address());
    let parts = wire::frame::request(request, version, 77, None).unwrap();
    client.send(&parts.concat());
    let frame = client.frame();
    let frame = Bytes::from(frame.unwrap_or_else(|| panic!("{} {version}: closed", api.name)));
    let (header, body) = ResponseHeader::parse(&frame, api, version).unwrap();
    assert_eq!(header.correlation_id, 77);
    let answer = C::Response::decode(&body, version);
    answer.unwrap_or_else(|error| panic!("{} {version}: {error}", api.name))
}

/// Asks in every served version.
pub(crate) fn ask_each<C: Call>(
    broker: &Broker,
    request: impl Fn(i16) -> C,
) -> Vec<(i16, C::Response)> {
    let served = C::KEY.api().served;
    (served.min..=served.max)
        .map(|version| (version, ask(broker, version, &request(version))))
        .collect()
}

/// Asks in the newest version.
pub(crate) fn ask_newest<C: Call>(broker: &Broker, request: &C) -> C::Response {
    ask(broker, C::KEY.api().served.max, request)
}
