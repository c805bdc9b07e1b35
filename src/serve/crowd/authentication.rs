//! Whether a password is a user's: asked of the directory that the user came from, and of no other.

mod guesses;
mod lines;

use std::sync::Arc;
use std::time::Duration;

use hyper::StatusCode;
use secrecy::SecretString;

use self::guesses::Guesses;
use self::lines::{Lines, Place};
use super::{Question, entities};
use crate::clock::Clock;
use crate::events;
use crate::model::Verdict;
use crate::secret;
use crate::serve::passwords::Passwords;
use crate::serve::reply::{Answer, Refusal};
use crate::wire::crowd::{Detail, body};

/// How long a directory may take, and before that the others who ask it. Products wait longer than that, people do not.
const VERIFY_MAX: Duration = Duration::from_secs(10);

/// Whoever asks the directories.
pub(in crate::serve) struct Verifier {
    passwords: Arc<dyn Passwords>,
    guesses: Guesses,
    lines: Lines,
    clock: Arc<dyn Clock>,
}

/// A user as it is asked about. Wrong passwords are counted by that, too: it is the account there that they would lock, however
/// many entries serve it and whatever it is called.
struct Asked {
    directory: String,
    user_id: String,
}

impl Asked {
    fn counted_as(&self) -> String {
        format!("{}\0{}", self.directory, self.user_id)
    }
}

/// Why nobody is asked about a password now.
enum NotAsked {
    /// Too many were wrong; it is too early for another by so much.
    TooEarly(Duration),
    /// Those before it take too long.
    Crowded,
}

impl Verifier {
    pub(in crate::serve) fn new(passwords: Arc<dyn Passwords>, clock: Arc<dyn Clock>) -> Self {
        Verifier {
            passwords,
            guesses: Guesses::default(),
            lines: Lines::default(),
            clock,
        }
    }

    /// Waits until the directory may be asked. Whoever asks goes away or waits for long leaves the line.
    async fn wait(&self, asked: &Asked) -> Result<Place, NotAsked> {
        let place = async {
            let name = asked.counted_as();
            let turn = self.guesses.turn(&name).await;
            let early = self.guesses.may_try(&name, self.clock.monotonic());
            early.map_err(NotAsked::TooEarly)?;
            let place = self.lines.stand(&asked.directory, turn).await;
            place.ok_or(NotAsked::Crowded)
        };
        tokio::select! {
            place = place => place,
            () = self.clock.sleep(VERIFY_MAX) => Err(NotAsked::Crowded),
        }
    }

    /// What the directory says.
    async fn verify(&self, asked: &Asked, password: &SecretString) -> Result<Verdict, NotAsked> {
        let name = asked.counted_as();
        let begun = self.guesses.begin(&name, self.clock.monotonic());
        begun.map_err(NotAsked::TooEarly)?;
        let Asked { directory, user_id } = asked;
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
        self.guesses.end(&name, &verdict);
        if let Verdict::Unavailable(why) = &verdict {
            self.tell(directory, why);
        }
        Ok(verdict)
    }

    fn tell(&self, directory: &str, why: &str) {
        if let Some(count) = self.guesses.tell(directory, self.clock.monotonic()) {
            events::serve_unverified(directory, why, count);
        }
    }
}

/// Waits until the directory may be asked, and asks it.
async fn ask(
    verifier: &Arc<Verifier>,
    asked: Asked,
    password: SecretString,
) -> Result<Verdict, NotAsked> {
    let place = verifier.wait(&asked).await.inspect_err(|it| {
        if let NotAsked::Crowded = it {
            let why = "those who were to be asked about before took too long";
            verifier.tell(&asked.directory, why);
        }
    })?;
    let verifier = verifier.clone();
    // A client that goes away takes no wrong password back: it has been tried.
    let verdict = tokio::spawn(async move {
        let _place = place;
        verifier.verify(&asked, &password).await
    });
    let defect = || Ok(Verdict::Unavailable("a defect".to_owned()));
    verdict.await.unwrap_or_else(|_| defect())
}

/// Answers with the user, if the body holds the user's password.
pub(in crate::serve) async fn authenticate(
    question: &Question<'_>,
    verifier: &Arc<Verifier>,
) -> Result<Answer, Refusal> {
    let (image, reply) = (&question.image, &question.reply);
    let name = question.query.must("username")?;
    let password = body::read_password(question.body())
        .map_err(|fault| Refusal::argument(fault.to_string()))?;
    let place = image.find_user(name).ok_or_else(|| {
        let message = format!("User <{name}> does not exist");
        Refusal::new(StatusCode::BAD_REQUEST, "USER_NOT_FOUND", message)
    })?;
    let user = image.user(place);
    if !user.active {
        return Err(inactive(user.name));
    }
    if !secret::may_be_tried(&password) {
        return Err(wrong(user.name));
    }
    let origin = image.origin(place);
    let asked = Asked {
        directory: origin.directory.to_owned(),
        user_id: origin.user_id.to_owned(),
    };
    let verdict = match ask(verifier, asked, password).await {
        Ok(verdict) => verdict,
        Err(NotAsked::TooEarly(wait)) => return Err(too_often(user.name, wait)),
        Err(NotAsked::Crowded) => Verdict::Unavailable("too many ask".to_owned()),
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
