//! What a failure means: result codes (RFC 4511, appendix A) and ldap3's errors, as what the administrator should do.

mod tls;

use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;

use ldap3::{LdapError, LdapResult};

use super::transport::ConnectFault;
use crate::directories::ReadError;
use crate::wire::ldap::guard::{Answer, GuardFault};

/// How much of a server's own words is repeated; they may hold anything.
const SERVER_TEXT_MAX: usize = 300;

/// What was being done when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Dialling and the TLS handshake.
    Connect,
    /// Logging in.
    Bind,
    /// Reading entries.
    Search,
}

/// Makes an error of an answer whose result code is not 0. `what` says what was done, where: `reading users from …`.
pub(super) fn refused(step: Step, what: &str, result: &LdapResult) -> ReadError {
    let (make, remedy) = meaning(step, result.rc);
    let cause = sub_code(&result.text).filter(|_| result.rc == 49);
    let mut text = format!("{what}: the server answered with result code {}", result.rc);
    text.push_str(&words(&result.text));
    if let Some(to) = result.refs.first() {
        let _ = write!(text, ", referring to `{}`", plain(to));
    }
    if let Some(cause) = cause {
        let _ = write!(text, ", which means that {cause}");
    }
    let _ = write!(text, "; {remedy}");
    make(text)
}

/// Makes an error of a failure of the connection. `seconds` is the time-out that was in force.
pub(super) fn failed(step: Step, what: &str, seconds: u64, error: &LdapError) -> ReadError {
    match error {
        LdapError::LdapResult { result } => refused(step, what, result),
        LdapError::Timeout { .. } => timed_out(what, seconds),
        LdapError::Io { source } => lost(step, what, Some(source)),
        LdapError::EndOfStream
        | LdapError::OpSend { .. }
        | LdapError::ResultRecv { .. }
        | LdapError::IdScrubSend { .. } => lost(step, what, None),
        LdapError::FilterParsing => {
            let hint =
                "the filter is not one: write it as in RFC 4515, like `(objectClass=person)`";
            ReadError::Configuration(format!("{what}: {hint}"))
        }
        other => ReadError::Configuration(format!("{what}: {other}")),
    }
}

/// Makes an error of a silence.
pub(super) fn timed_out(what: &str, seconds: u64) -> ReadError {
    let hint = "the server is overloaded or hangs, or something between drops the connection";
    ReadError::Unavailable(format!("{what}: no answer within {seconds} s; {hint}"))
}

/// Makes an error of a connection that did not come about. `seconds` is the time-out that was in force.
pub(super) fn not_connected(what: &str, seconds: u64, fault: &ConnectFault) -> ReadError {
    use ReadError::{Configuration, Unavailable};
    match fault {
        ConnectFault::Resolve(cause) => Unavailable(format!(
            "{what}: the name of the host is not known ({cause}); check `urls` and the system's name service"
        )),
        ConnectFault::Dial(faults) => Unavailable(format!("{what}: {}", each(faults))),
        ConnectFault::Socket(cause) => Unavailable(format!(
            "{what}: {cause}; is the server running, and may the daemon's user use the socket?"
        )),
        ConnectFault::Name(_) => Configuration(format!(
            "{what}: {fault}; write the server's host name in `urls`"
        )),
        ConnectFault::Tls(cause) => tls::failed(what, cause),
        ConnectFault::StartTls(answer) => no_starttls(what, answer),
        ConnectFault::Lost(cause) => Unavailable(format!(
            "{what}: the connection ended before the server had answered to StartTLS ({cause}); is this a port for \
             `ldaps://`?"
        )),
        ConnectFault::Smuggled => Unavailable(format!(
            "{what}: {fault}; somebody on the way may have put it there: look at what stands between, or use `ldaps://`"
        )),
        ConnectFault::Guard(fault) => guarded(Step::Connect, what, fault),
        ConnectFault::TimedOut(stage) => {
            timed_out(&format!("{what}: waiting for {stage}"), seconds)
        }
        ConnectFault::Pair(cause) => Unavailable(format!(
            "{what}: {fault} ({cause}); may the daemon have more open files?"
        )),
    }
}

/// Makes an error of a login without a name or a password, which servers take for an anonymous one.
pub(super) fn anonymous(what: &str) -> ReadError {
    ReadError::Unauthorised(format!(
        "{what}: the name or the password is empty, which servers take for nobody: check `bind`"
    ))
}

/// Makes an error of what the guard did not let pass.
pub(super) fn guarded(step: Step, what: &str, fault: &GuardFault) -> ReadError {
    match fault {
        GuardFault::Disconnected { code, text } => {
            let (make, remedy) = meaning(step, *code);
            make(format!("{what}: {fault}{}; {remedy}", words(text)))
        }
        GuardFault::ExtendedResponse { text, .. } => {
            ReadError::Configuration(format!("{what}: {fault}{}", words(text)))
        }
        GuardFault::Tls => ReadError::Configuration(format!("{what}: {fault}")),
        _ => ReadError::Incomplete(format!("{what}: {fault}")),
    }
}

/// Makes an error of a connection that ended before the answer did; `cause` is what the system or TLS said.
pub(super) fn lost(step: Step, what: &str, cause: Option<&io::Error>) -> ReadError {
    if let Some(cause) = cause
        && tls::is_of(cause)
    {
        return tls::failed(what, cause);
    }
    let mut text = format!("{what}: the connection ended before the answer was complete");
    if let Some(cause) = cause {
        let _ = write!(text, " ({cause})");
    }
    if step != Step::Search {
        text.push_str("; is this a port for `ldaps://`?");
    }
    ReadError::Unavailable(text)
}

/// Makes an error of bytes that are no LDAP, or none that the library can take.
pub(super) fn senseless(what: &str) -> ReadError {
    let hint = "is this an LDAP server, without something that rewrites its answers?";
    ReadError::Incomplete(format!(
        "{what}: the server sent something that is not a sound LDAP answer; {hint}"
    ))
}

/// What is wrong with each address of a host.
fn each(faults: &[(SocketAddr, io::Error)]) -> String {
    let one = |(address, fault): &(SocketAddr, io::Error)| match faults.len() {
        1 => fault.to_string(),
        _ => format!("{address}: {fault}"),
    };
    let texts: Vec<String> = faults.iter().map(one).collect();
    texts.join(", ")
}

fn no_starttls(what: &str, answer: &Answer) -> ReadError {
    let Answer { code, text } = answer;
    let make = match code {
        51 | 52 | 80 => ReadError::Unavailable,
        _ => ReadError::Configuration,
    };
    make(format!(
        "{what}: the server does not begin TLS and answered with result code {code}{}; give it a certificate, or use \
         `ldaps://`",
        words(text)
    ))
}

/// A server's words as a part of a sentence.
fn words(text: &str) -> String {
    let said = plain(text);
    if said.is_empty() {
        said
    } else {
        format!(" and said `{said}`")
    }
}

type Make = fn(String) -> ReadError;

/// What a result code means for the read, and what to do about it. A code that stands nowhere here cuts the answer.
fn meaning(step: Step, rc: u32) -> (Make, &'static str) {
    use ReadError::{Configuration, Incomplete, Unauthorised, Unavailable};
    match rc {
        3 => (
            Incomplete,
            "its time limit cut the answer: raise the limit for the bind DN, or let it index what `filter` asks",
        ),
        4 => (
            Incomplete,
            "its size limit cut the answer: raise the limit for the bind DN (OpenLDAP: `limits … size=unlimited`)",
        ),
        11 => (
            Incomplete,
            "an administrative limit: allow the bind DN to read in pages and without limits, or lower `page_size`",
        ),
        10 => (
            Configuration,
            "the base is held by another server: name that one in `urls`, or another `base`",
        ),
        32 | 33 | 36 => (
            Configuration,
            "the base does not exist, or the bind DN may not see it: check `base` and the bind DN's rights",
        ),
        34 => (
            Configuration,
            "a name is not a DN: check `base` and `bind: { dn }`",
        ),
        1 | 50 => (
            Configuration,
            "the bind DN may not do that: give it the right to read, or set `bind`",
        ),
        7 => (Configuration, "it does not take simple binds"),
        8 | 13 => (
            Configuration,
            "it demands encryption: use `ldaps://` or `starttls: true`",
        ),
        2 | 12 | 16 | 17 | 18 | 21 => (
            Configuration,
            "it does not understand the question: check `filter` and `attributes`",
        ),
        14 => (
            Configuration,
            "it demands another kind of bind than a simple one",
        ),
        19 if step == Step::Bind => (
            Unauthorised,
            "the account is locked or its password is expired: mend the account that `bind` names",
        ),
        48 | 49 => (
            Unauthorised,
            "the bind DN or its password is wrong, or the account is locked: check `bind`",
        ),
        53 if step == Step::Bind => (
            Unauthorised,
            "it does not let this account log in: check `bind`",
        ),
        53 => (
            Incomplete,
            "it is not willing to answer: its log says why; is the database in maintenance?",
        ),
        54 => (
            Incomplete,
            "its tree has a loop: mend its aliases or referrals",
        ),
        51 | 52 | 80 | 88 => (Unavailable, "the next poll tries again"),
        _ => (Incomplete, "the answer is not complete"),
    }
}

/// Why Active Directory refused a login: its own text says it as `data 52e`, a Windows error code in hexadecimal.
pub(super) fn data(said: &str) -> Option<String> {
    let (_, code) = said.split_once(" data ")?;
    let end = code.find(|it: char| !it.is_ascii_hexdigit());
    let code = &code[..end.unwrap_or(code.len())];
    Some(code.to_ascii_lowercase())
}

/// The same in words.
fn sub_code(said: &str) -> Option<&'static str> {
    let cause = match data(said)?.as_str() {
        "525" => "there is no such user",
        "52e" => "the password is wrong",
        "530" => "the user may not log in at this hour",
        "531" => "the user may not log in from this machine",
        "532" => "the user's password has expired",
        "533" => "the user is switched off",
        "568" => "the user is in too many groups",
        "701" => "the user has expired",
        "773" => "the user must change the password first",
        "775" => "the user is locked after too many wrong passwords",
        _ => return None,
    };
    Some(cause)
}

/// A server's words, on one line and not too long.
fn plain(text: &str) -> String {
    let text = text.trim_matches(|c: char| c.is_control() || c.is_whitespace());
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(SERVER_TEXT_MAX)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(rc: u32, text: &str) -> LdapResult {
        LdapResult {
            rc,
            matched: String::new(),
            text: text.to_owned(),
            refs: Vec::new(),
            ctrls: Vec::new(),
        }
    }

    #[test]
    fn every_result_code_says_what_the_caller_will_do() {
        fn check(step: Step, codes: &[u32], expect: &str) {
            for &rc in codes {
                let error = refused(step, "reading", &answer(rc, ""));
                assert_eq!(error.word(), expect, "{step:?} {rc}");
            }
        }
        check(Step::Search, &[3, 4, 11, 53, 54, 4096, 0], "incomplete");
        check(
            Step::Search,
            &[
                1, 2, 7, 8, 10, 12, 13, 14, 16, 17, 18, 21, 32, 33, 34, 36, 50,
            ],
            "configuration",
        );
        check(Step::Search, &[51, 52, 88, 80], "unavailable");
        check(Step::Bind, &[19, 48, 49, 53], "unauthorised");
        check(Step::Bind, &[51, 52], "unavailable");
    }

    #[test]
    fn every_result_code_says_what_the_administrator_should_do() {
        fn check(step: Step, rc: u32, expect: &str) {
            let error = refused(step, "reading", &answer(rc, "")).to_string();
            assert!(error.contains(expect), "{rc}: {error}");
        }
        check(Step::Search, 3, "raise the limit for the bind DN");
        check(Step::Search, 4, "size=unlimited");
        check(Step::Search, 11, "`page_size`");
        check(Step::Search, 32, "check `base`");
        check(Step::Search, 50, "give it the right to read");
        check(Step::Search, 51, "the next poll tries again");
        check(Step::Search, 52, "the next poll tries again");
        check(Step::Search, 53, "its log says why");
        check(Step::Bind, 53, "check `bind`");
        check(Step::Bind, 49, "check `bind`");
    }

    #[test]
    fn active_directory_says_why_it_refused_a_login() {
        fn check(rc: u32, data: &str, expect: Option<&str>) {
            let said = format!(
                "80090308: LdapErr: DSID-0C09042F, comment: AcceptSecurityContext error, data {data}, v4563"
            );
            let error = refused(Step::Bind, "binding", &answer(rc, &said)).to_string();
            let meant = error.split_once(", which means that ").map(|it| it.1);
            let meant = meant.and_then(|it| it.split(';').next());
            assert_eq!(meant, expect, "{data}");
        }
        check(49, "525", Some("there is no such user"));
        check(49, "52e", Some("the password is wrong"));
        check(49, "52E", Some("the password is wrong"));
        check(49, "530", Some("the user may not log in at this hour"));
        check(49, "531", Some("the user may not log in from this machine"));
        check(49, "532", Some("the user's password has expired"));
        check(49, "533", Some("the user is switched off"));
        check(49, "701", Some("the user has expired"));
        check(49, "773", Some("the user must change the password first"));
        check(
            49,
            "775",
            Some("the user is locked after too many wrong passwords"),
        );
        check(49, "0", None);
        check(49, "é", None);
        check(50, "52e", None);
    }

    #[test]
    fn the_servers_words_are_kept_on_one_line_and_short() {
        let text = format!("data 52e\0\nv4f7c{}", "x".repeat(1_000));
        let error = refused(Step::Bind, "binding", &answer(49, &text)).to_string();
        assert!(
            error.starts_with(
                "binding: the server answered with result code 49 and said `data 52e  v4f7cx"
            ),
            "{error}"
        );
        assert!(error.len() < 600 && !error.contains('\n'), "{error}");
    }

    #[test]
    fn a_referral_names_where_it_leads() {
        let mut result = answer(10, "");
        result.refs = vec!["ldap://other/dc=x".to_owned()];
        let error = refused(Step::Search, "reading", &result).to_string();
        assert!(
            error.contains("referring to `ldap://other/dc=x`"),
            "{error}"
        );
    }
}
