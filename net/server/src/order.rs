//! The window of one connection: answers leave in the order in which their requests came.
//!
//! One side enters (the reading half), one side takes (the writing half); both live on one shard.
//! An entry is whatever stands for an answer, ready or not: what it is does not matter here.
//!
//! ```text
//!  reading half: vacancy().await ─ enter(x) ──► [x3 x2 x1] ──► next().await = x1 ─ answered() :writing half
//!                      ▲                                                               │
//!                      └────────────── wakes when the window has a place ◄─────────────┘
//! ```
//!
//! Invariants:
//! 1. Entries plus the one in the writing half's hand never exceed the window.
//! 2. What is entered first is taken first; an entry is taken once.
//! 3. After `end` nothing is entered; what was entered before can still be taken.
//!
//! The futures of this file hold nothing: dropping one loses no entry and no place.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::task::{Context, Poll, Waker};

/// Entries kept allocated while a connection is idle; a busy one grows to its window.
const IDLE_CAPACITY: usize = 4;

/// The window between the two halves of a connection.
pub(crate) struct Order<T> {
    state: RefCell<State<T>>,
    places_max: usize,
}

struct State<T> {
    entries: VecDeque<T>,
    /// Entries taken and not yet answered: 0 or 1.
    in_hand: usize,
    ended: bool,
    reading: Option<Waker>,
    writing: Option<Waker>,
}

impl<T> Order<T> {
    /// Makes an empty window with `places_max` places, at least one.
    pub(crate) fn new(places_max: usize) -> Self {
        assert!(places_max >= 1, "a window has at least one place");
        let state = State {
            entries: VecDeque::new(),
            in_hand: 0,
            ended: false,
            reading: None,
            writing: None,
        };
        Self {
            state: RefCell::new(state),
            places_max,
        }
    }

    /// Waits until a request may be taken on: its answer will find a place.
    pub(crate) async fn vacancy(&self) {
        poll_fn(|context| {
            let mut state = self.state.borrow_mut();
            if state.unanswered() < self.places_max {
                return Poll::Ready(());
            }
            remember(&mut state.reading, context);
            Poll::Pending
        })
        .await;
    }

    /// Enters the next answer in order.
    ///
    /// *Panics*: without a vacancy (invariant 1) or after [`Self::end`] (invariant 3).
    pub(crate) fn enter(&self, entry: T) {
        let waker = {
            let mut state = self.state.borrow_mut();
            assert!(
                state.unanswered() < self.places_max,
                "a vacancy was awaited"
            ); // invariant 1
            assert!(!state.ended, "nothing is entered after the end"); // invariant 3
            state.entries.push_back(entry);
            state.writing.take()
        };
        wake(waker);
    }

    /// Says that nothing more will be entered.
    pub(crate) fn end(&self) {
        let waker = {
            let mut state = self.state.borrow_mut();
            state.ended = true;
            state.writing.take()
        };
        wake(waker);
    }

    /// Takes the oldest entry, waiting for one; `None` after the end.
    ///
    /// *Panics*: if the entry taken before was not [`Self::answered`] (invariant 1).
    pub(crate) async fn next(&self) -> Option<T> {
        poll_fn(|context| {
            let mut state = self.state.borrow_mut();
            if let Some(entry) = state.take() {
                return Poll::Ready(Some(entry));
            }
            if state.ended {
                return Poll::Ready(None);
            }
            state.entries.shrink_to(IDLE_CAPACITY);
            remember(&mut state.writing, context);
            Poll::Pending
        })
        .await
    }

    /// Takes the oldest entry if there is one.
    ///
    /// *Panics*: as [`Self::next`].
    pub(crate) fn try_next(&self) -> Option<T> {
        self.state.borrow_mut().take()
    }

    /// Returns how many requests are taken on and not yet answered.
    pub(crate) fn unanswered(&self) -> usize {
        self.state.borrow().unanswered()
    }

    /// Gives the place of the entry taken last to a new request.
    pub(crate) fn answered(&self) {
        let waker = {
            let mut state = self.state.borrow_mut();
            assert_eq!(state.in_hand, 1, "an entry is answered once");
            state.in_hand = 0;
            state.reading.take()
        };
        wake(waker);
    }
}

impl<T> State<T> {
    fn unanswered(&self) -> usize {
        self.entries.len() + self.in_hand
    }

    fn take(&mut self) -> Option<T> {
        assert_eq!(self.in_hand, 0, "one entry is in hand at a time"); // invariant 1
        let entry = self.entries.pop_front()?;
        self.in_hand = 1;
        Some(entry)
    }
}

/// Keeps the waker of whoever waits, without a clone when it is the same as before.
pub(crate) fn remember(place: &mut Option<Waker>, context: &Context<'_>) {
    match place {
        Some(waker) if waker.will_wake(context.waker()) => {}
        _ => *place = Some(context.waker().clone()),
    }
}

/// Wakes outside of any borrow: a waker may run code of its own.
pub(crate) fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    /// Counts how often it was woken.
    #[derive(Default)]
    struct Bell(AtomicUsize);

    impl Wake for Bell {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn poll<F: Future>(future: std::pin::Pin<&mut F>, bell: &Arc<Bell>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(&Waker::from(Arc::clone(bell))))
    }

    #[test]
    fn entries_leave_in_the_order_they_came() {
        let order = Order::new(3);
        for entry in 1..=3 {
            order.enter(entry);
        }
        for entry in 1..=3 {
            assert_eq!(order.try_next(), Some(entry));
            order.answered();
        }
        assert_eq!(order.try_next(), None);
    }

    #[test]
    fn a_full_window_has_no_vacancy_until_an_answer_left() {
        let order = Order::new(2);
        let bell = Arc::new(Bell::default());
        order.enter('a');
        order.enter('b');
        let mut vacancy = pin!(order.vacancy());
        assert!(poll(vacancy.as_mut(), &bell).is_pending());
        assert_eq!(order.try_next(), Some('a'));
        assert!(
            poll(vacancy.as_mut(), &bell).is_pending(),
            "the one in hand counts"
        );
        assert_eq!(bell.0.load(Ordering::Relaxed), 0);
        order.answered();
        assert_eq!(bell.0.load(Ordering::Relaxed), 1);
        assert!(poll(vacancy.as_mut(), &bell).is_ready());
    }

    #[test]
    fn many_entries_wake_the_writing_half_once() {
        let order = Order::new(64);
        let bell = Arc::new(Bell::default());
        {
            let mut next = pin!(order.next());
            assert!(poll(next.as_mut(), &bell).is_pending());
        }
        for entry in 0..64 {
            order.enter(entry);
        }
        assert_eq!(bell.0.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn what_was_entered_before_the_end_is_still_taken() {
        let order = Order::new(2);
        let bell = Arc::new(Bell::default());
        order.enter(7);
        order.end();
        let mut next = pin!(order.next());
        assert_eq!(poll(next.as_mut(), &bell), Poll::Ready(Some(7)));
        order.answered();
        let mut next = pin!(order.next());
        assert_eq!(poll(next.as_mut(), &bell), Poll::Ready(None));
    }

    #[test]
    #[should_panic(expected = "a vacancy was awaited")]
    fn entering_without_a_vacancy_is_a_broken_promise() {
        let order = Order::new(1);
        order.enter(1);
        order.enter(2);
    }

    #[test]
    fn an_idle_window_gives_its_memory_back() {
        let order = Order::new(64);
        for entry in 0..64_u64 {
            order.enter(entry);
        }
        while order.try_next().is_some() {
            order.answered();
        }
        let mut next = pin!(order.next());
        assert!(poll(next.as_mut(), &Arc::new(Bell::default())).is_pending());
        assert!(order.state.borrow().entries.capacity() <= IDLE_CAPACITY);
    }
}
