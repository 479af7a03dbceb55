//! A decision being made: items of one request are judged one after another, each against the image
//! as the earlier ones will leave it.

use std::borrow::Cow;
use std::collections::BTreeSet;

use types::TimestampMs;

use crate::image::Image;
use crate::record::Record;
use crate::request::{Decision, Mode, Reply};
use crate::schema::ConfigSchema;
use crate::settings::Settings;

/// All that a rule may look at.
pub(crate) struct Context<'a> {
    pub(crate) now: TimestampMs,
    pub(crate) image: &'a Image,
    pub(crate) settings: &'a Settings,
    pub(crate) schema: &'a dyn ConfigSchema,
}

/// The records decided so far, and the image that they lead to.
pub(crate) struct Draft<'a> {
    image: Cow<'a, Image>,
    records: Vec<Record>,
    /// How many records the image above has seen: it is copied only when a second item looks.
    applied: usize,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(context: &Context<'a>) -> Self {
        Self {
            image: Cow::Borrowed(context.image),
            records: Vec::new(),
            applied: 0,
        }
    }

    /// Returns the image as all records so far leave it.
    pub(crate) fn image(&mut self) -> &Image {
        for record in &self.records[self.applied..] {
            let applied = self.image.to_mut().apply(record);
            applied.expect("the record was checked when it was pushed");
        }
        self.applied = self.records.len();
        &self.image
    }

    /// Adds a record.
    ///
    /// *Panics*: if the record does not follow from the image: it must not reach the log, where it
    /// would stop every later start (invariant 4 of the crate).
    pub(crate) fn push(&mut self, record: Record) {
        let checked = self.image().check(&record);
        checked.expect("a decided record follows from its image");
        self.records.push(record);
    }

    pub(crate) fn finish(self, mode: Mode, reply: Reply) -> Decision {
        let records = match mode {
            Mode::Commit => self.records,
            Mode::ValidateOnly => Vec::new(),
        };
        Decision { records, reply }
    }
}

/// Returns the items that occur more than once.
pub(crate) fn duplicates<T: Ord>(items: impl Iterator<Item = T>) -> BTreeSet<T> {
    let mut once = BTreeSet::new();
    let mut more = BTreeSet::new();
    for item in items {
        if let Some(item) = once.replace(item) {
            more.insert(item);
        }
    }
    more
}
