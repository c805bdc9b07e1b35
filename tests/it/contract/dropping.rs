//! Ways to drop a future before its end.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

/// Polls a future so many times, each time it asks to be, and drops it at the await where it then stands. Its output, if it
/// came to its end before.
pub(super) async fn at_await<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Lets a future and the tasks that it started go on for so many turns of the runtime, and drops it then. Its output, if it
/// came to its end before.
pub(super) async fn after_turns<F: Future>(turns: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..turns {
        let polled = poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await;
        if let Poll::Ready(output) = polled {
            return Some(output);
        }
        tokio::task::yield_now().await;
    }
    None
}
