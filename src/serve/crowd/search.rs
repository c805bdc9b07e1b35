//! Searching.

use secrecy::zeroize::Zeroizing;

use super::Question;
use crate::serve::reply::{Answer, Refusal};
use crate::wire::crowd::{Format, Kind};

/// Answers a search; `sent` is its body, if it was posted.
pub(in crate::serve) async fn search(
    question: Question<'_>,
    sent: Option<(Format, Zeroizing<Vec<u8>>)>,
) -> Result<Answer, Refusal> {
    let kind = question.query.must("entity-type")?;
    match kind.to_ascii_lowercase().as_str() {
        "user" => question.list(Kind::Users, 0..question.image.users()),
        "group" => question.list(Kind::Groups, 0..question.image.groups()),
        _ => Err(Refusal::argument("entity-type must be user or group.")),
    }
}
