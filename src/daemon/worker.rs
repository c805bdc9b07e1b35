//! How a job is asked for: askers that come while it runs melt into one run after it.
//!
//! At most one run is under way and at most one is waited for, so no number of triggers can pile up work. An asker that
//! only wants the job done, and finds that it will be, leaves it to whoever asked first.

use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, oneshot};
use tokio_util::sync::CancellationToken;

/// One job and who waits for it.
#[derive(Debug)]
pub(super) struct Worker<O> {
    queue: Mutex<Queue<O>>,
    bell: Notify,
}

#[derive(Debug)]
struct Queue<O> {
    waiting: Vec<oneshot::Sender<O>>,
    open: bool,
}

/// Whether an asker waits for the outcome also where another one has asked for the same run before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Join {
    /// Wait and see.
    Wait,
    /// Leave it to the other.
    Leave,
}

/// What an asker gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer<O> {
    /// The outcome of a run that began after the asking.
    Done(O),
    /// Another one has asked for the run, and tells of it.
    Joined,
    /// There is no run any more.
    Stopped,
}

/// Those who are answered by one run. Dropped, they learn that there is none.
#[derive(Debug)]
pub(super) struct Askers<O>(Vec<oneshot::Sender<O>>);

impl<O> Worker<O> {
    pub(super) fn new() -> Worker<O> {
        Worker {
            queue: Mutex::new(Queue {
                waiting: Vec::new(),
                open: true,
            }),
            bell: Notify::new(),
        }
    }

    /// Asks for a run. The asking is done when this returns; the future is for the answer only.
    pub(super) fn ask(&self, join: Join) -> impl Future<Output = Answer<O>> + Send + use<O>
    where
        O: Send,
    {
        let answer = self.queue_up(join);
        async move {
            match answer {
                Ok(outcome) => outcome.await.map_or(Answer::Stopped, Answer::Done),
                Err(at_once) => at_once,
            }
        }
    }

    fn queue_up(&self, join: Join) -> Result<oneshot::Receiver<O>, Answer<O>> {
        let mut queue = self.queue();
        if !queue.open {
            return Err(Answer::Stopped);
        }
        if join == Join::Leave && !queue.waiting.is_empty() {
            return Err(Answer::Joined);
        }
        let (sender, receiver) = oneshot::channel();
        queue.waiting.push(sender);
        self.bell.notify_one();
        Ok(receiver)
    }

    /// Waits until somebody asks. After `stop` nobody is served any more.
    pub(super) async fn next(&self, stop: &CancellationToken) -> Option<Askers<O>> {
        loop {
            if stop.is_cancelled() {
                let mut queue = self.queue();
                queue.open = false;
                queue.waiting.clear();
                return None;
            }
            let waiting = std::mem::take(&mut self.queue().waiting);
            if !waiting.is_empty() {
                return Some(Askers(waiting));
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.bell.notified() => {}
            }
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue<O>> {
        // No code of others runs under the lock, so a poisoned state is still whole.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<O: Clone> Askers<O> {
    pub(super) fn answer(self, outcome: &O) {
        for asker in self.0 {
            // One that went away has no need of it.
            let _ = asker.send(outcome.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn those_who_ask_during_a_run_share_the_next_one() {
        let (worker, stop) = (Worker::new(), CancellationToken::new());
        let first = worker.ask(Join::Wait);
        let run = worker.next(&stop).await.unwrap();
        let second = worker.ask(Join::Leave);
        let third = worker.ask(Join::Wait);
        run.answer(&1);
        worker.next(&stop).await.unwrap().answer(&2);
        assert_eq!(first.await, Answer::Done(1));
        assert_eq!(second.await, Answer::Done(2));
        assert_eq!(third.await, Answer::Done(2));
    }

    #[tokio::test]
    async fn who_leaves_it_to_another_is_not_kept_waiting() {
        let worker = Worker::<u8>::new();
        let first = worker.ask(Join::Leave);
        assert_eq!(worker.ask(Join::Leave).await, Answer::Joined);
        worker
            .next(&CancellationToken::new())
            .await
            .unwrap()
            .answer(&1);
        assert_eq!(first.await, Answer::Done(1));
    }

    #[tokio::test]
    async fn after_the_stop_nobody_is_served() {
        let (worker, stop) = (Worker::<u8>::new(), CancellationToken::new());
        let before = worker.ask(Join::Wait);
        stop.cancel();
        assert!(worker.next(&stop).await.is_none());
        assert_eq!(before.await, Answer::Stopped);
        assert_eq!(worker.ask(Join::Wait).await, Answer::Stopped);
    }

    #[tokio::test]
    async fn a_run_that_dies_stops_its_askers() {
        let worker = Worker::<u8>::new();
        let answer = worker.ask(Join::Wait);
        drop(worker.next(&CancellationToken::new()).await);
        assert_eq!(answer.await, Answer::Stopped);
    }
}
