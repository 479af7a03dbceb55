//! Several futures of one kind within one task: all of them.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

/// Runs futures together and returns their results in order.
///
/// *Cost*: one allocation for each; whenever one is woken all are polled.
pub async fn join_all<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut running: Vec<Running<F>> = futures.into_iter().map(Running::new).collect();
    poll_fn(|context| {
        let mut is_done = true;
        for running in &mut running {
            if running.output.is_some() {
                continue;
            }
            match running.future.as_mut().poll(context) {
                Poll::Ready(output) => running.output = Some(output),
                Poll::Pending => is_done = false,
            }
        }
        if is_done {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    running
        .into_iter()
        .filter_map(|running| running.output)
        .collect()
}

struct Running<F: Future> {
    future: Pin<Box<F>>,
    output: Option<F::Output>,
}

impl<F: Future> Running<F> {
    fn new(future: F) -> Self {
        Self {
            future: Box::pin(future),
            output: None,
        }
    }
}
