//! Tests that run on both arms: the simulator is kinder than the kernel.

use std::future::Future;
use std::path::PathBuf;

/// Declares a test that runs on every arm that the testing crate has the feature for.
///
/// The body is a closure without captures that takes the path of a fresh, empty directory and
/// returns a future. It becomes a module with one `#[test]` per arm: `name::sim` (several seeds) and
/// `name::uring` (one shard, a directory below the system's temporary one, or below
/// `RIVERRUN_TEST_DIR`). The crate must have features `sim` and `uring` that forward to this one's.
///
/// ```text
/// runtime::both_arms!(a_write_is_read_back, |dir| async move {
///     let file = File::open(&dir.join("f"), OpenMode::CreateNew).await.unwrap();
/// });
/// ```
#[macro_export]
macro_rules! both_arms {
    ($(#[$meta:meta])* $name:ident, $body:expr) => {
        mod $name {
            use super::*;

            #[cfg(feature = "sim")]
            #[test]
            $(#[$meta])*
            fn sim() {
                $crate::testing::on_sim(stringify!($name), $body);
            }

            #[cfg(feature = "uring")]
            #[test]
            $(#[$meta])*
            fn uring() {
                $crate::testing::on_uring(stringify!($name), $body);
            }
        }
    };
}

/// How many seeds each test runs with on the simulator.
#[cfg(feature = "sim")]
const SEEDS: u64 = 8;

/// Runs a test body on simulated nodes, one per seed; a failure names its seed.
///
/// *Panics*: as the body does, or if it waits for something that cannot happen.
#[cfg(feature = "sim")]
pub fn on_sim<M, F>(name: &'static str, body: M)
where
    M: Fn(PathBuf) -> F + Clone + 'static,
    F: Future<Output = ()> + 'static,
{
    for seed in 0..SEEDS {
        let simulation = crate::sim::Simulation::new(seed);
        let body = body.clone();
        let node = simulation.spawn_node(name, 1, move |_mesh: crate::Mesh<(), ()>| {
            let body = body.clone();
            async move {
                let dir = PathBuf::from("/test");
                let created = crate::create_dir_all(&dir).await;
                created.expect("the simulated disk is empty");
                body(dir).await;
            }
        });
        simulation.join(&node);
    }
}

/// Runs a test body on one shard of the real kernel.
///
/// *Panics*: as the body does, or if the shard cannot start.
#[cfg(feature = "uring")]
pub fn on_uring<M, F>(name: &'static str, body: M)
where
    M: Fn(PathBuf) -> F + Clone + Send + 'static,
    F: Future<Output = ()> + 'static,
{
    let dir = TestDir::new(name);
    let path = dir.0.clone();
    let main = move |_mesh: crate::Mesh<(), ()>| body(path.clone());
    let ended = crate::launch(&crate::LaunchOptions::default(), main);
    ended.expect("the shard runs the test to its end");
}

/// A directory of one test, removed at its end.
#[cfg(feature = "uring")]
struct TestDir(PathBuf);

#[cfg(feature = "uring")]
impl TestDir {
    fn new(name: &str) -> Self {
        use std::sync::atomic::{AtomicU64, Ordering};
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let base =
            std::env::var_os("RIVERRUN_TEST_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = base.join(format!("riverrun-{}-{count}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a temporary directory can be made");
        Self(path)
    }
}

#[cfg(feature = "uring")]
impl Drop for TestDir {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(path = %self.0.display(), %error, "test directory stays");
        }
    }
}
