//! Which arm is in force on this thread, and the macros that forward to it.
//!
//! The launcher sets the arm once per shard thread; the simulator sets it around every poll.

use std::cell::Cell;

/// The backend that answers on this thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The real kernel.
    #[cfg(feature = "uring")]
    Uring,
    /// The simulated machine.
    #[cfg(feature = "sim")]
    Sim,
}

thread_local! {
    static CURRENT: Cell<Option<Kind>> = const { Cell::new(None) };
}

/// Returns the arm in force.
///
/// *Panics*: on a thread that is neither a shard nor polled by a simulation.
pub(crate) fn current() -> Kind {
    CURRENT
        .get()
        .expect("the runtime is used from a shard or a simulated node")
}

/// Sets the arm of this thread and returns the one before.
pub(crate) fn replace(kind: Option<Kind>) -> Option<Kind> {
    CURRENT.replace(kind)
}

/// Evaluates an expression of the ambient arm's module: `ambient!(now())`; with a name in front the
/// result is wrapped in that enum's variant: `ambient!(Arm => File::open(path, mode).await?)`.
macro_rules! ambient {
    ($wrap:ident => $($call:tt)*) => {
        match $crate::arm::current() {
            #[cfg(feature = "uring")]
            $crate::arm::Kind::Uring => $wrap::Uring($crate::uring::$($call)*),
            #[cfg(feature = "sim")]
            $crate::arm::Kind::Sim => $wrap::Sim($crate::sim::$($call)*),
        }
    };
    ($($call:tt)*) => {
        match $crate::arm::current() {
            #[cfg(feature = "uring")]
            $crate::arm::Kind::Uring => $crate::uring::$($call)*,
            #[cfg(feature = "sim")]
            $crate::arm::Kind::Sim => $crate::sim::$($call)*,
        }
    };
}

/// Declares the private enum behind a public type: one variant per arm, each holding the arm's
/// type of the given name.
macro_rules! arms {
    ($(#[$meta:meta])* $visibility:vis $name:ident$(<$($generic:ident),+>)? of $type:ident) => {
        $(#[$meta])*
        $visibility enum $name$(<$($generic),+>)? {
            #[cfg(feature = "uring")]
            Uring($crate::uring::$type$(<$($generic),+>)?),
            #[cfg(feature = "sim")]
            Sim($crate::sim::$type$(<$($generic),+>)?),
        }
    };
}

/// Evaluates the same expression for whichever arm a value holds; with a name after `as` the result
/// is wrapped in that enum's variant.
macro_rules! on_arm {
    ($value:expr, $enum:ident, $inner:ident => $call:expr) => {
        match $value {
            #[cfg(feature = "uring")]
            $enum::Uring($inner) => $call,
            #[cfg(feature = "sim")]
            $enum::Sim($inner) => $call,
        }
    };
    ($value:expr, $enum:ident as $wrap:ident, $inner:ident => $call:expr) => {
        match $value {
            #[cfg(feature = "uring")]
            $enum::Uring($inner) => $wrap::Uring($call),
            #[cfg(feature = "sim")]
            $enum::Sim($inner) => $wrap::Sim($call),
        }
    };
}
