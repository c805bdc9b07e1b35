//! The kinds of values that options take, each read and checked as a whole.

use std::fmt;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use chrono_tz::{TZ_VARIANTS, Tz};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Serialize, Serializer};

use super::problem::nearest;
use crate::schedule::Schedule;
use crate::text::{Globs, Span, fold};

/// A list of globs over folded usernames, group names or attribute values.
#[derive(Clone, Debug, Default)]
pub struct GlobList {
    patterns: Vec<String>,
    globs: Globs,
}

/// A cron line. Its time zone is that of the configuration, so it is asked for by [`super::Config::schedule_of`].
#[derive(Clone, Debug)]
pub struct CronLine(pub(super) Schedule);

/// Whose mail addresses may tie users of different usernames.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub enum TrustMail {
    /// Nobody's.
    #[default]
    No,
    /// Everybody's in this directory.
    Yes,
    /// Those in one of these domains, folded.
    Domains(Vec<String>),
}

/// Where the daemon remembers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// A SQLite file.
    Sqlite(PathBuf),
}

impl GlobList {
    /// The patterns as they were written.
    pub fn patterns(&self) -> &[String] {
        &self.patterns
    }

    /// The patterns, ready to match.
    pub fn globs(&self) -> &Globs {
        &self.globs
    }

    /// Whether nothing is listed.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }
}

/// What it means, not how it was written: folded, sorted, each pattern once. Digests are made of this.
impl Serialize for GlobList {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut patterns: Vec<String> = self.patterns.iter().map(|it| fold(it)).collect();
        patterns.sort_unstable();
        patterns.dedup();
        patterns.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for GlobList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<GlobList, D::Error> {
        let patterns = Vec::<Pattern>::deserialize(deserializer)?;
        let patterns: Vec<String> = patterns.into_iter().map(|it| it.0).collect();
        let globs = Globs::new(&patterns).map_err(D::Error::custom)?;
        Ok(GlobList { patterns, globs })
    }
}

/// One glob, checked by itself so that a fault is found where it stands.
struct Pattern(String);

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Pattern, D::Error> {
        let pattern = String::deserialize(deserializer)?;
        Globs::new(&[&pattern]).map_err(D::Error::custom)?;
        Ok(Pattern(pattern))
    }
}

impl<'de> Deserialize<'de> for CronLine {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<CronLine, D::Error> {
        let line = String::deserialize(deserializer)?;
        let schedule = Schedule::parse(&line, Tz::UTC).map_err(D::Error::custom)?;
        Ok(CronLine(schedule))
    }
}

impl<'de> Deserialize<'de> for TrustMail {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<TrustMail, D::Error> {
        deserializer.deserialize_any(TrustMailVisitor)
    }
}

struct TrustMailVisitor;

impl<'de> Visitor<'de> for TrustMailVisitor {
    type Value = TrustMail;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`true`, `false` or a list of mail domains")
    }

    fn visit_bool<E>(self, trust: bool) -> Result<TrustMail, E> {
        Ok(if trust { TrustMail::Yes } else { TrustMail::No })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<TrustMail, A::Error> {
        let mut domains = Vec::new();
        while let Some(Domain(domain)) = seq.next_element()? {
            domains.push(domain);
        }
        domains.sort_unstable();
        domains.dedup();
        Ok(TrustMail::Domains(domains))
    }
}

/// The part of a mail address behind the `@`, folded.
struct Domain(String);

impl<'de> Deserialize<'de> for Domain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Domain, D::Error> {
        let domain = String::deserialize(deserializer)?;
        let odd = |c: char| c == '@' || c == '*' || c.is_whitespace() || c.is_control();
        if domain.is_empty() || domain.contains(odd) {
            return Err(D::Error::custom(format_args!(
                "`{domain}` is no mail domain: write it like `example.com`, each subdomain by itself"
            )));
        }
        Ok(Domain(fold(&domain)))
    }
}

impl State {
    /// The same with a relative path taken from `base`.
    pub(super) fn under(self, base: &Path) -> State {
        let State::Sqlite(path) = self;
        State::Sqlite(base.join(path))
    }
}

impl<'de> Deserialize<'de> for State {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<State, D::Error> {
        let url = String::deserialize(deserializer)?;
        match sqlite_path(&url) {
            Some(path) if path.is_empty() || path.starts_with(':') => Err(D::Error::custom(
                "it must be a file: what is linked to what has to survive a restart",
            )),
            Some(path) if path.contains('?') => Err(D::Error::custom(
                "parameters are not taken: write `sqlite:PATH`",
            )),
            Some(path) => Ok(State::Sqlite(path.into())),
            None if url.starts_with("postgres") => Err(D::Error::custom(
                "this version keeps its state in SQLite only: write `sqlite:PATH`",
            )),
            None => Err(D::Error::custom(
                "it is no address of a store: write `sqlite:PATH`",
            )),
        }
    }
}

/// The path in `sqlite:PATH`, `sqlite://PATH` (so that `sqlite:///var/x` is `/var/x`).
pub(super) fn sqlite_path(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("sqlite:")?;
    Some(rest.strip_prefix("//").unwrap_or(rest))
}

/// Reads the name of a time zone as the IANA database has it.
pub(super) fn time_zone<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Tz, D::Error> {
    let name = String::deserialize(deserializer)?;
    name.parse().map_err(|_| {
        let known = TZ_VARIANTS.iter().map(|it| it.name());
        let meant = nearest(&name, known).unwrap_or("Europe/Berlin");
        D::Error::custom(format_args!(
            "`{name}` is no time zone: write it like `{meant}`"
        ))
    })
}

/// Reads a mapping in the order of the file. Two keys that are one name in two spellings are both there.
pub(super) fn pairs<'de, D, K, V>(deserializer: D) -> Result<Vec<(K, V)>, D::Error>
where
    D: Deserializer<'de>,
    K: Deserialize<'de>,
    V: Deserialize<'de>,
{
    struct Pairs<K, V>(PhantomData<(K, V)>);

    impl<'de, K: Deserialize<'de>, V: Deserialize<'de>> Visitor<'de> for Pairs<K, V> {
        type Value = Vec<(K, V)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a mapping")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<(K, V)>, A::Error> {
            let mut pairs = Vec::new();
            while let Some(pair) = map.next_entry()? {
                pairs.push(pair);
            }
            Ok(pairs)
        }
    }
    deserializer.deserialize_map(Pairs(PhantomData))
}

/// Reads a length of time, or `never` as `None`.
pub(super) fn span_or_never<'de, D>(deserializer: D) -> Result<Option<Span>, D::Error>
where
    D: Deserializer<'de>,
{
    struct SpanOrNever;

    impl Visitor<'_> for SpanOrNever {
        type Value = Option<Span>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("`never` or a length of time like `90d`")
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Option<Span>, E> {
            match text {
                "never" => Ok(None),
                _ => text.parse().map(Some).map_err(E::custom),
            }
        }

        fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Option<Span>, E> {
            self.visit_str(&number.to_string())
        }
    }
    deserializer.deserialize_any(SpanOrNever)
}
