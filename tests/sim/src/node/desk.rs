//! What the clients of one life share: where the broker is, what they saw, when to finish.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;

use types::ErrorCode;

use super::group::Group;
use crate::history::{
    CommitNumber, Delivery, Event, GroupEvent, GroupNumber, History, LogName, Mark, StreamId,
};

/// What clients are to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Go on.
    Work,
    /// Bring to an end what was begun, begin nothing.
    Finish,
}

/// Shared by the clients and by the one who drives the life.
#[derive(Debug)]
pub(super) struct Desk {
    /// Where the broker listens.
    pub(super) address: SocketAddr,
    history: RefCell<History>,
    phase: Cell<Phase>,
    streams: Cell<u32>,
    groups: RefCell<Vec<Rc<Group>>>,
    commits: Cell<u32>,
    busy: Cell<u32>,
}

impl Desk {
    pub(super) fn new(address: SocketAddr) -> Self {
        Self {
            address,
            history: RefCell::default(),
            phase: Cell::new(Phase::Work),
            streams: Cell::new(0),
            groups: RefCell::default(),
            commits: Cell::new(0),
            busy: Cell::new(0),
        }
    }

    /// Puts an event into the history.
    pub(super) fn note(&self, event: Event) {
        self.history.borrow_mut().push(event);
    }

    /// Puts something that no fault explains into the history.
    pub(super) fn unexpected(&self, what: impl Into<String>) {
        self.note(Event::Unexpected(what.into()));
    }

    /// Returns now, for what is asked now.
    pub(super) fn mark(&self) -> Mark {
        self.history.borrow().mark()
    }

    /// Opens a stream.
    pub(super) fn open_stream(&self, log: LogName, delivery: Delivery) -> StreamId {
        let stream = StreamId(self.streams.get());
        self.streams.set(stream.0 + 1);
        self.note(Event::StreamOpened {
            stream,
            log,
            delivery,
        });
        stream
    }

    /// Opens a group, which `make` makes of its number.
    pub(super) fn open_group(&self, make: impl FnOnce(GroupNumber) -> Group) -> Rc<Group> {
        let mut groups = self.groups.borrow_mut();
        let number = u32::try_from(groups.len()).expect("a life has few groups");
        let group = Rc::new(make(GroupNumber(number)));
        groups.push(Rc::clone(&group));
        let topic = group.topic.id;
        self.note(Event::Group(group.number, GroupEvent::Opened { topic }));
        group
    }

    /// Returns all groups that were opened.
    pub(super) fn groups(&self) -> Vec<Rc<Group>> {
        self.groups.borrow().clone()
    }

    /// Numbers a commit.
    pub(super) fn next_commit(&self) -> CommitNumber {
        CommitNumber(self.commits.replace(self.commits.get() + 1))
    }

    pub(super) fn is_finishing(&self) -> bool {
        self.phase.get() == Phase::Finish
    }

    pub(super) fn finish(&self) {
        self.phase.set(Phase::Finish);
    }

    /// Counts somebody whose end is to be waited for.
    pub(super) fn begin(&self) {
        self.busy.set(self.busy.get() + 1);
    }

    pub(super) fn end(&self) {
        self.busy.set(self.busy.get() - 1);
    }

    pub(super) fn is_idle(&self) -> bool {
        self.busy.get() == 0
    }

    /// Takes the history away.
    pub(super) fn take_history(&self) -> History {
        self.history.take()
    }
}

/// Returns an error code by its name.
pub(super) fn name(code: i16) -> String {
    match ErrorCode::from_wire(code) {
        Some(code) => code.name().to_owned(),
        None => format!("error code {code}"),
    }
}

/// Returns whether a code says that the same request may succeed later, and accuses neither the
/// request nor the data.
pub(super) fn is_passing(code: i16) -> bool {
    let code = ErrorCode::from_wire(code);
    let accuses = matches!(
        code,
        Some(
            ErrorCode::UnknownTopicOrPartition
                | ErrorCode::UnknownTopicId
                | ErrorCode::CorruptMessage
        )
    );
    !accuses && code.is_some_and(ErrorCode::is_retriable)
}
