//! The task that copies between the server and the library: questions as they are, answers through the guard.
//!
//! Nothing in it grows with what a server sends. The library passes answers on through a channel without bounds; so no more
//! of them are let in than have been taken out, but for a window.

use std::collections::VecDeque;
use std::io;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::sync::Notify;
use tokio_util::task::AbortOnDropHandle;

use super::Stream;
use crate::wire::ldap::guard::{Guard, GuardFault};

/// How much is read from the server at once.
const ANSWERS: usize = 64 * 1024;
/// How much is read from the library at once: a question, as a rule.
const QUESTIONS: usize = 8 * 1024;
/// How many bytes of answers may wait until they are taken, beside the message that is just coming.
const WINDOW: u64 = 4 << 20;

/// How a connection ended.
#[derive(Debug)]
pub(in super::super) enum Ending {
    /// One of both closed it.
    Closed,
    /// It broke.
    Failed(io::Error),
    /// What the server sent cannot be passed on.
    Refused(GuardFault),
}

/// What the task and its owner both know.
#[derive(Debug)]
pub(super) struct Shared {
    guard: Mutex<Guard>,
    ending: OnceLock<Ending>,
    /// How many answers to searches were taken from the library.
    taken: AtomicU64,
    /// Whether the task waits for more of them to be taken.
    waits: AtomicBool,
    room: Notify,
}

impl Shared {
    pub(super) fn ending(&self) -> Option<&Ending> {
        self.ending.get()
    }

    pub(super) fn took(&self) {
        self.taken.fetch_add(1, Ordering::SeqCst);
        if self.waits.load(Ordering::SeqCst) {
            self.room.notify_one();
        }
    }

    /// Waits until the window is open.
    async fn room(&self, window: &mut Window) {
        while !window.is_open(self.taken.load(Ordering::SeqCst)) {
            self.waits.store(true, Ordering::SeqCst);
            // What was taken before it was known that somebody waits was announced to nobody.
            if !window.is_open(self.taken.load(Ordering::SeqCst)) {
                self.room.notified().await;
            }
            self.waits.store(false, Ordering::SeqCst);
        }
    }

    fn guard(&self) -> MutexGuard<'_, Guard> {
        self.guard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts the task. Returns what is shared with it, its handle, and the end for the library.
pub(super) fn start(
    server: Box<dyn Stream>,
    guard: Guard,
) -> io::Result<(Arc<Shared>, AbortOnDropHandle<()>, StdUnixStream)> {
    let (near, far) = StdUnixStream::pair()?;
    far.set_nonblocking(true)?;
    let far = UnixStream::from_std(far)?;
    let shared = Arc::new(Shared {
        guard: Mutex::new(guard),
        ending: OnceLock::new(),
        taken: AtomicU64::new(0),
        waits: AtomicBool::new(false),
        room: Notify::new(),
    });
    let task = tokio::spawn(run(server, far, Arc::clone(&shared)));
    Ok((shared, AbortOnDropHandle::new(task), near))
}

/// Copies until one side ends.
async fn run(server: Box<dyn Stream>, library: UnixStream, shared: Arc<Shared>) {
    let (mut from_server, mut to_server) = tokio::io::split(server);
    let (mut from_library, mut to_library) = library.into_split();
    let ending = {
        let mut answers = pin!(pass_answers(&mut from_server, &mut to_library, &shared));
        let mut questions = pin!(pass_questions(&mut from_library, &mut to_server, &shared));
        tokio::select! {
            ending = &mut answers => ending,
            asked = &mut questions => match asked {
                Ok(()) => Ending::Closed,
                // A server may say why before it closes; that tells more than the broken pipe.
                Err(broken) => match answers.await {
                    Ending::Closed => Ending::Failed(broken),
                    other => other,
                },
            },
        }
    };
    // Known before the library's end closes, so that whoever sees it close finds out why.
    let _ = shared.ending.set(ending);
}

async fn pass_answers(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    shared: &Shared,
) -> Ending {
    let mut buffer = vec![0; ANSWERS];
    let mut window = Window::default();
    loop {
        shared.room(&mut window).await;
        let read = match from.read(&mut buffer).await {
            Ok(0) => return Ending::Closed,
            Ok(read) => read,
            Err(fault) => return Ending::Failed(fault),
        };
        let checked = {
            let mut guard = shared.guard();
            let checked = guard.check(&buffer[..read]);
            window.passed(guard.items(), guard.total());
            checked
        };
        if let Err(fault) = checked {
            return Ending::Refused(fault);
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return Ending::Closed;
        }
    }
}

/// Ends well when the library closes its end.
async fn pass_questions(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    shared: &Shared,
) -> io::Result<()> {
    let mut buffer = vec![0; QUESTIONS];
    loop {
        let read = from.read(&mut buffer).await.unwrap_or(0);
        if read == 0 {
            return to.shutdown().await;
        }
        shared.guard().asked(&buffer[..read]);
        to.write_all(&buffer[..read]).await?;
        to.flush().await?;
    }
}

/// Which answers are under way between the guard and whoever takes them.
#[derive(Debug, Default)]
struct Window {
    /// After how many bytes so many answers were complete, for those that were not all taken when last asked.
    marks: VecDeque<Mark>,
    passed: Mark,
    taken: Mark,
}

#[derive(Clone, Copy, Debug, Default)]
struct Mark {
    items: u64,
    bytes: u64,
}

impl Window {
    fn passed(&mut self, items: u64, bytes: u64) {
        if items > self.passed.items {
            self.marks.push_back(Mark { items, bytes });
        }
        self.passed = Mark { items, bytes };
    }

    /// Whether more may be let in, when so many answers were taken. A message that is larger than the window comes alone.
    fn is_open(&mut self, taken: u64) -> bool {
        while let Some(mark) = self.marks.pop_front_if(|it| it.items <= taken) {
            self.taken = mark;
        }
        self.marks.is_empty() || self.passed.bytes - self.taken.bytes < WINDOW
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_closes_on_answers_that_nobody_takes() {
        let mut window = Window::default();
        assert!(window.is_open(0));
        window.passed(1, WINDOW - 1);
        assert!(window.is_open(0));
        window.passed(2, WINDOW);
        assert!(!window.is_open(0));
        assert!(window.is_open(1), "the first was taken");
        window.passed(2, 3 * WINDOW);
        assert!(!window.is_open(1));
        assert!(window.is_open(2), "a large message is coming, alone");
        window.passed(3, 5 * WINDOW);
        assert!(!window.is_open(2));
        assert!(window.is_open(3));
    }
}
