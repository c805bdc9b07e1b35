//! An LDAP server that says what a test tells it to, byte by byte: for what no real server can be brought to say.
//!
//! It takes every bind, and answers the searches of a connection as scripted. Messages are written as bytes, since what
//! they must show are names that are no text, operations that do not exist, and ends in the middle.

use std::net::SocketAddr;
use std::sync::Arc;

use ldap3::asn1::{PL, StructureTag, parse_tag};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const BIND: u64 = 0;
const SEARCH: u64 = 3;
const PAGED_RESULTS: &[u8] = b"1.2.840.113556.1.4.319";

/// Makes the answer to a search from its number on its connection, counted from 0, and its message id. The connection is
/// closed behind an answer that ends the list with [`Then::Close`].
type Answer = dyn Fn(usize, u8) -> (Vec<u8>, Then) + Send + Sync;

/// What happens after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// The next question is awaited.
    GoOn,
    /// The connection is closed.
    Close,
}

/// Starts a server; it ends with the runtime of the test.
pub(crate) async fn start(
    answer: impl Fn(usize, u8) -> (Vec<u8>, Then) + Send + Sync + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer: Arc<Answer> = Arc::new(answer);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let answer = Arc::clone(&answer);
            tokio::spawn(async move { serve(client, &*answer).await });
        }
    });
    address
}

/// A search result entry.
pub(crate) fn entry(id: u8, dn: &[u8], attributes: &[(&str, &[&[u8]])]) -> Vec<u8> {
    let attributes: Vec<u8> = attributes
        .iter()
        .flat_map(|(name, values)| {
            let values: Vec<u8> = values.iter().flat_map(|it| tlv(0x04, it)).collect();
            let parts = [tlv(0x04, name.as_bytes()), tlv(0x31, &values)];
            tlv(0x30, &parts.concat())
        })
        .collect();
    let parts = [tlv(0x04, dn), tlv(0x30, &attributes)];
    message(id, &tlv(0x64, &parts.concat()), &[])
}

/// An entry of a sound user.
pub(crate) fn user(id: u8, number: usize) -> Vec<u8> {
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
pub(crate) fn done(id: u8, code: u8, cookie: Option<&[u8]>) -> Vec<u8> {
    let result = [tlv(0x0a, &[code]), tlv(0x04, b""), tlv(0x04, b"")].concat();
    let control = cookie.map(|cookie| {
        let value = [tlv(0x02, &[0]), tlv(0x04, cookie)].concat();
        let value = tlv(0x04, &tlv(0x30, &value));
        tlv(0x30, &[tlv(0x04, PAGED_RESULTS), value].concat())
    });
    message(id, &tlv(0x65, &result), &control.unwrap_or_default())
}

/// Any operation in a message, with controls if there are any.
pub(crate) fn message(id: u8, operation: &[u8], controls: &[u8]) -> Vec<u8> {
    let mut parts = [tlv(0x02, &[id]), operation.to_vec()].concat();
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

async fn serve(mut client: TcpStream, answer: &Answer) {
    let mut received = Vec::new();
    let mut searches = 0;
    while let Some((id, operation)) = next_question(&mut client, &mut received).await {
        let (bytes, then) = match operation {
            BIND => {
                let result = [tlv(0x0a, &[0]), tlv(0x04, b""), tlv(0x04, b"")].concat();
                (message(id, &tlv(0x61, &result), &[]), Then::GoOn)
            }
            SEARCH => {
                searches += 1;
                answer(searches - 1, id)
            }
            _ => return,
        };
        if client.write_all(&bytes).await.is_err() || then == Then::Close {
            return;
        }
    }
}

/// The message id and the number of the next operation; none at the end.
async fn next_question(client: &mut TcpStream, received: &mut Vec<u8>) -> Option<(u8, u64)> {
    loop {
        if let Ok((rest, message)) = parse_tag(received) {
            let taken = received.len() - rest.len();
            received.drain(..taken);
            return read(&message);
        }
        if client.read_buf(received).await.ok()? == 0 {
            return None;
        }
    }
}

fn read(message: &StructureTag) -> Option<(u8, u64)> {
    let PL::C(parts) = &message.payload else {
        return None;
    };
    let PL::P(id) = &parts.first()?.payload else {
        return None;
    };
    Some((*id.last()?, parts.get(1)?.id))
}
