//! One thread's share of a run's groups: their connections, and the loop that serves them.

use std::collections::VecDeque;
use std::time::Duration;

use types::Monotonic;

use crate::batches;
use crate::clock;
use crate::connection::Connection;
use crate::error::Error;
use crate::threads;

use super::caller::Caller;
use super::group::{Group, Request, Turn};
use super::phase::Formed;
use super::poller::Poller;

/// How long groups may take to become stable, or empty.
const DONE_WAIT: Duration = Duration::from_mins(2);

/// Some groups and the connections of their members.
#[derive(Debug)]
pub(crate) struct Crowd {
    /// Tells of connections by their places.
    pub(crate) poller: Poller,
    /// The groups, the `n`-th of them in `groups[n]`.
    pub(crate) circles: Vec<Circle>,
    /// The circle and the member of every connection, as the poller counts them.
    places: Vec<Place>,
    /// What the poller told last.
    ready: Vec<usize>,
    /// Requests that wait for their time. All wait equally long, so the first is due first.
    later: VecDeque<(Monotonic, Place, Request)>,
}

/// A group and its members' connections.
#[derive(Debug)]
pub(crate) struct Circle {
    /// What its members ask.
    pub(crate) group: Group,
    /// How they ask it, in the order of the members.
    pub(crate) callers: Vec<Caller>,
}

/// Whose a connection is.
#[derive(Clone, Copy, Debug)]
struct Place {
    circle: usize,
    member: usize,
}

impl Crowd {
    /// Deals groups out to one crowd for each core, and opens a connection for every member.
    pub(crate) fn gather(broker: &str, names: &[String], size: usize) -> Result<Vec<Self>, Error> {
        let count = threads::cores().min(names.len());
        let mut crowds = Vec::new();
        for first in 0..count {
            let mut crowd = Self {
                poller: Poller::new()?,
                circles: Vec::new(),
                places: Vec::new(),
                ready: Vec::new(),
                later: VecDeque::new(),
            };
            for name in names.iter().skip(first).step_by(count) {
                crowd.circles.push(Circle {
                    group: Group::new(name.clone(), size),
                    callers: Vec::new(),
                });
                for connection in batches::connect(broker, size)? {
                    crowd.admit(crowd.circles.len() - 1, connection)?;
                }
            }
            crowds.push(crowd);
        }
        Ok(crowds)
    }

    /// Gives a group the connection of its next member.
    pub(crate) fn admit(&mut self, circle: usize, connection: Connection) -> Result<(), Error> {
        let callers = &mut self.circle(circle).callers;
        let member = callers.len();
        let outgoing = connection.outgoing.clone();
        callers.push(Caller::new(connection));
        self.poller.add(&outgoing, self.places.len())?;
        self.places.push(Place { circle, member });
        Ok(())
    }

    /// Lets every member join, and waits until every group is stable; latencies count from `due`.
    ///
    /// *Errors*: [`Error::Unsettled`] after two minutes.
    pub(crate) fn join(&mut self, due: Monotonic) -> Result<Formed, Error> {
        let mut formed = Formed::new(due);
        for circle in 0..self.circles.len() {
            let turns = self.circle(circle).group.join();
            self.send(circle, turns, &mut formed)?;
        }
        self.settle(due, &mut formed)?;
        Ok(formed)
    }

    /// Lets one more member of the first group join, whose connection was admitted, and waits until
    /// the group is stable again.
    ///
    /// *Errors*: [`Error::Unsettled`] after two minutes.
    pub(crate) fn join_one_more(&mut self, due: Monotonic) -> Result<Formed, Error> {
        let mut formed = Formed::new(due);
        let turns = self.circle(0).group.join_one_more();
        self.send(0, turns, &mut formed)?;
        self.settle(due, &mut formed)?;
        Ok(formed)
    }

    /// Lets every member leave.
    ///
    /// *Errors*: [`Error::Unsettled`] after two minutes.
    pub(crate) fn leave(&mut self) -> Result<(), Error> {
        let now = clock::now();
        let mut ignored = Formed::new(now);
        for circle in 0..self.circles.len() {
            let turns = self.circle(circle).group.leave();
            self.send(circle, turns, &mut ignored)?;
        }
        let deadline = now.after(DONE_WAIT);
        while let left @ 1.. = self.count(|group| !group.is_empty()) {
            self.take(deadline, left, &mut ignored, |_, _, _| ())?;
        }
        Ok(())
    }

    fn settle(&mut self, due: Monotonic, formed: &mut Formed) -> Result<(), Error> {
        let deadline = due.after(DONE_WAIT);
        let mut left = self.circles.len();
        while left > 0 {
            self.take(deadline, left, formed, |group, member, formed| {
                if group.is_settled(member) {
                    let is_last = group.is_stable();
                    formed.settled(clock::now(), is_last);
                    left -= usize::from(is_last);
                }
            })?;
        }
        Ok(())
    }

    /// Waits until some answers are there, takes them and sends what follows from each.
    fn take(
        &mut self,
        deadline: Monotonic,
        left: usize,
        formed: &mut Formed,
        mut taken: impl FnMut(&Group, usize, &mut Formed),
    ) -> Result<(), Error> {
        let mut ready = std::mem::take(&mut self.ready);
        let until = self.later.front().map_or(deadline, |(due, ..)| *due);
        self.poller.wait(until.min(deadline), &mut ready)?;
        let now = clock::now();
        if now >= deadline {
            return Err(Error::Unsettled {
                groups: left,
                seconds: DONE_WAIT.as_secs(),
            });
        }
        for token in ready.drain(..) {
            let place = self.places.get(token);
            let Place { circle, member } = *place.expect("the poller tells of places");
            let Circle { group, callers } = self.circle(circle);
            let caller = callers.get_mut(member).expect("places are of callers");
            let turns = group.answered(member, caller.take()?)?;
            taken(group, member, formed);
            self.send(circle, turns, formed)?;
        }
        self.ready = ready;
        while let Some((_, place, request)) = self.later.pop_front_if(|(due, ..)| *due <= now) {
            self.ask(place, &request, formed)?;
        }
        Ok(())
    }

    fn send(&mut self, circle: usize, turns: Vec<Turn>, formed: &mut Formed) -> Result<(), Error> {
        for turn in turns {
            let member = turn.member;
            let place = Place { circle, member };
            if turn.pause.is_zero() {
                self.ask(place, &turn.request, formed)?;
            } else {
                let due = clock::now().after(turn.pause);
                self.later.push_back((due, place, turn.request));
            }
        }
        Ok(())
    }

    fn ask(&mut self, place: Place, request: &Request, formed: &mut Formed) -> Result<(), Error> {
        formed.asked.count(request);
        let callers = &mut self.circle(place.circle).callers;
        let caller = callers.get_mut(place.member);
        caller.expect("every member has its caller").send(request)
    }

    fn circle(&mut self, index: usize) -> &mut Circle {
        let circle = self.circles.get_mut(index);
        circle.expect("circles are numbered from 0")
    }

    fn count(&self, is_counted: impl Fn(&Group) -> bool) -> usize {
        let groups = self.circles.iter().map(|circle| &circle.group);
        groups.filter(|group| is_counted(group)).count()
    }
}

/// Lets the members of all groups leave, each thread its own.
pub(crate) fn disperse(crowds: Vec<Crowd>) -> Result<(), Error> {
    threads::run(crowds, |mut crowd| crowd.leave(), || Ok(()))?;
    Ok(())
}
