//! Secrets: whether they can be read, and whether they stand where they should not.

use std::path::Path;

use secrecy::{ExposeSecret as _, SecretString};

use super::super::read::SecretPlace;
use super::super::spot::{Report, Spot};

/// How a hash of a password begins (PHC string format); it may be seen.
const HASH: &str = "$argon2";

pub(super) fn check(secrets: &[SecretPlace<'_>], base_dir: &Path, report: &mut Report) {
    for place in secrets {
        let Some(secret) = place.reference() else {
            continue;
        };
        let spot = Spot::of(place.node, &place.path);
        let resolved = secret.resolve(base_dir);
        let hashed = |it: &SecretString| it.expose_secret().starts_with(HASH);
        if secret.is_literal() && !resolved.as_ref().is_ok_and(hashed) {
            let hint = "write `{ credential: NAME }`, `{ file: PATH }` or `{ env: NAME }`, and change it, since files are copied";
            let what = "the secret itself stands in the configuration";
            report.warning(&spot, what, Some(hint));
        }
        if !place.wanted {
            continue;
        }
        if let Err(fault) = resolved {
            let cause = std::error::Error::source(&fault).map(|it| format!(" ({it})"));
            report.secret(&spot, format!("{fault}{}", cause.unwrap_or_default()));
        }
    }
}
