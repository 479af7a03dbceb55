//! The machine: what it was told at start, and the image it decides on.

use types::TimestampMs;

use crate::apply::ApplyError;
use crate::decide::{self, Context};
use crate::error::DecideError;
use crate::image::Image;
use crate::record::Record;
use crate::request::{Decision, Request};
use crate::schema::ConfigSchema;
use crate::settings::Settings;

/// The controller: an image, and the rules of how it may change.
pub struct Controller {
    settings: Settings,
    schema: Box<dyn ConfigSchema>,
    image: Image,
}

impl Controller {
    /// Makes a controller on an image, which replay may still be changing.
    pub fn new(settings: Settings, schema: Box<dyn ConfigSchema>, image: Image) -> Self {
        Self {
            settings,
            schema,
            image,
        }
    }

    /// Returns the image as of the last record applied.
    pub fn image(&self) -> &Image {
        &self.image
    }

    /// Judges a request against the present image. Changes nothing.
    ///
    /// The caller makes the records durable, applies them, answers, and only then decides again.
    /// *Errors*: the request as a whole is refused, there is nothing to write. Refusals of single
    /// items are in the reply.
    pub fn decide(&self, now: TimestampMs, request: &Request) -> Result<Decision, DecideError> {
        let context = Context {
            now,
            image: &self.image,
            settings: &self.settings,
            schema: self.schema.as_ref(),
        };
        if self.image.level() == 0 && !matches!(request, Request::RegisterBroker(_)) {
            return Err(DecideError::NoBroker);
        }
        match request {
            Request::CreateTopics { topics, mode } => {
                decide::topics::create(&context, topics, *mode)
            }
            Request::DeleteTopics(topics) => Ok(decide::topics::delete(&context, topics)),
            Request::CreatePartitions { topics, mode } => {
                decide::partitions::create(&context, topics, *mode)
            }
            Request::AlterConfigs { resources, mode } => {
                Ok(decide::configs::alter(&context, resources, *mode))
            }
            Request::AlterQuotas { alterations, mode } => {
                Ok(decide::quotas::alter(&context, alterations, *mode))
            }
            Request::AllocateProducerIds(node) => decide::producer_ids::allocate(&context, *node),
            Request::RegisterBroker(registration) => {
                decide::brokers::register(&context, registration)
            }
        }
    }

    /// Changes the image as a durable record says.
    ///
    /// *Errors*: the record does not follow from the image; the image has not changed, and the node
    /// cannot go on with this log.
    pub fn apply(&mut self, record: &Record) -> Result<(), ApplyError> {
        self.image.apply(record)
    }
}
