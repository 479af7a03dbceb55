//! What the runtime promises, asked through its public functions: on both arms where both can show
//! it, on the simulator alone where a machine has to fail.

#[cfg(feature = "sim")]
mod crashes;
mod dirs;
#[cfg(feature = "sim")]
mod faults;
mod files;
mod mesh;
#[cfg(feature = "sim")]
mod simulation;
mod sync;
mod tasks;
mod tcp;
