//! Users looked up one by one, at a rate of its own and by clients that stay connected, while the daemon on its one core passes
//! again and again over everything.
//!
//! A look-up has a moment at which it is due, and its time counts from there: one that has to wait for the answer to the one
//! before has waited, too.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::site::{self, CLIENT, SECRET};
use crate::daemon::Daemon;
use crate::load::Load;
use crate::measure;
use crate::report::Report;

/// The name by which this program looks up users, and does nothing else.
pub(super) const LOOK_UPS: &str = "crowd-look-ups";

const CONNECTIONS: u32 = 32;
/// Look-ups a second that are sent: some more than must be answered, which are [`RATE`].
const OFFERED: u32 = 2_100;
const RATE: f64 = 2_000.0;
const SECONDS: u32 = 20;
/// The slowest but one in a hundred, in milliseconds.
const SLOW_LIMIT: f64 = 50.0;

/// The daemon has this core, whoever asks it that one.
const SERVER_CORE: u32 = 0;
const CLIENT_CORE: u32 = 1;

/// Looks up users while nothing else happens, then while passes run.
pub(super) fn run(folder: &Path, users: u32, report: &mut Report) {
    let daemon = Daemon::start_on_core(SERVER_CORE, folder);
    let url = daemon.url();
    daemon.wait_for_passes(1);
    measured(&daemon, &url, users, "at rest");
    let (ended, rounds) = (AtomicBool::new(false), AtomicUsize::new(0));
    let times = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(Ordering::Relaxed) {
                site::touch(folder, 1 + rounds.fetch_add(1, Ordering::Relaxed));
                assert!(site::pass(folder).success(), "a pass is over and in sync");
            }
        });
        let times = measured(&daemon, &url, users, "while passes run");
        ended.store(true, Ordering::Relaxed);
        times
    });
    println!("  {} passes", rounds.into_inner());
    report.limit("seconds for 2,000 look-ups", RATE / times.rate, 1.0);
    report.limit("look-ups: 99 in 100, ms", times.most, SLOW_LIMIT);
}

/// Look-ups a second, and how many milliseconds the slowest took but for one in a hundred.
struct Times {
    rate: f64,
    most: f64,
}

fn measured(daemon: &Daemon, url: &str, users: u32, when: &str) -> Times {
    let cpu = daemon.cpu();
    let own = std::env::current_exe().expect("our own program");
    let output = Command::new("taskset")
        .args(["-c", &CLIENT_CORE.to_string()])
        .arg(own)
        .args([LOOK_UPS, url, &users.to_string()])
        .stderr(Stdio::inherit())
        .output()
        .expect("our own program starts");
    assert!(output.status.success(), "every look-up succeeds");
    let cpu = daemon.cpu().saturating_sub(cpu);
    let text = String::from_utf8(output.stdout).expect("numbers");
    let numbers = text.split_whitespace().map(str::parse);
    let numbers: Vec<f64> = numbers.collect::<Result<_, _>>().expect("numbers");
    let [rate, half, most, slowest] = numbers[..] else {
        panic!("four numbers: {text}");
    };
    println!(
        "  look-ups {when}: {rate:.0} a second, {half:.2} ms in the middle, 99 in 100 within {most:.2} ms, all within \
         {slowest:.2} ms; CPU of the daemon {:.2} s",
        cpu.as_secs_f64()
    );
    Times { rate, most }
}

/// Looks up users over all connections and prints, as numbers: look-ups a second, then the milliseconds within which half of
/// them was answered, 99 in 100, and all.
pub(super) fn look_up_all(url: &str, load: &Load) {
    let address = url.strip_prefix("http://").expect("a URL without TLS");
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().expect("a runtime");
    let start = measure::now();
    let mut times = runtime.block_on(async {
        let connection = |number| async move { Connection::open(address, load, number).await };
        let connections = (0..CONNECTIONS).map(|number| async move {
            let connection = connection(number).await;
            connection.run(start).await
        });
        futures_util::future::join_all(connections).await.concat()
    });
    let rate = f64::from(OFFERED * SECONDS) / start.elapsed().as_secs_f64();
    times.sort();
    let milliseconds = |it: Duration| it.as_secs_f64() * 1e3;
    println!(
        "{rate} {} {} {}",
        milliseconds(times[times.len() / 2]),
        milliseconds(times[times.len() * 99 / 100]),
        milliseconds(times[times.len() - 1]),
    );
}

struct Connection<'a> {
    stream: TcpStream,
    load: &'a Load,
    number: u32,
    login: String,
    answer: Vec<u8>,
}

impl Connection<'_> {
    async fn open<'a>(address: &str, load: &'a Load, number: u32) -> Connection<'a> {
        let stream = TcpStream::connect(address).await.expect("the server");
        stream.set_nodelay(true).expect("a socket");
        Connection {
            stream,
            load,
            number,
            login: BASE64.encode(format!("{CLIENT}:{SECRET}")),
            answer: Vec::new(),
        }
    }

    /// Sends its share, one after the other. Says how long each took from the moment at which it was due.
    async fn run(mut self, start: Instant) -> Vec<Duration> {
        let mut times = Vec::new();
        for nth in (self.number..OFFERED * SECONDS).step_by(CONNECTIONS as usize) {
            let due = start + Duration::from_secs(1) * nth / OFFERED;
            tokio::time::sleep_until(due.into()).await;
            // Neighbours in time are not neighbours in the set.
            let user = u64::from(nth) * 7_919 % u64::from(self.load.users);
            self.look_up(user as u32).await;
            times.push(due.elapsed());
        }
        times
    }

    async fn look_up(&mut self, user: u32) {
        let request = format!(
            "GET /rest/usermanagement/1/user?username={} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {}\r\nAccept: \
             application/json\r\n\r\n",
            self.load.user(user).username,
            self.login
        );
        let sent = self.stream.write_all(request.as_bytes()).await;
        sent.expect("the server listens");
        self.answer.clear();
        while !is_whole(&self.answer) {
            let read = self.stream.read_buf(&mut self.answer).await;
            assert_ne!(read.expect("an answer"), 0, "the connection stays");
        }
        assert!(self.answer.starts_with(b"HTTP/1.1 200 "), "user {user}");
    }
}

/// Whether an answer has its head, and of its body as much as the head says.
fn is_whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    let Some((head, _)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.parse::<usize>().expect("a length"))
    });
    answer.len() >= head.len() + 4 + length.expect("an answer with a length")
}
