//! The tests of storage through its public interface, on every arm there is.

#[cfg(test)]
mod append_and_read;
#[cfg(test)]
mod behind;
#[cfg(test)]
#[cfg(feature = "sim")]
mod crash;
mod damage;
#[cfg(test)]
mod directories;
#[cfg(test)]
mod directory;
#[cfg(test)]
#[cfg(feature = "sim")]
mod faults;
#[cfg(test)]
mod history;
#[cfg(test)]
mod producers;
#[cfg(test)]
mod support;
