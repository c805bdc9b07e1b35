//! What is done for one change of an account.
//!
//! An account is looked up before it is changed or becomes a member: by the name that it was last seen with, and where another
//! account has that name by now, by its key. So nobody is changed, deleted or let in in another's place.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::crypto::aws_lc_rs;

use super::api::Api;
use super::convert::{self, Known};
use super::names::{Name, Names};
use crate::client::crowd::{CrowdFault, Who};
use crate::model::{Refusal, WantedAccount, What};
use crate::text;
use crate::wire::crowd::{JsonFault, User};

/// How many bytes of chance a password has that is thrown away.
const PASSWORD_BYTES: usize = 24;

/// An account as the plan tells of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen<'a> {
    /// The server's own id; its name where it has no other, and nothing where the plan makes it.
    pub(super) id: &'a str,
    /// Its name before the plan.
    pub(super) name: &'a str,
    pub(super) place: u32,
    pub(super) names: &'a Names,
}

impl Seen<'_> {
    /// The name that it has as far as this plan knows.
    fn present(&self) -> Result<String, Refusal> {
        match self.names.get(self.place) {
            Some(Name::Is(name)) => Ok(name),
            Some(Name::Unsure) if self.has_no_key() => Err(Refusal::Transient(
                "whether the account got its new name is not known: its answer was lost".to_owned(),
            )),
            _ => Ok(self.name.to_owned()),
        }
    }

    /// Without keys the name is all there is.
    fn has_no_key(&self) -> bool {
        self.id.is_empty() || self.id == self.name
    }

    fn note(&self, name: &str) {
        self.names.note(self.place, Name::Is(name.to_owned()));
    }
}

/// Makes an account and says its id.
pub(super) async fn create(
    api: &Api,
    seen: Seen<'_>,
    wanted: &WantedAccount<'_>,
) -> Result<String, Refusal> {
    let password = throwaway_password()?;
    let made = api.create_user(convert::new_user(wanted, &password)).await;
    let shown = match made {
        Ok(body) => Known::user(&body).ok(),
        Err(fault) if convert::may_be_taken(&fault) => {
            let there = look_up(api, Who::Name(wanted.name)).await?;
            let ours = there
                .as_ref()
                .is_some_and(|it| convert::may_be_made(&it.read, wanted));
            return Err(made_or_taken(ours, there.is_some(), &fault));
        }
        Err(fault) => return Err(convert::refusal(&fault)),
    };
    // Not every server shows what it made, and without its id the account would not be found again.
    let shown = match shown {
        Some(shown) => shown,
        None => look_up(api, Who::Name(wanted.name))
            .await?
            .ok_or_else(|| stale("the server says that it made the account, and has none"))?,
    };
    if !convert::may_be_made(&shown.read, wanted) {
        return Err(stale(
            "the server says that it made the account, and shows another one, which was there before",
        ));
    }
    let id = shown.id().to_owned();
    seen.note(&shown.read.name);
    if shown.read.active.is_some_and(|it| it != wanted.active) {
        let what = if wanted.active {
            What::ACTIVATE
        } else {
            What::DEACTIVATE
        };
        let seen = Seen {
            id: &id,
            name: &shown.read.name,
            ..seen
        };
        let switched = update(api, seen, Some(wanted), what).await;
        // The account is there and ours, whatever became of its switch: the next push looks first.
        switched.map_err(|it| Refusal::Transient(it.to_string()))?;
    }
    Ok(id)
}

/// What an update has led to.
#[derive(Clone, Debug, Default)]
pub(super) struct Updated {
    /// The new id, where a rename changed it.
    pub(super) id: Option<String>,
}

/// Changes the parts of an account that `what` names, and nothing else.
pub(super) async fn update(
    api: &Api,
    seen: Seen<'_>,
    wanted: Option<&WantedAccount<'_>>,
    what: What,
) -> Result<Updated, Refusal> {
    let found = find(api, seen).await?;
    let mut known = found.ok_or_else(|| stale("the account is not there any more"))?;
    let mut name = known.read.name.clone();
    let mut updated = Updated::default();
    let renames = what.has(What::RENAME) || what.has(What::SPELLING);
    if let Some(wanted) = wanted.filter(|it| renames && it.name != name) {
        rename(api, seen, &name, wanted.name).await?;
        wanted.name.clone_into(&mut name);
        updated.id = known.read.key.is_empty().then(|| name.clone());
    }
    let renamed = name != known.read.name;
    if known.set(wanted, what) {
        let replaced = replace(api, &name, &known).await;
        replaced.map_err(|it| if renamed { partly(&it) } else { it })?;
    }
    Ok(updated)
}

async fn replace(api: &Api, name: &str, known: &Known<User>) -> Result<(), Refusal> {
    if known.lacks_switch() {
        return Err(no_switch());
    }
    let replaced = api.replace_user(name, &known.replacement(name)).await;
    replaced.map_err(|it| convert::refusal(&it))
}

/// Deletes an account; one that is not there any more is deleted.
pub(super) async fn delete(api: &Api, seen: Seen<'_>) -> Result<(), Refusal> {
    let Some(known) = find(api, seen).await? else {
        return Ok(());
    };
    match api.delete_user(&known.read.name).await {
        Err(fault) if !fault.says_not_found() => Err(convert::refusal(&fault)),
        _ => Ok(()),
    }
}

async fn rename(api: &Api, seen: Seen<'_>, old: &str, new: &str) -> Result<(), Refusal> {
    let fault = match api.rename_user(old, new).await {
        Ok(()) => {
            seen.note(new);
            return Ok(());
        }
        Err(fault) => fault,
    };
    // A server that has a word for why it failed did not rename anybody.
    if convert::may_be_done(&fault) && fault.reason().is_empty() {
        seen.names.note(seen.place, Name::Unsure);
    }
    if !convert::may_be_taken(&fault) {
        return Err(convert::refusal(&fault));
    }
    // Some servers say no more than that it failed.
    let other = text::fold(old) != text::fold(new);
    let there = other && look_up(api, Who::Name(new)).await?.is_some();
    Err(taken_or(there, &fault))
}

/// The name under which an account becomes a member; `None` where it is gone.
pub(super) async fn name_of_member(api: &Api, seen: Seen<'_>) -> Result<Option<String>, Refusal> {
    if seen.has_no_key() || matches!(seen.names.get(seen.place), Some(Name::Is(_))) {
        return seen.present().map(Some);
    }
    let found = find(api, seen).await?;
    Ok(found.map(|it| it.read.name))
}

/// The account that was last seen so. `None` where it is gone; whoever has its name by then is not it.
async fn find(api: &Api, seen: Seen<'_>) -> Result<Option<Known<User>>, Refusal> {
    let found = look_up(api, Who::Name(&seen.present()?)).await?;
    let found = match found {
        found if seen.has_no_key() => found,
        Some(known) if known.id() == seen.id => Some(known),
        _ => {
            let keyed = look_up(api, Who::Key(seen.id)).await?;
            keyed.filter(|it| it.id() == seen.id)
        }
    };
    if let Some(known) = &found {
        seen.note(&known.read.name);
    }
    Ok(found)
}

async fn look_up(api: &Api, who: Who<'_>) -> Result<Option<Known<User>>, Refusal> {
    let body = match api.user(who).await {
        Ok(body) => body,
        // A server that does not look up keys misses the username.
        Err(CrowdFault::Refused { status: 400, .. }) if matches!(who, Who::Key(_)) => None,
        Err(fault) => return Err(convert::refusal(&fault)),
    };
    let known = body.as_deref().map(Known::user).transpose();
    known.map_err(|it| unreadable(&it))
}

/// What it means that a name could not be had where what bears it may be what was just made: some servers make it, fail at
/// what comes after that, and say that they failed.
pub(super) fn made_or_taken(is_ours: bool, is_taken: bool, fault: &CrowdFault) -> Refusal {
    match convert::refusal(fault) {
        Refusal::Transient(text) if is_ours && convert::may_be_done(fault) => {
            Refusal::Transient(text)
        }
        _ => taken_or(is_taken, fault),
    }
}

/// What it means that a name could not be had: that the listing is old, or what the server says.
pub(super) fn taken_or(is_taken: bool, fault: &CrowdFault) -> Refusal {
    if is_taken {
        return stale("the name is taken since the application was last listed");
    }
    match convert::refusal(fault) {
        Refusal::Stale(text) => Refusal::Refused(text),
        other => other,
    }
}

pub(super) fn stale(text: &str) -> Refusal {
    Refusal::Stale(text.to_owned())
}

pub(super) fn unreadable(fault: &JsonFault) -> Refusal {
    Refusal::Transient(format!("the server's answer makes no sense: {fault}"))
}

/// What does not show its switch is not replaced: without it the server would switch it off.
pub(super) fn no_switch() -> Refusal {
    Refusal::Refused(
        "the server's answer does not show `active`, and an update without it would switch it off; look whether something \
         between us and the server leaves it out, or make the change by hand"
            .to_owned(),
    )
}

/// What is refused when a part of the change was done: what is there now must be seen before it is known what is left.
pub(super) fn partly(refusal: &Refusal) -> Refusal {
    match refusal {
        Refusal::Refused(text) => {
            Refusal::Stale(format!("a part of it was done, and then: {text}"))
        }
        other => other.clone(),
    }
}

/// A password of every sort of character that rules ask for.
fn throwaway_password() -> Result<String, Refusal> {
    let mut bytes = [0; PASSWORD_BYTES];
    let random = aws_lc_rs::default_provider().secure_random;
    random.fill(&mut bytes).map_err(|_| {
        Refusal::Transient("the system gives no random numbers for a password".to_owned())
    })?;
    Ok(format!("aA1!{}", URL_SAFE_NO_PAD.encode(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_accounts_get_one_password() {
        let (one, other) = (throwaway_password().unwrap(), throwaway_password().unwrap());
        assert_ne!(one, other);
        assert!(one.len() > 30 && one.is_ascii(), "{}", one.len());
    }
}
