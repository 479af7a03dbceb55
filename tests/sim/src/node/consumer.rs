//! A consumer: reads some partitions of one topic along, and at times goes back to read again.

use std::rc::Rc;

use types::ErrorCode;
use wire::messages::{fetch, list_offsets};

use super::desk::{Desk, is_passing, name};
use super::link::{DATA_VERSIONS_MAX, Link, Lost, pause};
use super::tenant::Topic;
use super::told;
use crate::chance::Chance;
use crate::history::{Event, Mark};

/// How often in a hundred fetches a consumer goes back.
const SEEK_PERCENT: u64 = 4;

/// A partition and where to read on.
#[derive(Clone, Copy, Debug)]
struct Place {
    partition: i32,
    next: i64,
    log_start: i64,
    is_lost: bool,
}

/// A consumer.
pub(super) struct Consumer {
    desk: Rc<Desk>,
    topic: Rc<Topic>,
    chance: Chance,
    places: Vec<Place>,
    wait_max_ms: i32,
    partition_max_bytes: i32,
    gave_up: bool,
}

impl Consumer {
    pub(super) fn new(desk: &Rc<Desk>, topic: &Rc<Topic>, mut chance: Chance) -> Self {
        let mut places = Vec::new();
        for partition in 0..topic.partitions_first {
            if places.is_empty() || chance.percent(60) {
                places.push(Place {
                    partition,
                    next: 0,
                    log_start: 0,
                    is_lost: false,
                });
            }
        }
        Self {
            desk: Rc::clone(desk),
            topic: Rc::clone(topic),
            places,
            wait_max_ms: chance.pick(&[5, 50, 400]),
            partition_max_bytes: chance.pick(&[1, 3_000, 50_000, 1_000_000]),
            gave_up: false,
            chance,
        }
    }

    /// Reads until the life ends or the topic goes.
    pub(super) async fn run(mut self) {
        while !self.is_done() {
            let version_max = self.chance.pick(DATA_VERSIONS_MAX);
            let Ok(mut link) = Link::dial(&self.desk, version_max).await else {
                pause(&mut self.chance, 2, 50).await;
                continue;
            };
            // A connection that is lost is replaced by the next turn.
            let _lost = self.serve(&mut link).await.err();
        }
    }

    fn is_done(&self) -> bool {
        self.gave_up || self.desk.is_finishing() || self.topic.is_doomed()
    }

    async fn serve(&mut self, link: &mut Link) -> Result<(), Lost> {
        while !self.is_done() {
            self.find_starts(link).await?;
            let asked = self.desk.mark();
            let request = self.request();
            let response = link.call(&self.desk, &request).await?;
            if response.error_code != 0 {
                self.unexpected("a fetch", response.error_code);
                continue;
            }
            let answers = response
                .responses
                .into_iter()
                .flat_map(|topic| topic.partitions);
            let mut is_calm = true;
            for answer in answers {
                is_calm &= self.take(asked, &answer);
            }
            if !is_calm {
                pause(&mut self.chance, 5, 50).await;
            }
            self.seek();
        }
        Ok(())
    }

    fn request(&mut self) -> fetch::Request {
        // Which partition comes first decides who gets its share.
        let turn = self.chance.index(self.places.len());
        self.places.rotate_left(turn);
        let asked = |place: &Place| fetch::Partition {
            partition: place.partition,
            fetch_offset: place.next,
            partition_max_bytes: self.partition_max_bytes,
            ..fetch::Partition::default()
        };
        let partitions = self.places.iter().map(asked).collect();
        fetch::Request {
            max_wait_ms: self.wait_max_ms,
            min_bytes: 1,
            max_bytes: 2_000_000,
            topics: vec![fetch::Topic {
                topic: self.topic.name.clone(),
                topic_id: self.topic.id,
                partitions,
            }],
            ..fetch::Request::default()
        }
    }

    /// Takes what was told of one partition; returns whether nothing was wrong.
    fn take(&mut self, asked: Mark, answer: &fetch::PartitionResponse) -> bool {
        let known = self
            .places
            .iter()
            .position(|it| it.partition == answer.partition_index);
        let Some(index) = known else {
            let partition = answer.partition_index;
            self.desk
                .unexpected(format!("partition {partition} was not asked for"));
            return false;
        };
        if answer.error_code != 0 {
            self.take_error(index, answer.error_code);
            return false;
        }
        let log = self.topic.log(answer.partition_index);
        let records = match told::records(answer) {
            Ok(records) => records,
            Err(what) => {
                self.desk.unexpected(format!("{log} returned {what}"));
                self.gave_up = true;
                return false;
            }
        };
        let place = &mut self.places[index];
        let from = place.next;
        place.log_start = answer.log_start_offset;
        place.next = records.last().map_or(from, |last| last.offset + 1);
        self.desk.note(Event::Read {
            log,
            asked,
            from,
            log_start: answer.log_start_offset,
            high_watermark: answer.high_watermark,
            records,
        });
        true
    }

    fn take_error(&mut self, index: usize, code: i16) {
        let Place {
            partition, next, ..
        } = self.places[index];
        let out_of_range = code == ErrorCode::OffsetOutOfRange.code();
        if out_of_range && next < self.topic.deleted_below(partition) {
            self.places[index].is_lost = true;
        } else if !is_passing(code) && !self.topic.is_doomed() {
            self.unexpected(
                &format!("a fetch of partition {partition} from {next}"),
                code,
            );
        }
    }

    /// Looks where the logs start whose records were deleted under this reader.
    async fn find_starts(&mut self, link: &mut Link) -> Result<(), Lost> {
        for index in 0..self.places.len() {
            if !self.places[index].is_lost {
                continue;
            }
            let asked = list_offsets::Partition {
                partition_index: self.places[index].partition,
                timestamp: list_offsets::EARLIEST,
                ..list_offsets::Partition::default()
            };
            let request = list_offsets::Request {
                replica_id: -1,
                topics: vec![list_offsets::Topic {
                    name: self.topic.name.clone(),
                    partitions: vec![asked],
                }],
                ..list_offsets::Request::default()
            };
            let response = link.call(&self.desk, &request).await?;
            let mut answers = response
                .topics
                .into_iter()
                .flat_map(|topic| topic.partitions);
            match answers.next() {
                Some(answer) if answer.error_code == 0 => {
                    self.places[index].next = answer.offset;
                    self.places[index].is_lost = false;
                }
                Some(answer) if is_passing(answer.error_code) || self.topic.is_doomed() => {
                    pause(&mut self.chance, 5, 50).await;
                }
                answer => {
                    self.unexpected("ListOffsets", answer.map_or(0, |answer| answer.error_code));
                }
            }
        }
        Ok(())
    }

    fn seek(&mut self) {
        if self.chance.percent(SEEK_PERCENT) {
            let index = self.chance.index(self.places.len());
            let place = &mut self.places[index];
            let (start, next) = (place.log_start.max(0), place.next.max(0));
            let to = self
                .chance
                .between(start.min(next).cast_unsigned(), next.cast_unsigned());
            place.next = to.cast_signed();
        }
    }

    fn unexpected(&mut self, what: &str, code: i16) {
        let topic = &self.topic.name;
        self.desk
            .unexpected(format!("{what} of {topic}: {}", name(code)));
        self.gave_up = true;
    }
}
