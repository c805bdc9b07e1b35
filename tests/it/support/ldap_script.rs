//! An LDAP server that says what a test tells it to, byte by byte: for what no real server can be brought to say.
//!
//! It takes every bind unless it is told otherwise, and answers the searches of a connection as scripted. Questions are
//! decoded, controls included; messages are written as bytes, since what they must show are names that are no text,
//! operations that do not exist, and ends in the middle.

use std::net::SocketAddr;
use std::sync::Arc;

use ldap3::asn1::{PL, StructureTag, parse_tag};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;

const BIND: u64 = 0;
const SEARCH: u64 = 3;
const BOOLEAN: u64 = 1;
const OCTETS: u64 = 4;
const PAGED_RESULTS: &str = "1.2.840.113556.1.4.319";

/// Makes the answer to a search. The connection is closed behind an answer that ends the list with [`Then::Close`].
type Answer = dyn Fn(&Question) -> (Vec<u8>, Then) + Send + Sync;

/// Makes the answer to a bind.
type LoginAnswer = dyn Fn(&Login) -> (Vec<u8>, Then) + Send + Sync;

/// A simple bind request (RFC 4511, section 4.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Login {
    /// How many searches came before it on its connection, apart from those of the root DSE.
    pub(crate) searches: usize,
    /// Its message id, under which it must be answered.
    pub(crate) id: u32,
    /// The DN.
    pub(crate) name: String,
    /// The password.
    pub(crate) password: String,
    /// The controls that go with it.
    pub(crate) controls: Vec<AskedControl>,
}

/// A search request (RFC 4511, section 4.5.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    /// Its number on its connection, counted from 0; what is asked of the root DSE is not counted.
    pub(crate) number: usize,
    /// Its message id, under which it must be answered.
    pub(crate) id: u32,
    /// The entry to start from.
    pub(crate) base: String,
    /// 0 that entry alone, 1 those just below it, 2 all below it and itself.
    pub(crate) scope: u8,
    /// What its filter is made of, without the operators: names and values in their order.
    pub(crate) filter: Vec<Vec<u8>>,
    /// The attributes that are asked for.
    pub(crate) attributes: Vec<String>,
    /// The controls that go with it.
    pub(crate) controls: Vec<AskedControl>,
}

/// A control of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AskedControl {
    /// Its object identifier.
    pub(crate) oid: String,
    /// Whether a server that does not know it must refuse the request.
    pub(crate) critical: bool,
    /// Its value, still encoded.
    pub(crate) value: Option<Vec<u8>>,
}

impl Question {
    /// Whether its filter holds that name or value.
    pub(crate) fn names(&self, name: &[u8]) -> bool {
        self.filter.iter().any(|it| it == name)
    }

    /// Whether the server is asked what it is.
    pub(crate) fn is_root(&self) -> bool {
        self.base.is_empty() && self.scope == 0
    }

    /// The value of one of its controls; none if it does not carry that control, or the control no value.
    pub(crate) fn control(&self, oid: &str) -> Option<&[u8]> {
        let found = self.controls.iter().find(|it| it.oid == oid)?;
        found.value.as_deref()
    }
}

/// What happens after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// The next question is awaited.
    GoOn,
    /// The connection is closed.
    Close,
}

/// Starts a server that answers a search from its number on its connection and its message id alone, and hides its root DSE;
/// it ends with the runtime of the test.
pub(crate) async fn start(
    answer: impl Fn(usize, u32) -> (Vec<u8>, Then) + Send + Sync + 'static,
) -> SocketAddr {
    start_asked(move |question| {
        if question.is_root() {
            return (done(question.id, 0, None), Then::GoOn);
        }
        answer(question.number, question.id)
    })
    .await
}

/// Starts a server that looks at what it is asked; it ends with the runtime of the test.
pub(crate) async fn start_asked(
    answer: impl Fn(&Question) -> (Vec<u8>, Then) + Send + Sync + 'static,
) -> SocketAddr {
    start_with_logins(answer, |login| (accepted(login.id), Then::GoOn)).await
}

/// Starts a server that looks at what it is asked and at who logs in; it ends with the runtime of the test.
pub(crate) async fn start_with_logins(
    answer: impl Fn(&Question) -> (Vec<u8>, Then) + Send + Sync + 'static,
    login: impl Fn(&Login) -> (Vec<u8>, Then) + Send + Sync + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer: Arc<Answer> = Arc::new(answer);
    let login: Arc<LoginAnswer> = Arc::new(login);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (answer, login) = (Arc::clone(&answer), Arc::clone(&login));
            tokio::spawn(async move { serve_logins(client, &*answer, &*login).await });
        }
    });
    address
}

/// A search result entry.
pub(crate) fn entry(id: u32, dn: &[u8], attributes: &[(&str, &[&[u8]])]) -> Vec<u8> {
    entry_with(id, dn, attributes, &[])
}

/// A search result entry with controls, each made by [`control`].
pub(crate) fn entry_with(
    id: u32,
    dn: &[u8],
    attributes: &[(&str, &[&[u8]])],
    controls: &[u8],
) -> Vec<u8> {
    let attributes: Vec<u8> = attributes
        .iter()
        .flat_map(|(name, values)| {
            let values: Vec<u8> = values.iter().flat_map(|it| tlv(0x04, it)).collect();
            let parts = [tlv(0x04, name.as_bytes()), tlv(0x31, &values)];
            tlv(0x30, &parts.concat())
        })
        .collect();
    let parts = [tlv(0x04, dn), tlv(0x30, &attributes)];
    message(id, &tlv(0x64, &parts.concat()), controls)
}

/// An intermediate response (RFC 4511, section 4.13), as syncrepl's sync info messages are.
pub(crate) fn intermediate(id: u32, oid: &str, value: &[u8]) -> Vec<u8> {
    let parts = [tlv(0x80, oid.as_bytes()), tlv(0x81, value)];
    message(id, &tlv(0x79, &parts.concat()), &[])
}

/// A control of an answer: its object identifier, and its value, if it has one, already encoded.
pub(crate) fn control(oid: &str, value: Option<&[u8]>) -> Vec<u8> {
    let value = value.map(|it| tlv(0x04, it)).unwrap_or_default();
    tlv(0x30, &[tlv(0x04, oid.as_bytes()), value].concat())
}

/// An entry of a sound user.
pub(crate) fn user(id: u32, number: usize) -> Vec<u8> {
    let name = format!("user{number}");
    let dn = format!("uid={name},ou=people,dc=load,dc=test");
    let uuid = format!("00000000-0000-4000-8000-{number:012}");
    let attributes: [(&str, &[&[u8]]); 2] = [
        ("uid", &[name.as_bytes()]),
        ("entryUUID", &[uuid.as_bytes()]),
    ];
    entry(id, dn.as_bytes(), &attributes)
}

/// The end of a page: a result code, and a paging control with a cookie unless there is none.
pub(crate) fn done(id: u32, code: u8, cookie: Option<&[u8]>) -> Vec<u8> {
    let controls = cookie.map(|cookie| {
        let value = [tlv(0x02, &[0]), tlv(0x04, cookie)].concat();
        control(PAGED_RESULTS, Some(&tlv(0x30, &value)))
    });
    done_with(id, code.into(), "", &controls.unwrap_or_default())
}

/// The end of a search: any result code (also those above 127, like e-syncRefreshRequired, 4096), the text for people, and
/// controls, each made by [`control`].
pub(crate) fn done_with(id: u32, code: u32, text: &str, controls: &[u8]) -> Vec<u8> {
    let result = [
        tlv(0x0a, &number(code)),
        tlv(0x04, b""),
        tlv(0x04, text.as_bytes()),
    ];
    message(id, &tlv(0x65, &result.concat()), controls)
}

/// The contents of an INTEGER or ENUMERATED: big-endian, with a leading nought where the number would look negative.
pub(crate) fn number(number: u32) -> Vec<u8> {
    let bytes = [&[0][..], &number.to_be_bytes()].concat();
    let spare = (0..4).take_while(|&it| bytes[it] == 0 && bytes[it + 1] < 0x80);
    bytes[spare.count()..].to_vec()
}

/// The answer to a bind, or with 0x78 in place of 0x61 to an extended request: a result code, a text for people, and whatever
/// may follow.
pub(crate) fn result(id: u32, tag: u8, code: u8, text: &str, more: &[u8]) -> Vec<u8> {
    let parts = [
        tlv(0x0a, &[code]),
        tlv(0x04, b""),
        tlv(0x04, text.as_bytes()),
        more.to_vec(),
    ];
    message(id, &tlv(tag, &parts.concat()), &[])
}

/// A notice of disconnection (RFC 4511, section 4.4.1).
pub(crate) fn notice(code: u8, text: &str) -> Vec<u8> {
    result(0, 0x78, code, text, &tlv(0x8a, b"1.3.6.1.4.1.1466.20036"))
}

/// Any operation in a message, with controls if there are any.
pub(crate) fn message(id: u32, operation: &[u8], controls: &[u8]) -> Vec<u8> {
    let mut parts = [tlv(0x02, &number(id)), operation.to_vec()].concat();
    if !controls.is_empty() {
        parts.extend(tlv(0xa0, controls));
    }
    tlv(0x30, &parts)
}

/// Tag, length, value (X.690).
pub(crate) fn tlv(tag: u8, value: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag, 0x84];
    bytes.extend((value.len() as u32).to_be_bytes());
    bytes.extend(value);
    bytes
}

/// The answer to a bind that is taken.
pub(crate) fn accepted(id: u32) -> Vec<u8> {
    result(id, 0x61, 0, "", &[])
}

/// Serves one client, over whatever it is connected, and takes every bind.
pub(crate) async fn serve(
    client: impl AsyncRead + AsyncWrite + Unpin,
    answer: &(dyn Fn(&Question) -> (Vec<u8>, Then) + Send + Sync),
) {
    serve_logins(client, answer, &|login| (accepted(login.id), Then::GoOn)).await;
}

async fn serve_logins(
    mut client: impl AsyncRead + AsyncWrite + Unpin,
    answer: &(dyn Fn(&Question) -> (Vec<u8>, Then) + Send + Sync),
    login: &(dyn Fn(&Login) -> (Vec<u8>, Then) + Send + Sync),
) {
    let mut received = Vec::new();
    let mut searches = 0;
    while let Some(message) = next_message(&mut client, &mut received).await {
        let Some((id, operation, controls)) = open(&message) else {
            return;
        };
        let (bytes, then) = match operation.id {
            BIND => {
                let Some(asked) = who(searches, id, operation, controls) else {
                    return;
                };
                login(&asked)
            }
            SEARCH => {
                let Some(question) = question(searches, id, operation, controls) else {
                    return;
                };
                searches += usize::from(!question.is_root());
                answer(&question)
            }
            _ => return,
        };
        if client.write_all(&bytes).await.is_err() || then == Then::Close {
            return;
        }
    }
}

/// The next message; none at the end.
async fn next_message(
    client: &mut (impl AsyncRead + Unpin),
    received: &mut Vec<u8>,
) -> Option<StructureTag> {
    loop {
        if let Ok((rest, message)) = parse_tag(received) {
            let taken = received.len() - rest.len();
            received.drain(..taken);
            return Some(message);
        }
        if client.read_buf(received).await.ok()? == 0 {
            return None;
        }
    }
}

/// The id of a message, its operation, and its controls if there are any.
fn open(message: &StructureTag) -> Option<(u32, &StructureTag, Option<&StructureTag>)> {
    let parts = parts(message)?;
    let id = octets(parts.first()?)?;
    let id = id.iter().fold(0, |id, byte| id << 8 | u32::from(*byte));
    Some((id, parts.get(1)?, parts.get(2)))
}

/// A decoded simple bind request; none if it has not the shape of one.
fn who(
    searches: usize,
    id: u32,
    operation: &StructureTag,
    controls: Option<&StructureTag>,
) -> Option<Login> {
    let fields = parts(operation)?;
    let controls = controls.map_or(Some(&[][..]), parts)?;
    Some(Login {
        searches,
        id,
        name: text(fields.get(1)?)?,
        password: text(fields.get(2)?)?,
        controls: controls.iter().map(asked).collect::<Option<_>>()?,
    })
}

/// A decoded search request; none if it has not the shape of one.
fn question(
    number: usize,
    id: u32,
    operation: &StructureTag,
    controls: Option<&StructureTag>,
) -> Option<Question> {
    let fields = parts(operation)?;
    let controls = controls.map_or(Some(&[][..]), parts)?;
    Some(Question {
        number,
        id,
        base: text(fields.first()?)?,
        scope: *octets(fields.get(1)?)?.last()?,
        filter: leaves(fields.get(6)?),
        attributes: parts(fields.get(7)?)?
            .iter()
            .map(text)
            .collect::<Option<_>>()?,
        controls: controls.iter().map(asked).collect::<Option<_>>()?,
    })
}

/// A decoded control: a name, `TRUE` where it is critical, and a value where it has one.
fn asked(control: &StructureTag) -> Option<AskedControl> {
    let fields = parts(control)?;
    let further = &fields[1..];
    let is = |tag: u64| move |it: &&StructureTag| it.id == tag;
    let critical = further.iter().find(is(BOOLEAN)).and_then(octets);
    let value = further.iter().find(is(OCTETS)).and_then(octets);
    Some(AskedControl {
        oid: text(fields.first()?)?,
        critical: critical.is_some_and(|it| it != [0]),
        value: value.map(<[u8]>::to_vec),
    })
}

fn parts(tag: &StructureTag) -> Option<&[StructureTag]> {
    match &tag.payload {
        PL::C(parts) => Some(parts),
        PL::P(_) => None,
    }
}

fn octets(tag: &StructureTag) -> Option<&[u8]> {
    match &tag.payload {
        PL::P(octets) => Some(octets),
        PL::C(_) => None,
    }
}

/// Everything in it that holds nothing else.
fn leaves(tag: &StructureTag) -> Vec<Vec<u8>> {
    match &tag.payload {
        PL::P(octets) => vec![octets.clone()],
        PL::C(parts) => parts.iter().flat_map(leaves).collect(),
    }
}

fn text(tag: &StructureTag) -> Option<String> {
    String::from_utf8(octets(tag)?.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use ldap3::controls::RawControl;
    use ldap3::{LdapConnAsync, Scope};

    use super::*;

    /// What another LDAP library sees of the server, and the server of that library.
    #[tokio::test]
    async fn questions_and_answers_pass_with_their_controls() {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        let address = start_asked(move |question| {
            seen.lock().unwrap().push(question.clone());
            let entry = entry_with(question.id, b"dc=x", &[], &control("1.2.3", Some(b"state")));
            let info = intermediate(question.id, "1.2.4", b"info");
            let end = done_with(question.id, 4096, "again", &control("1.2.5", None));
            ([entry, info, end].concat(), Then::GoOn)
        })
        .await;
        let url = format!("ldap://{address}");
        let (connection, mut ldap) = LdapConnAsync::new(&url).await.unwrap();
        tokio::spawn(connection.drive());
        let sent = RawControl {
            ctype: "1.2.6".to_owned(),
            crit: true,
            val: Some(b"value".to_vec()),
        };
        ldap.with_controls(sent);
        let names = vec!["uid", "cn"];
        let search = ldap.streaming_search("dc=x", Scope::OneLevel, "(uid=a)", names);
        let mut stream = search.await.unwrap();
        let entry = stream.next().await.unwrap().unwrap();
        assert_eq!(entry.1[0].1.val.as_deref(), Some(&b"state"[..]));
        assert!(stream.next().await.unwrap().unwrap().is_intermediate());
        assert!(stream.next().await.unwrap().is_none());
        let end = stream.finish().await;
        assert_eq!((end.rc, end.text.as_str()), (4096, "again"));
        assert_eq!(end.ctrls[0].1.ctype, "1.2.5");
        let question = asked.lock().unwrap().remove(0);
        assert_eq!((question.number, question.scope), (0, 1));
        assert_eq!(
            (question.base.as_str(), question.control("1.2.6")),
            ("dc=x", Some(&b"value"[..]))
        );
        assert_eq!(question.filter, [&b"uid"[..], b"a"]);
        assert_eq!(question.attributes, ["uid", "cn"]);
        assert!(question.controls[0].critical);
    }

    #[test]
    fn numbers_take_as_few_bytes_as_they_need_and_are_never_negative() {
        for (given, expect) in [
            (0, &[0][..]),
            (127, &[127]),
            (128, &[0, 128]),
            (4096, &[0x10, 0]),
            (u32::MAX, &[0, 255, 255, 255, 255]),
        ] {
            assert_eq!(number(given), expect, "{given}");
        }
    }
}
