//! What is said of a change that an application refuses, wherever such changes are shown.

use serde_json::{Value, json};

use crate::clock::Timestamp;
use crate::store::Refused;
use crate::text::counted;

/// One refused change, for JSON.
pub(crate) fn value(it: &Refused) -> Value {
    json!({
        "subject": it.subject,
        "change": it.change,
        "error": it.text,
        "times": it.count,
        "retry_at": it.next_at.to_string(),
    })
}

/// One refused change, in words.
pub(crate) fn line(it: &Refused, now: Timestamp) -> String {
    let Refused {
        subject,
        change,
        text,
        ..
    } = it;
    let times = counted(u64::from(it.count), "time");
    let when = if it.next_at > now {
        format!("at {}, or by `usersyncd --sync-now`", it.next_at)
    } else {
        "by the next push".to_owned()
    };
    format!("{subject}: {change} ({text}); refused {times}, tried again {when}")
}
