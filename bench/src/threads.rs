//! The generator's threads: started together, ended together, the first error wins.

use std::thread::{self, ScopedJoinHandle};

use crate::error::Error;

/// Runs `work` once for each item on a thread of its own, and `meanwhile` on this one.
///
/// Returns the results in the order of the items once every thread has ended.
/// *Errors*: that of `meanwhile`, else that of the first item that failed.
pub(crate) fn run<I, T, M>(
    items: impl IntoIterator<Item = I>,
    work: impl Fn(I) -> Result<T, Error> + Sync,
    meanwhile: impl FnOnce() -> Result<M, Error>,
) -> Result<(Vec<T>, M), Error>
where
    I: Send,
    T: Send,
{
    thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = items
            .into_iter()
            .map(|item| scope.spawn(move || work(item)))
            .collect();
        let meanwhile = meanwhile();
        let results: Vec<_> = threads.into_iter().map(join).collect();
        let meanwhile = meanwhile?;
        let results: Result<Vec<T>, Error> = results.into_iter().collect();
        Ok((results?, meanwhile))
    })
}

fn join<T>(thread: ScopedJoinHandle<'_, Result<T, Error>>) -> Result<T, Error> {
    thread.join().unwrap_or(Err(Error::ThreadPanicked))
}

/// Returns how many cores this process may use.
pub(crate) fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_keep_the_order_of_the_items() {
        let (doubled, told) = run(0..8, |item| Ok(item * 2), || Ok("told")).unwrap();
        assert_eq!(doubled, [0, 2, 4, 6, 8, 10, 12, 14]);
        assert_eq!(told, "told");
    }

    #[test]
    fn one_failure_fails_the_whole() {
        let fails_at_3 = |item| match item {
            3 => Err(Error::Disconnected),
            _ => Ok(()),
        };
        let outcome = run(0..5, fails_at_3, || Ok(()));
        assert!(matches!(outcome, Err(Error::Disconnected)));
        let outcome = run(0..5, |_| Ok(()), || Err::<(), _>(Error::Disconnected));
        assert!(matches!(outcome, Err(Error::Disconnected)));
    }
}
