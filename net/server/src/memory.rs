//! The bytes one shard may hold for its connections; reading stops when they are spent.
//!
//! Three accounts, so that one use cannot starve another:
//!
//! | account | holds | share of the budget | when spent |
//! |---|---|---|---|
//! | small frames | requests up to [`SMALL_FRAME_MAX`] | a half | the next small frame waits |
//! | large frames | longer requests | a quarter | the next large frame waits |
//! | answers | memory of answers being written | a quarter | no frame of either kind is begun |
//!
//! A frame is charged with its announced length *before* its bytes are received, and the charge is
//! held until its answer is on its way: a frame that was begun never waits for memory again, so
//! frames cannot block each other in a circle. Answers are charged without waiting, because they
//! exist already; they are written out or their connection is cut, and neither needs memory.
//!
//! Invariants:
//! 1. A frames account holds more than its share only while it holds one single frame (a frame
//!    longer than the share is let in alone).
//! 2. Within an account, frames are let in in the order in which they asked.
//! 3. Every charge is returned exactly once, by dropping it; a future dropped while it waits
//!    leaves the line.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use types::ByteCount;
use types::limits::BATCH_SIZE_MAX_DEFAULT;

use crate::order::remember;

/// The longest frame that counts as small: a produce request with one full batch does.
pub(crate) const SMALL_FRAME_MAX: ByteCount = ByteCount::mib(2);

const _: () = assert!(BATCH_SIZE_MAX_DEFAULT.0 < SMALL_FRAME_MAX.0);

/// The budget of one shard.
pub(crate) struct Budget {
    small: Frames,
    large: Frames,
    answers_held: Cell<u64>,
    answers_max: u64,
}

/// What frames wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pressure {
    /// Nothing.
    None,
    /// Other frames to be received and answered.
    Frames,
    /// Answers to be taken by their clients.
    Answers,
}

/// One account of frames with its line; whoever was let in has left the line.
struct Frames {
    held: Cell<u64>,
    held_max: u64,
    line: RefCell<VecDeque<Rc<Waiting>>>,
}

struct Waiting {
    bytes: u64,
    granted: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

#[derive(Clone, Copy)]
enum Account {
    SmallFrames,
    LargeFrames,
    Answers,
}

impl Budget {
    /// Makes a budget of `total` bytes, none of them held.
    pub(crate) fn new(total: ByteCount) -> Rc<Self> {
        Rc::new(Self {
            small: Frames::new(total.0 / 2),
            large: Frames::new(total.0 / 4),
            answers_held: Cell::new(0),
            answers_max: total.0 / 4,
        })
    }

    /// Charges a frame of `length`, waiting in line until it fits.
    ///
    /// *Cost*: no allocation unless it waits.
    pub(crate) async fn charge_frame(self: &Rc<Self>, length: ByteCount) -> Charge {
        let account = if length <= SMALL_FRAME_MAX {
            Account::SmallFrames
        } else {
            Account::LargeFrames
        };
        let frames = self.frames(account);
        let at_once = frames.line.borrow().is_empty() && self.lets_in(frames, length.0);
        if at_once {
            frames.held.update(|held| held + length.0);
        } else {
            Place::join(self, frames, length.0).granted().await;
        }
        Charge {
            budget: Rc::clone(self),
            account,
            bytes: length.0,
        }
    }

    /// Opens the account of one connection's answers, with nothing charged yet.
    pub(crate) fn answers(self: &Rc<Self>) -> Answers {
        Answers(Charge {
            budget: Rc::clone(self),
            account: Account::Answers,
            bytes: 0,
        })
    }

    /// Returns the bytes held in all accounts.
    pub(crate) fn held(&self) -> ByteCount {
        ByteCount(self.small.held.get() + self.large.held.get() + self.answers_held.get())
    }

    /// Returns what frames wait for now.
    pub(crate) fn pressure(&self) -> Pressure {
        if self.small.line.borrow().is_empty() && self.large.line.borrow().is_empty() {
            Pressure::None
        } else if self.answers_held.get() > self.answers_max {
            Pressure::Answers
        } else {
            Pressure::Frames
        }
    }

    fn frames(&self, account: Account) -> &Frames {
        match account {
            Account::SmallFrames => &self.small,
            Account::LargeFrames | Account::Answers => &self.large,
        }
    }

    fn lets_in(&self, frames: &Frames, bytes: u64) -> bool {
        self.answers_held.get() <= self.answers_max && frames.fits(bytes)
    }

    fn release(&self, account: Account, bytes: u64) {
        let held = match account {
            Account::SmallFrames => &self.small.held,
            Account::LargeFrames => &self.large.held,
            Account::Answers => &self.answers_held,
        };
        held.update(|held| held - bytes); // underflow panics: invariant 3
        self.let_in();
    }

    /// Lets in the heads of both lines as far as they fit (invariant 2).
    fn let_in(&self) {
        for frames in [&self.small, &self.large] {
            loop {
                let head = frames.line.borrow().front().map(Rc::clone);
                let Some(head) = head.filter(|head| self.lets_in(frames, head.bytes)) else {
                    break;
                };
                frames.line.borrow_mut().pop_front();
                frames.held.update(|held| held + head.bytes);
                head.granted.set(true);
                let waker = head.waker.borrow_mut().take();
                waker.inspect(Waker::wake_by_ref);
            }
        }
    }
}

impl Frames {
    fn new(held_max: u64) -> Self {
        Self {
            held: Cell::new(0),
            held_max,
            line: RefCell::new(VecDeque::new()),
        }
    }

    /// Returns whether a frame may be let in now (invariant 1).
    fn fits(&self, bytes: u64) -> bool {
        self.held.get() == 0 || self.held.get() + bytes <= self.held_max
    }
}

/// A place in a line. Dropping it ungranted leaves the line; dropping it granted and not taken
/// returns what was granted.
struct Place<'a> {
    budget: &'a Budget,
    frames: &'a Frames,
    waiting: Rc<Waiting>,
    taken: bool,
}

impl<'a> Place<'a> {
    fn join(budget: &'a Budget, frames: &'a Frames, bytes: u64) -> Self {
        let waiting = Rc::new(Waiting {
            bytes,
            granted: Cell::new(false),
            waker: RefCell::new(None),
        });
        frames.line.borrow_mut().push_back(Rc::clone(&waiting));
        Self {
            budget,
            frames,
            waiting,
            taken: false,
        }
    }

    async fn granted(mut self) {
        poll_fn(|context| {
            if self.waiting.granted.get() {
                return Poll::Ready(());
            }
            remember(&mut self.waiting.waker.borrow_mut(), context);
            Poll::Pending
        })
        .await;
        self.taken = true;
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if self.taken {
            return;
        }
        if self.waiting.granted.get() {
            self.frames.held.update(|held| held - self.waiting.bytes);
        } else {
            let mut line = self.frames.line.borrow_mut();
            line.retain(|waiting| !Rc::ptr_eq(waiting, &self.waiting));
        }
        // Whoever stands behind may fit now.
        self.budget.let_in();
    }
}

/// What one connection's answers hold; dropping it returns everything.
pub(crate) struct Answers(Charge);

impl Answers {
    /// Charges more, at once, even beyond the account's share.
    pub(crate) fn charge(&mut self, more: ByteCount) {
        self.0.bytes += more.0;
        self.0.budget.answers_held.update(|held| held + more.0);
    }

    /// Returns everything: the answers have left.
    pub(crate) fn clear(&mut self) {
        let bytes = std::mem::take(&mut self.0.bytes);
        self.0.budget.release(Account::Answers, bytes);
    }
}

/// Bytes held of the budget; dropping it returns them.
pub(crate) struct Charge {
    budget: Rc<Budget>,
    account: Account,
    bytes: u64,
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.budget.release(self.account, self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::{Pin, pin};
    use std::task::Context;

    use super::*;

    const KIB: u64 = 1024;

    /// 8 KiB of small frames, 4 KiB of large ones, 4 KiB of answers.
    fn budget() -> Rc<Budget> {
        Budget::new(ByteCount::kib(16))
    }

    fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    fn charge(budget: &Rc<Budget>, length: u64) -> Charge {
        match poll(pin!(budget.charge_frame(ByteCount(length)))) {
            Poll::Ready(charge) => charge,
            Poll::Pending => panic!("{length} B fit"),
        }
    }

    #[test]
    fn a_frame_waits_until_another_is_answered() {
        let budget = budget();
        let first = charge(&budget, 6 * KIB);
        let mut second = pin!(budget.charge_frame(ByteCount::kib(4)));
        assert!(poll(second.as_mut()).is_pending());
        assert_eq!(budget.pressure(), Pressure::Frames);
        drop(first);
        let Poll::Ready(second) = poll(second.as_mut()) else {
            panic!("the first was returned")
        };
        assert_eq!(budget.held(), ByteCount::kib(4));
        drop(second);
        assert_eq!(budget.held(), ByteCount::ZERO);
        assert_eq!(budget.pressure(), Pressure::None);
    }

    #[test]
    fn a_short_frame_does_not_overtake_a_longer_one() {
        let budget = budget();
        let first = charge(&budget, 6 * KIB);
        let mut long = pin!(budget.charge_frame(ByteCount::kib(7)));
        let mut short = pin!(budget.charge_frame(ByteCount::kib(1)));
        assert!(poll(long.as_mut()).is_pending());
        assert!(poll(short.as_mut()).is_pending());
        drop(first);
        assert!(poll(long.as_mut()).is_ready());
    }

    #[test]
    fn a_frame_longer_than_its_share_is_let_in_alone() {
        let budget = budget();
        let huge = charge(&budget, 100 * 1024 * KIB);
        let mut next = pin!(budget.charge_frame(ByteCount::mib(3)));
        assert!(poll(next.as_mut()).is_pending());
        drop(charge(&budget, KIB)); // small frames go on meanwhile
        drop(huge);
        assert!(poll(next.as_mut()).is_ready());
    }

    #[test]
    fn spent_answers_stop_frames_of_both_kinds() {
        let budget = budget();
        let mut answers = budget.answers();
        answers.charge(ByteCount::kib(3));
        answers.charge(ByteCount::kib(2));
        let mut small = pin!(budget.charge_frame(ByteCount(1)));
        let mut large = pin!(budget.charge_frame(ByteCount::mib(3)));
        assert!(poll(small.as_mut()).is_pending());
        assert!(poll(large.as_mut()).is_pending());
        assert_eq!(budget.pressure(), Pressure::Answers);
        answers.clear();
        assert_eq!(budget.answers_held.get(), 0);
        assert!(poll(small.as_mut()).is_ready());
        assert!(poll(large.as_mut()).is_ready());
    }

    #[test]
    fn whoever_gives_up_leaves_the_line_and_returns_what_was_granted() {
        let budget = budget();
        let first = charge(&budget, 8 * KIB);
        {
            let mut ungranted = pin!(budget.charge_frame(ByteCount::kib(8)));
            assert!(poll(ungranted.as_mut()).is_pending());
        }
        assert_eq!(budget.pressure(), Pressure::None);
        {
            let mut granted = pin!(budget.charge_frame(ByteCount::kib(8)));
            assert!(poll(granted.as_mut()).is_pending());
            drop(first);
            assert_eq!(budget.held(), ByteCount::kib(8), "granted, not yet taken");
        }
        assert_eq!(budget.held(), ByteCount::ZERO);
    }

    #[test]
    fn giving_up_lets_in_whoever_stands_behind() {
        let budget = budget();
        let _first = charge(&budget, 6 * KIB);
        let mut long = Box::pin(budget.charge_frame(ByteCount::kib(7)));
        let mut short = pin!(budget.charge_frame(ByteCount::kib(1)));
        assert!(poll(long.as_mut()).is_pending());
        assert!(poll(short.as_mut()).is_pending());
        drop(long);
        assert!(poll(short.as_mut()).is_ready());
    }
}
