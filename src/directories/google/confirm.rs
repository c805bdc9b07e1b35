//! Asking for whatever is missing before it counts as gone.
//!
//! Google has answered lists that were whole in every sign and lacked objects (status 200, no further page). A list that
//! lacks something that is there shows that it is no list of everything, so nothing of the read is taken.

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;

use super::fault::GoogleFault;
use crate::directories::ReadError;

/// The most objects of one kind that a read asks for one by one. Whatever is missing beyond is unknown, and asked for by the
/// reads that follow.
pub(super) const CONFIRM_MAX: usize = 500;

/// How many of them are under way at once; the pace lets fewer through.
const IN_FLIGHT: usize = 16;

/// What was found of an object that a list lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// It is not there any more, or does not belong there any more.
    Gone,
    /// It is there, so the list is no list of everything.
    There,
    /// It stays as it was, and nothing else follows from that.
    Stays,
}

/// Asks for each of these, and gives back those that stay as they were: those of which nobody can say whether they are gone,
/// too.
///
/// # Errors
/// [`ReadError::Incomplete`] where one is there that `list` lacks; any fault that is not about one object.
pub(super) async fn unsure<T: Copy, F>(
    list: &str,
    missing: &[T],
    ask: impl Fn(T) -> F,
) -> Result<Vec<T>, ReadError>
where
    F: Future<Output = Result<Found, GoogleFault>>,
{
    let (asked, beyond) = missing.split_at(missing.len().min(CONFIRM_MAX));
    let mut unsure = beyond.to_vec();
    let mut left = asked.iter();
    let mut flying = FuturesUnordered::new();
    loop {
        let free = IN_FLIGHT - flying.len();
        for it in left.by_ref().take(free) {
            let answer = ask(*it);
            flying.push(async move { (*it, answer.await) });
        }
        let Some((it, answer)) = flying.next().await else {
            return Ok(unsure);
        };
        match answer {
            Ok(Found::Gone) => {}
            Ok(Found::There) => return Err(partial(list, missing.len())),
            Ok(Found::Stays) => unsure.push(it),
            Err(fault) if fault.is_of_one_object() => unsure.push(it),
            Err(fault) => return Err(fault.into()),
        }
    }
}

fn partial(list: &str, missing: usize) -> ReadError {
    ReadError::Incomplete(format!(
        "{list}: Google answered with a part of the list: {missing} that were there before are missing in it, and one of them, \
         asked for by its id, is there. Nothing of this answer is taken and nobody is removed; the next read asks again. If it \
         stays so for hours, ask Google's support why this list is not complete"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16) -> GoogleFault {
        GoogleFault::Refused {
            status,
            reason: String::new(),
            text: "t".to_owned(),
        }
    }

    #[tokio::test]
    async fn what_is_gone_is_gone_and_what_nobody_can_say_stays() {
        let ask = async |it: usize| match it {
            0 => Err(refused(403)),
            1 => Ok(Found::Stays),
            _ => Ok(Found::Gone),
        };
        let missing: Vec<usize> = (0..CONFIRM_MAX + 2).collect();
        let mut unsure = unsure("list users", &missing, ask).await.unwrap();
        unsure.sort_unstable();
        assert_eq!(unsure, [0, 1, CONFIRM_MAX, CONFIRM_MAX + 1]);
    }

    #[tokio::test]
    async fn one_that_is_there_makes_the_read_incomplete_and_a_fault_of_everything_fails_it() {
        let check = async |answer: Result<Found, GoogleFault>, expect: &str| {
            let ask = |_| std::future::ready(answer.clone());
            let error = unsure("list users", &[1], ask).await.unwrap_err();
            assert_eq!(error.word(), expect, "{error}");
        };
        check(Ok(Found::There), "incomplete").await;
        check(Err(GoogleFault::Busy("t".to_owned())), "unavailable").await;
    }
}
