//! Whether a password is a user's: asked of the directory that the user came from, and of no other.

mod guesses;

use std::sync::Arc;
use std::time::Duration;

use hyper::StatusCode;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Semaphore;

use self::guesses::Guesses;
use super::{Question, entities};
use crate::clock::Clock;
use crate::events;
use crate::model::Verdict;
use crate::serve::passwords::Passwords;
use crate::serve::reply::{Answer, Refusal};
use crate::wire::crowd::{Detail, body};

/// How long a directory may take. Products wait longer than that, people do not.
const VERIFY_MAX: Duration = Duration::from_secs(10);
/// How many passwords are asked about at a time; each takes connections to a directory.
const VERIFIES_MAX: usize = 64;

/// Whoever asks the directories.
pub(in crate::serve) struct Verifier {
    passwords: Arc<dyn Passwords>,
    guesses: Guesses,
    running: Arc<Semaphore>,
    clock: Arc<dyn Clock>,
}

/// A user as it is asked about.
struct Asked {
    /// The entry and the folded username: what wrong passwords are counted by.
    name: String,
    directory: String,
    user_id: String,
}

impl Verifier {
    pub(in crate::serve) fn new(passwords: Arc<dyn Passwords>, clock: Arc<dyn Clock>) -> Self {
        Verifier {
            passwords,
            guesses: Guesses::default(),
            running: Arc::new(Semaphore::new(VERIFIES_MAX)),
            clock,
        }
    }

    /// What the directory says, or how long it is too early to ask it again.
    async fn verify(&self, asked: &Asked, password: &SecretString) -> Result<Verdict, Duration> {
        let _turn = self.guesses.turn(&asked.name).await;
        self.guesses.begin(&asked.name, self.clock.monotonic())?;
        let Ok(_running) = self.running.acquire().await else {
            return Ok(Verdict::Unavailable("the server stops".to_owned()));
        };
        let Asked {
            directory, user_id, ..
        } = asked;
        let verify = self
            .passwords
            .verify(directory, user_id, password, VERIFY_MAX);
        let verdict = tokio::select! {
            verdict = verify => verdict,
            // The directory was told the limit; this holds for one that does not keep it.
            () = self.clock.sleep(VERIFY_MAX + VERIFY_MAX / 2) => {
                Verdict::Unavailable("it did not answer in time".to_owned())
            }
        };
        self.guesses.end(&asked.name, &verdict);
        if let Verdict::Unavailable(why) = &verdict
            && let Some(count) = self.guesses.tell(directory, self.clock.monotonic())
        {
            events::serve_unverified(directory, why, count);
        }
        Ok(verdict)
    }
}

/// Answers with the user, if the body holds the user's password.
pub(in crate::serve) async fn authenticate(
    question: &Question<'_>,
    entry: &str,
    sent: &[u8],
    verifier: &Arc<Verifier>,
) -> Result<Answer, Refusal> {
    let (image, reply) = (&question.image, &question.reply);
    let name = question.query.must("username")?;
    let password =
        body::read_password(sent).map_err(|fault| Refusal::argument(fault.to_string()))?;
    let place = image.find_user(name).ok_or_else(|| {
        let message = format!("User <{name}> does not exist");
        Refusal::new(StatusCode::BAD_REQUEST, "USER_NOT_FOUND", message)
    })?;
    let user = image.user(place);
    if !user.active {
        return Err(inactive(user.name));
    }
    if password.expose_secret().is_empty() || password.expose_secret().contains('\0') {
        return Err(wrong(user.name));
    }
    let origin = image.origin(place);
    let asked = Asked {
        name: format!("{entry}\0{}", image.folded_user(place)),
        directory: origin.directory.to_owned(),
        user_id: origin.user_id.to_owned(),
    };
    let verifier = verifier.clone();
    // A client that goes away takes no wrong password back: it has been tried.
    let verdict = tokio::spawn(async move { verifier.verify(&asked, &password).await });
    let verdict = match verdict.await {
        Ok(Ok(verdict)) => verdict,
        Ok(Err(wait)) => return Err(too_often(user.name, wait)),
        Err(_) => Verdict::Unavailable("a defect".to_owned()),
    };
    match refusal(&verdict, user.name) {
        Some(refusal) => Err(refusal),
        None => {
            let user = entities::user(user);
            Ok(reply.document(|it, out| it.user(&user, Detail::Fields, out)))
        }
    }
}

/// What a client is told of a verdict; nothing, if the password is right.
fn refusal(verdict: &Verdict, name: &str) -> Option<Refusal> {
    let refusal = match verdict {
        Verdict::Accepted => return None,
        Verdict::Wrong => wrong(name),
        Verdict::Inactive => inactive(name),
        // The set still has the user: saying otherwise might have the client ask the next directory of its own.
        Verdict::Unknown => refused(
            "INACTIVE_ACCOUNT",
            format!("User <{name}> is no longer in its directory"),
        ),
        Verdict::Expired => refused(
            "EXPIRED_CREDENTIAL",
            format!("The password of user <{name}> has expired"),
        ),
        // Why is for the log: it may name hosts.
        Verdict::Unavailable(_) => Refusal::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "OPERATION_FAILED",
            format!("The password of user <{name}> cannot be checked at present"),
        ),
    };
    Some(refusal)
}

fn refused(reason: &'static str, message: String) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, reason, message)
}

fn wrong(name: &str) -> Refusal {
    let message = format!("Failed to authenticate user <{name}>, password was invalid");
    refused("INVALID_USER_AUTHENTICATION", message)
}

fn inactive(name: &str) -> Refusal {
    refused("INACTIVE_ACCOUNT", format!("Account <{name}> is inactive"))
}

fn too_often(name: &str, wait: Duration) -> Refusal {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    let message = format!(
        "Too many wrong passwords for user <{name}>: retry in {seconds} seconds; none was checked now"
    );
    refused("INVALID_USER_AUTHENTICATION", message)
}
