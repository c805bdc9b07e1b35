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
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;
    use crate::wire::ldap::guard::GuardLimits;

    /// Long enough for anything that happens at all.
    const SOON: Duration = Duration::from_secs(10);
    /// A search request of message id 1, as far as the guard looks.
    const QUESTION: &[u8] = &[0x30, 0x05, 0x02, 0x01, 0x01, 0x63, 0x00];

    /// An entry of about 60,000 bytes for the question.
    fn entry() -> Vec<u8> {
        let tlv = |tag: u8, content: &[u8]| {
            let length = (content.len() as u16).to_be_bytes();
            [&[tag, 0x82], length.as_slice(), content].concat()
        };
        let values = tlv(0x31, &tlv(0x04, &vec![0; 60_000]));
        let attribute = tlv(0x30, &[tlv(0x04, b"cn"), values].concat());
        let parts = [tlv(0x04, b"dc=x"), tlv(0x30, &attribute)].concat();
        tlv(0x30, &[vec![0x02, 0x01, 0x01], tlv(0x64, &parts)].concat())
    }

    struct Ends {
        server: UnixStream,
        shared: Arc<Shared>,
        task: AbortOnDropHandle<()>,
        library: UnixStream,
    }

    /// A connection over which the question was asked.
    async fn connected(limits: GuardLimits) -> Ends {
        let (server, far) = UnixStream::pair().unwrap();
        let (shared, task, near) = start(Box::new(far), Guard::new(limits)).unwrap();
        near.set_nonblocking(true).unwrap();
        let mut ends = Ends {
            server,
            shared,
            task,
            library: UnixStream::from_std(near).unwrap(),
        };
        ends.library.write_all(QUESTION).await.unwrap();
        let mut heard = [0; QUESTION.len()];
        ends.server.read_exact(&mut heard).await.unwrap();
        assert_eq!(heard, QUESTION);
        ends
    }

    #[tokio::test]
    async fn a_server_waits_when_nobody_takes_its_answers() {
        let Ends {
            mut server,
            shared,
            task,
            mut library,
        } = connected(GuardLimits::default()).await;
        // A library that reads everything at once and keeps it.
        let kept =
            tokio::spawn(
                async move { tokio::io::copy(&mut library, &mut tokio::io::sink()).await },
            );
        let entry = entry();
        let mut sent = 0;
        while timeout(Duration::from_millis(300), server.write_all(&entry))
            .await
            .is_ok()
        {
            sent += entry.len() as u64;
            assert!(sent < 2 * WINDOW, "nothing stops the server");
        }
        assert!(sent > WINDOW / 2, "{sent}");
        // Once they are taken, it goes on. (The entry that was stopped was written in part; so the rest is no matter.)
        for _ in 0..sent / entry.len() as u64 {
            shared.took();
        }
        timeout(SOON, server.write_all(&entry))
            .await
            .unwrap()
            .unwrap();
        drop(task);
        timeout(SOON, kept).await.unwrap().unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_flood_beyond_the_limit_ends_the_connection_with_its_name() {
        let limits = GuardLimits {
            total: 1 << 20,
            ..GuardLimits::default()
        };
        let Ends {
            mut server,
            shared,
            task,
            mut library,
        } = connected(limits).await;
        let flood = entry().repeat(20);
        let flood = tokio::spawn(async move { while server.write_all(&flood).await.is_ok() {} });
        let passed = tokio::io::copy(&mut library, &mut tokio::io::sink()).await;
        assert!(passed.unwrap() <= limits.total);
        let expect = GuardFault::TotalSize(limits.total);
        assert!(matches!(shared.ending(), Some(Ending::Refused(fault)) if *fault == expect));
        timeout(SOON, task).await.unwrap().unwrap();
        timeout(SOON, flood).await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn nothing_of_what_is_refused_is_passed_on() {
        let mut ends = connected(GuardLimits::default()).await;
        let sound_then_not = [entry(), vec![0x30, 0x80]].concat();
        ends.server.write_all(&sound_then_not[..10]).await.unwrap();
        ends.server.write_all(&sound_then_not[10..]).await.unwrap();
        let mut passed = Vec::new();
        ends.library.read_to_end(&mut passed).await.unwrap();
        assert!(sound_then_not.starts_with(&passed) && passed.len() < sound_then_not.len() - 1);
        let ending = ends.shared.ending();
        assert!(matches!(
            ending,
            Some(Ending::Refused(GuardFault::LengthForm))
        ));
    }

    #[tokio::test]
    async fn the_end_of_either_side_ends_the_other() {
        let mut ends = connected(GuardLimits::default()).await;
        ends.library.write_all(QUESTION).await.unwrap();
        drop(ends.library);
        let mut heard = Vec::new();
        timeout(SOON, ends.server.read_to_end(&mut heard))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(heard, QUESTION, "what was said last is passed on");
        timeout(SOON, ends.task).await.unwrap().unwrap();

        let mut ends = connected(GuardLimits::default()).await;
        drop(ends.server);
        let mut passed = Vec::new();
        timeout(SOON, ends.library.read_to_end(&mut passed))
            .await
            .unwrap()
            .unwrap();
        assert!(matches!(ends.shared.ending(), Some(Ending::Closed)));

        let mut ends = connected(GuardLimits::default()).await;
        drop(ends.task);
        let mut heard = Vec::new();
        timeout(SOON, ends.server.read_to_end(&mut heard))
            .await
            .unwrap()
            .unwrap();
    }

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
