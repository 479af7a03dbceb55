//! Virtual time: it passes when nothing can be done at once, and a little with every poll.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use types::{Monotonic, TimestampMs};

use super::context::Context;
use super::executor::{Event, EventKey};
use super::world::World;

/// What every wall clock shows at the start: 2026-01-01 00:00:00 UTC.
const WALL_CLOCK_START_MS: i64 = 1_767_225_600_000;

pub(crate) fn now() -> Monotonic {
    Context::with(|context| Monotonic::from_start(context.world.executor.now()))
}

/// Virtual time costs nothing to read.
pub(crate) fn recently() -> Monotonic {
    now()
}

pub(crate) fn wall_clock() -> TimestampMs {
    Context::with(|context| {
        let passed = context.world.executor.now().as_millis();
        let passed = i64::try_from(passed).expect("a simulation ends within 500 years");
        TimestampMs(WALL_CLOCK_START_MS + passed + context.host.clock_offset_ms.get())
    })
}

pub(crate) async fn sleep_until(deadline: Monotonic) {
    let world = Context::with(|context| Rc::clone(&context.world));
    Sleep {
        world,
        deadline: deadline.since_start(),
        scheduled: None,
    }
    .await;
}

struct Sleep {
    world: Rc<World>,
    deadline: Duration,
    scheduled: Option<EventKey>,
}

impl Sleep {
    fn unschedule(&mut self) {
        if let Some(key) = self.scheduled.take() {
            drop(self.world.executor.unschedule(key));
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut TaskContext<'_>) -> Poll<()> {
        self.unschedule();
        if self.world.executor.now() >= self.deadline {
            return Poll::Ready(());
        }
        let event = Event::Wake(context.waker().clone());
        let key = self.world.executor.schedule_at(self.deadline, event);
        self.scheduled = Some(key);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.unschedule();
    }
}
