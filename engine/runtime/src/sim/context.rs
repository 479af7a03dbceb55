//! Which simulation, host and shard the code that runs now belongs to.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use super::executor::{Event, Owner};
use super::world::{Host, World};
use crate::arm;
use crate::oneshot::oneshot;
use std::time::Duration;

thread_local! {
    static CURRENT: RefCell<Option<Context>> = const { RefCell::new(None) };
}

/// Where code runs.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) world: Rc<World>,
    pub(crate) host: Rc<Host>,
    pub(crate) owner: Owner,
}

impl Context {
    pub(crate) fn new(world: &Rc<World>, owner: Owner) -> Self {
        Self {
            world: Rc::clone(world),
            host: world.host(owner.host),
            owner,
        }
    }

    /// Makes this the place where code runs, and the simulator the arm in force, until the result
    /// is dropped.
    pub(crate) fn enter(self) -> Entered {
        Entered {
            arm: arm::replace(Some(arm::Kind::Sim)),
            context: CURRENT.replace(Some(self)),
        }
    }

    /// Returns where the code that asks runs.
    pub(crate) fn current() -> Self {
        Self::with(Self::clone)
    }

    /// Lends out where the code that asks runs.
    pub(crate) fn with<R>(use_it: impl FnOnce(&Self) -> R) -> R {
        CURRENT.with_borrow(|current| {
            let context = current.as_ref();
            use_it(context.expect("the simulator sets the context around every poll"))
        })
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Context({:?})", self.owner)
    }
}

/// Restores on drop what was in force before.
#[must_use]
pub(crate) struct Entered {
    arm: Option<arm::Kind>,
    context: Option<Context>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        arm::replace(self.arm);
        // The context that ends is dropped after the borrow has.
        let _ended = CURRENT.replace(self.context.take());
    }
}

/// Does something `delay` from now, whether or not the caller still waits for it, and returns its
/// result.
pub(crate) async fn after<T: 'static>(delay: Duration, work: impl FnOnce() -> T + 'static) -> T {
    let (sender, receiver) = oneshot();
    let event = Event::Run(Box::new(move || {
        // A caller that has gone misses the result, not the effect.
        let _unwanted = sender.send(work()).err();
    }));
    Context::with(|context| context.world.executor.schedule(delay, event));
    receiver
        .await
        .expect("an event happens while tasks are polled")
}
