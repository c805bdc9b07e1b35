//! Secrets: whether they can be read, and whether they stand where they should not.

use std::path::Path;

use super::super::read::SecretPlace;
use super::super::spot::{Report, Spot};

pub(super) fn check(secrets: &[SecretPlace<'_>], base_dir: &Path, report: &mut Report) {
    for place in secrets {
        let Some(secret) = place.reference() else {
            continue;
        };
        let spot = Spot::of(place.node, &place.path);
        if secret.is_literal() {
            let hint = "write `{ credential: NAME }`, `{ file: PATH }` or `{ env: NAME }`, and change it, since files are copied";
            let what = "the secret itself stands in the configuration";
            report.warning(&spot, what, Some(hint));
        }
        if !place.wanted {
            continue;
        }
        if let Err(fault) = secret.resolve(base_dir) {
            let cause = std::error::Error::source(&fault).map(|it| format!(" ({it})"));
            report.secret(&spot, format!("{fault}{}", cause.unwrap_or_default()));
        }
    }
}
