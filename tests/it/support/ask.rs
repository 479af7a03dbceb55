//! One request in one version, and its answer read to the last byte.

use wire::Call;

use super::{Broker, Caller};

/// Asks in one version, on a connection of its own.
pub(crate) fn ask<C: Call>(broker: &Broker, version: i16, request: &C) -> C::Response {
    Caller::new(broker.address(), "asker").call(request, version)
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
