//! Why a server is not listened to any longer.

use super::{DEPTH_MAX, TEXT_MAX};

/// Why the bytes of a server are not passed on. Each ends the connection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GuardFault {
    /// The server speaks TLS where plain LDAP was awaited.
    #[error("the server answered in TLS: is this a port for `ldaps://`?")]
    Tls,
    /// Another protocol.
    #[error(
        "the server's answer begins with the byte {0:#04x}, which no LDAP message does: is this an LDAP server?"
    )]
    NotLdap(u8),
    /// A length that LDAP does not allow (RFC 4511, section 5.1), or one of more than four bytes.
    #[error("the server wrote a length in a form that LDAP does not have; {REWRITTEN}")]
    LengthForm,
    /// A tag of several bytes, which is nowhere in LDAP.
    #[error("the server used a tag that LDAP does not have; {REWRITTEN}")]
    LongTag,
    /// One message is too large.
    #[error(
        "the server announced a message of {bytes} bytes, more than the {limit} that are taken: narrow `filter` or \
         `attributes`"
    )]
    MessageSize {
        /// What was announced.
        bytes: u64,
        /// What is taken.
        limit: u64,
    },
    /// All messages together are too large.
    #[error(
        "the server sent more than {0} bytes over one connection: narrow `base`, `filter` or `attributes`"
    )]
    TotalSize(u64),
    /// One message has too many parts.
    #[error("the server sent a message of more than {0} values: narrow `filter` or `attributes`")]
    Elements(u32),
    /// Elements lie too deep in one another.
    #[error("the server sent elements more than {DEPTH_MAX} deep; {REWRITTEN}")]
    Depth,
    /// An element is longer than the one that it lies in.
    #[error("the server sent an element that is longer than what it lies in; {REWRITTEN}")]
    InnerLength,
    /// The message id is missing or none.
    #[error("the server sent a message without a sound message id; {REWRITTEN}")]
    MessageId,
    /// An operation that does not exist in answers.
    #[error("the server answered with an operation (tag {0:#04x}) that is no answer; {REWRITTEN}")]
    UnknownOperation(u8),
    /// An answer to something that was not asked.
    #[error(
        "the server sent an answer (tag {0:#04x}) to a question that was not asked; {REWRITTEN}"
    )]
    Unasked(u8),
    /// An operation without the parts that it must have.
    #[error("the server sent {0} that has not the parts of one; {REWRITTEN}")]
    Shape(&'static str),
    /// A text that is not UTF-8, where LDAP has only text.
    #[error("the server sent {0} that is not UTF-8 text; {REWRITTEN}")]
    NotText(&'static str),
    /// A message that is longer than any.
    #[error("the server sent {0} of more than {TEXT_MAX} bytes; {REWRITTEN}")]
    TextSize(&'static str),
    /// An extended response in place of the end of a search. Samba does that for a critical control that it lacks.
    #[error(
        "the server gave up the question with an extended response of result code {code}: it lacks a control that was \
         asked for; does `schema` name the product that answers?"
    )]
    ExtendedResponse {
        /// The result code.
        code: u32,
        /// The server's own words.
        text: String,
    },
    /// A notice of disconnection (RFC 4511, section 4.4.1).
    #[error("the server announced that it ends the connection, with result code {code}")]
    Disconnected {
        /// The result code.
        code: u32,
        /// The server's own words.
        text: String,
    },
}

const REWRITTEN: &str = "is this an LDAP server, without something that rewrites its answers?";
