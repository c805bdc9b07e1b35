//! From Google's error to what the administrator must do: one table, in errors and in `docs/google.md`.
//!
//! Google refuses in two languages. Where a token is asked for it is that of OAuth 2.0 (RFC 6749, section 5.2), where the
//! description says more than the word. The API has an envelope of which there are two forms, and answers throttling, a
//! project that is not set up and an object of somebody else all with 403, so the status decides nothing: the reason does.

mod said;

pub(super) use self::said::Said;

/// What a refusal is for whoever asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// We are not let in.
    Login,
    /// The configuration does not fit, or that at Google.
    Setup,
    /// We are not let in, if it is a list; else it may be of the object alone.
    Rights,
    /// The configuration does not fit, if it is a list; else it may be of the object alone.
    Nowhere,
    /// Not now, and it is worth while to ask again in a moment.
    Throttled,
    /// Not today.
    Spent,
}

/// Where something is refused, as the table shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Where a token is asked for.
    Token,
    /// At the API, with this status.
    Api(&'static str),
}

/// One row of the table.
#[derive(Debug)]
pub(super) struct Refusal {
    place: Place,
    /// Google's word for it.
    word: &'static str,
    /// Pieces of what stands beside the word, of which one must be there; without any, the word alone says it.
    pieces: &'static [&'static str],
    /// What it means.
    means: &'static str,
    /// What to do.
    remedy: &'static str,
    /// What it is for whoever asked.
    pub(super) kind: Kind,
}

/// What is known of Google's refusals. The first row that fits counts.
const REFUSALS: &[Refusal] = &[
    token(
        "unauthorized_client",
        &["Unauthorized client or scope in request"],
        "the service account is not authorised in the domain of `subject`",
        "in the Admin console under Security > Access and data control > API controls > Domain-wide delegation, add the numeric \
         `client_id` of the key file with exactly the scopes that are asked for; it may take 24 hours until that counts",
    ),
    token(
        "unauthorized_client",
        &["Client is unauthorized to retrieve access tokens"],
        "the service account is authorised by its address and not by its number, through a group, or with other scopes",
        "in the Admin console under Security > Access and data control > API controls > Domain-wide delegation, compare the entry: \
         the numeric `client_id` of the key file, and exactly the scopes that are asked for",
    ),
    token(
        "unauthorized_client",
        &[],
        "the service account may not have such a token",
        "in the Admin console under Security > Access and data control > API controls > Domain-wide delegation, see that the \
         numeric `client_id` of the key file has an entry with exactly the scopes that are asked for",
    ),
    token(
        "access_denied",
        &[],
        "at least one of the scopes that are asked for is not authorised",
        "in the Admin console under Security > Access and data control > API controls > Domain-wide delegation, add it to the entry \
         of the service account",
    ),
    token(
        "admin_policy_enforced",
        &[],
        "a policy of the Google Workspace blocks the service account, or one of the scopes",
        "in the Admin console under Security > Access and data control > API controls > App access control, trust the `client_id` \
         of the key file",
    ),
    token(
        "invalid_grant",
        &["Not a valid email", "Invalid email or User ID"],
        "nobody active has the address in `subject`: it is misspelt, or its user was renamed, suspended or deleted",
        "write the primary address of an active administrator in `subject`",
    ),
    token(
        "invalid_grant",
        &["short-lived token"],
        "the clock of this machine is wrong",
        "set it, and let NTP keep it right",
    ),
    token(
        "invalid_grant",
        &["Invalid JWT Signature"],
        "the key was deleted or disabled, or it has expired, or the key file is of another account",
        "make a new key of the type JSON for the service account, and put it where `key` says",
    ),
    token(
        "invalid_grant",
        &["No valid verifier found for issuer", "account not found"],
        "Google knows no service account of the `client_email` in the key file",
        "put the key file where `key` says as Google gave it; if the account was deleted, restore it within 30 days or make another \
         with a key of its own",
    ),
    token(
        "invalid_grant",
        &[],
        "Google does not take what was signed with the key",
        "check `subject`, the clock of this machine, and that the service account and its key are still there and enabled",
    ),
    token(
        "invalid_scope",
        &[],
        "a scope that is asked for is not known there",
        "see that `token_uri` in the key file is `https://oauth2.googleapis.com/token`",
    ),
    token(
        "disabled_client",
        &[],
        "the service account is disabled, or its project is",
        "enable it in the Google Cloud console under IAM & Admin > Service Accounts",
    ),
    token(
        "deleted_client",
        &[],
        "the service account was deleted",
        "restore it within 30 days; else make another, authorise its `client_id`, and put its key where `key` says",
    ),
    token(
        "invalid_client",
        &[],
        "Google does not know the service account by what stands in the key file",
        "put the key file where `key` says as Google gave it, or make a new key",
    ),
    token(
        "org_internal",
        &[],
        "the service account is restricted to the organisation of its own project, and `subject` belongs to another",
        "make the service account in a project of the organisation that is read",
    ),
    api(
        "401",
        "authError",
        &[],
        "Google does not take the token that it has just given",
        "see that `url` and `token_uri` in the key file are Google's, and that the service account is still enabled",
        Kind::Login,
    ),
    api(
        "403",
        "accessNotConfigured",
        &[],
        "the Admin SDK API is not enabled in the project of the service account",
        "enable it in the Google Cloud console under APIs & Services > Library > Admin SDK API; it counts after some minutes",
        Kind::Setup,
    ),
    api(
        "403",
        "domainCannotUseApis",
        &[],
        "access over APIs is switched off for the whole Google Workspace",
        "have it allowed in the Admin console under Security > Access and data control > API controls",
        Kind::Setup,
    ),
    api(
        "403",
        "insufficientPermissions",
        &[],
        "the token lacks the scope for this call",
        "in the Admin console under Security > Access and data control > API controls > Domain-wide delegation, add the scope to \
         the entry of the service account",
        Kind::Login,
    ),
    api(
        "403",
        "forbidden",
        &[],
        "`subject`, or without one the service account itself, is no administrator, or its role may not read this",
        "in the Admin console under Account > Admin roles, give it a role with the privileges to read users and groups, and for \
         `activity` the privilege Reports",
        Kind::Rights,
    ),
    api(
        "404",
        "notFound",
        &["Domain not found"],
        "`subject` belongs to no domain of a Google Workspace, or one of `domains` is none of this one",
        "write the primary address of an administrator in `subject`, never that of a service account, and compare `domains` with the \
         Admin console under Account > Domains",
        Kind::Setup,
    ),
    api(
        "404",
        "notFound",
        &[],
        "there is no such customer or domain, or no such call at `url`",
        "compare `customer` and `domains` with the Admin console under Account; leave `url` out, unless something stands before Google",
        Kind::Nowhere,
    ),
    api(
        "400",
        "badRequest",
        &["Invalid Input", "Bad Request"],
        "`customer` or `domains` is of the wrong kind, a domain for an ID or the other way about, or `subject` is no administrator",
        "leave `customer` out or write the ID that the Admin console shows under Account > Account settings, write domains in \
         `domains`, and the primary address of an administrator in `subject`",
        Kind::Setup,
    ),
    api(
        "403",
        "userRateLimitExceeded",
        &[],
        "more was asked in a minute than the quota of the project allows",
        "lower `queries_per_minute`, or have the quota raised in the Google Cloud console",
        Kind::Throttled,
    ),
    api(
        "403",
        "quotaExceeded",
        &[],
        "too much was asked at once",
        "lower `queries_per_minute`, and see what else asks with this service account",
        Kind::Throttled,
    ),
    api(
        "403 or 429",
        "rateLimitExceeded",
        &[],
        "all programs that read this Google Workspace ask too much together",
        "lower `queries_per_minute`, and let the others ask less: Google does not raise this limit",
        Kind::Throttled,
    ),
    api(
        "403",
        "dailyLimitExceeded",
        &[],
        "the quota of the project for a day is spent",
        "have it raised in the Google Cloud console, or wait until the next day",
        Kind::Spent,
    ),
];

const fn token(
    word: &'static str,
    pieces: &'static [&'static str],
    means: &'static str,
    remedy: &'static str,
) -> Refusal {
    Refusal {
        place: Place::Token,
        word,
        pieces,
        means,
        remedy,
        kind: Kind::Login,
    }
}

const fn api(
    status: &'static str,
    word: &'static str,
    pieces: &'static [&'static str],
    means: &'static str,
    remedy: &'static str,
    kind: Kind,
) -> Refusal {
    Refusal {
        place: Place::Api(status),
        word,
        pieces,
        means,
        remedy,
        kind,
    }
}

impl Refusal {
    /// What is known of such an answer to a request for a token.
    pub(super) fn of_token(said: &Said) -> Option<&'static Refusal> {
        let mut rows = REFUSALS.iter().filter(|it| it.place == Place::Token);
        rows.find(|it| it.fits(said))
    }

    /// What is known of such an answer of the API.
    pub(super) fn of_api(said: &Said) -> Option<&'static Refusal> {
        let mut rows = REFUSALS.iter().filter(|it| it.place != Place::Token);
        rows.find(|it| it.fits(said))
    }

    /// The text of an error: what was done and came to such an end, what Google said, what that means, and what to do.
    pub(super) fn text(&self, what: &str, said: &Said) -> String {
        let Refusal { means, remedy, .. } = self;
        format!("{what}, {}: {means}; {remedy}", said.shown())
    }

    fn fits(&self, said: &Said) -> bool {
        let message = said.message.to_lowercase();
        let stands = |piece: &&str| message.contains(&piece.to_lowercase());
        self.word == said.word && (self.pieces.is_empty() || self.pieces.iter().any(stands))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = include_str!("../../../docs/google.md");

    /// What Google says, as the table shows it.
    fn says(row: &Refusal) -> String {
        let status = match row.place {
            Place::Token => String::new(),
            Place::Api(status) => format!("{status} "),
        };
        let pieces: Vec<String> = row.pieces.iter().map(|it| format!("`{it}`")).collect();
        match pieces.as_slice() {
            [] => format!("{status}`{}`", row.word),
            pieces => format!("{status}`{}` with {}", row.word, pieces.join(" or ")),
        }
    }

    #[test]
    fn the_page_shows_every_refusal_word_for_word_and_no_other() {
        let (_, section) = PAGE.split_once("\n## What Google refuses\n").unwrap();
        let section = section.split("\n## ").next().unwrap();
        let shown: Vec<&str> = section.lines().filter(|it| it.starts_with('|')).collect();
        let rows = REFUSALS.iter();
        let rows = rows.map(|it| format!("| {} | {} | {} |", says(it), it.means, it.remedy));
        let head = ["| Google says | it means | do this |", "|---|---|---|"];
        let expect: Vec<String> = head.map(str::to_owned).into_iter().chain(rows).collect();
        assert_eq!(shown, expect, "\n{}\n", expect.join("\n"));
    }

    fn token_says(body: &str) -> Option<String> {
        let said = Said::by_token(body.as_bytes())?;
        Refusal::of_token(&said).map(says)
    }

    #[test]
    fn a_text_says_what_google_said_and_names_nobody() {
        let said = Said {
            word: "invalid_grant".to_owned(),
            message: "Invalid JWT: No valid verifier found for issuer: a@b.example".to_owned(),
        };
        let text = Refusal::of_token(&said).unwrap().text("ask", &said);
        let begin = "ask, saying `invalid_grant` (Invalid JWT: No valid verifier found for issuer: ***): Google knows no service";
        assert!(text.starts_with(begin), "{text}");
    }

    #[test]
    fn a_refused_token_is_known_by_its_word_and_by_what_stands_beside_it() {
        fn check(error: &str, description: &str, expect: Option<&str>) {
            let body = format!(r#"{{"error":"{error}","error_description":"{description}"}}"#);
            let found = token_says(&body);
            assert_eq!(found.as_deref(), expect, "{body}");
        }
        check(
            "unauthorized_client",
            "Unauthorized client or scope in request.",
            Some("`unauthorized_client` with `Unauthorized client or scope in request`"),
        );
        check(
            "unauthorized_client",
            "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the \
             scopes requested.",
            Some("`unauthorized_client` with `Client is unauthorized to retrieve access tokens`"),
        );
        check("unauthorized_client", "", Some("`unauthorized_client`"));
        let subject = "`invalid_grant` with `Not a valid email` or `Invalid email or User ID`";
        check(
            "invalid_grant",
            "Not a valid email or user ID.",
            Some(subject),
        );
        check("invalid_grant", "Invalid email or User ID", Some(subject));
        check(
            "invalid_grant",
            "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.",
            Some("`invalid_grant` with `short-lived token`"),
        );
        check(
            "invalid_grant",
            "Invalid JWT Signature.",
            Some("`invalid_grant` with `Invalid JWT Signature`"),
        );
        let issuer =
            "`invalid_grant` with `No valid verifier found for issuer` or `account not found`";
        check(
            "invalid_grant",
            "Invalid JWT: No valid verifier found for issuer: x@y",
            Some(issuer),
        );
        check("invalid_grant", "Bad Request", Some("`invalid_grant`"));
        check("access_denied", "x", Some("`access_denied`"));
        // What means something to the API means nothing here.
        check("forbidden", "", None);
        check("never heard of", "", None);
        assert_eq!(token_says("<html>"), None);
        assert_eq!(token_says(r#"{"error": {"code": 403}}"#), None);
    }

    #[test]
    fn a_refusal_of_the_api_is_known_by_its_reason_alone() {
        fn check(reason: &str, message: &str, expect: Option<Kind>) {
            let said = Said {
                word: reason.to_owned(),
                message: message.to_owned(),
            };
            let found = Refusal::of_api(&said).map(|it| it.kind);
            assert_eq!(found, expect, "{said:?}");
        }
        check("authError", "Invalid Credentials", Some(Kind::Login));
        check("accessNotConfigured", "", Some(Kind::Setup));
        check("domainCannotUseApis", "", Some(Kind::Setup));
        check("insufficientPermissions", "", Some(Kind::Login));
        check(
            "forbidden",
            "Not Authorized to access this resource/api",
            Some(Kind::Rights),
        );
        check("notFound", "Domain not found.", Some(Kind::Setup));
        check(
            "notFound",
            "Resource Not Found: groupKey",
            Some(Kind::Nowhere),
        );
        check("badRequest", "Invalid Input: query", Some(Kind::Setup));
        check("badRequest", "Type not supported: userKey", None);
        for reason in [
            "userRateLimitExceeded",
            "quotaExceeded",
            "rateLimitExceeded",
        ] {
            check(reason, "", Some(Kind::Throttled));
        }
        check("dailyLimitExceeded", "", Some(Kind::Spent));
        check("invalid_grant", "", None);
        check("", "", None);
    }
}
