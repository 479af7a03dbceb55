//! Deliberate faults, each of which the tests must catch: a test that passes with one switched on
//! is too weak to be believed without it.

/// Makes the enum of a crate's mutants, `choose`, which switches one on for a thread, and `is_on`.
///
/// None can be chosen without the crate's feature `mutants`; `is_on` is then the constant `false`.
#[macro_export]
macro_rules! mutants {
    (
        $(#[$doc:meta])*
        pub enum $name:ident {
            $($(#[$rule:meta])* $mutant:ident,)+
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$rule])* $mutant,)+
        }

        impl $name {
            /// Every mutant.
            pub const ALL: &[Self] = &[$(Self::$mutant),+];
        }

        #[cfg(feature = "mutants")]
        ::std::thread_local! {
            static CHOSEN: ::std::cell::Cell<Option<$name>> = const { ::std::cell::Cell::new(None) };
        }

        /// Chooses the rule that this thread breaks from now on; `None`: none.
        #[cfg(feature = "mutants")]
        pub fn choose(mutant: Option<$name>) {
            CHOSEN.set(mutant);
        }

        /// Returns whether a rule is to be broken.
        #[cfg(feature = "mutants")]
        pub(crate) fn is_on(mutant: $name) -> bool {
            CHOSEN.get() == Some(mutant)
        }

        /// Returns that no rule is to be broken.
        #[cfg(not(feature = "mutants"))]
        pub(crate) const fn is_on(_: $name) -> bool {
            false
        }
    };
}
