//! Registering brokers.

use types::limits::{BROKER_ENDPOINTS_MAX, BROKERS_MAX};

use crate::decide::draft::{Context, Draft};
use crate::error::DecideError;
use crate::image::{BrokerEpoch, LEVEL_NEWEST};
use crate::record::{BrokerRegistered, Record};
use crate::request::{Decision, Mode, Registration, Reply};

/// Registers a broker under the next epoch. The first one ever also raises the metadata level.
pub(crate) fn register(
    context: &Context<'_>,
    registration: &Registration,
) -> Result<Decision, DecideError> {
    let image = context.image;
    let node = registration.node;
    if registration.endpoints.len() > BROKER_ENDPOINTS_MAX {
        let max = BROKER_ENDPOINTS_MAX;
        return Err(DecideError::RegistrationTooLarge { max });
    }
    if image.broker(node).is_none() && image.brokers().count() >= BROKERS_MAX {
        let max = BROKERS_MAX;
        return Err(DecideError::RegistrationTooLarge { max });
    }
    let mut draft = Draft::new(context);
    if image.level() == 0 {
        let level = LEVEL_NEWEST;
        draft.push(Record::LevelRaised { level });
    }
    let epoch = BrokerEpoch(image.next_broker_epoch);
    draft.push(Record::BrokerRegistered(BrokerRegistered {
        node,
        epoch,
        registered_at: context.now,
        rack: registration.rack.clone(),
        endpoints: registration.endpoints.clone(),
    }));
    Ok(draft.finish(Mode::Commit, Reply::RegisterBroker(epoch)))
}
