//! Answers that are not sound: each is an error with a name, and the process goes on.

use std::time::Duration;

use usersyncd::directories::ReadError;

use super::{build, check_error, complete, page, read, read_script, usernames};
use crate::support::ldap_script::{self, Then, message, tlv};
use crate::support::raw;
use crate::support::slapd::{PASSWORD, READER};

/// How a read ends whose search is answered by these bytes, the message id filled in.
async fn answered(bytes: impl Fn(u32) -> Vec<u8> + Send + Sync + 'static) -> ReadError {
    let done = read_script(move |_, id| (bytes(id), Then::GoOn)).await;
    done.unwrap_err()
}

/// How a read ends whose bind is answered by these bytes.
async fn answered_at_the_bind(bytes: Vec<u8>) -> ReadError {
    let address = raw::start(move |mut client| {
        let bytes = bytes.clone();
        async move {
            raw::hear(&mut client).await;
            let _ = tokio::io::AsyncWriteExt::write_all(&mut client, &bytes).await;
            // The end of the connection is no part of the answer.
            raw::hear(&mut client).await;
        }
    })
    .await;
    let url = format!("ldap://{address}");
    let directory = build(&[&url], READER, "timeout: 5s", PASSWORD).unwrap();
    read(&directory).await.unwrap_err()
}

fn nested(depth: usize) -> Vec<u8> {
    (0..depth).fold(Vec::new(), |inner, _| tlv(0x30, &inner))
}

#[tokio::test]
async fn a_message_nested_ten_thousand_deep_is_an_error_and_not_the_end_of_the_process() {
    let failed = answered(|_| nested(10_000)).await;
    check_error(&failed, "incomplete", "without a sound message id");
    // Inside of a message, where a later version of LDAP may have put something.
    let failed = answered(|id| {
        let deep = (0..10_000).fold(Vec::new(), |inner, _| tlv(0xa5, &inner));
        ldap_script::result(id, 0x65, 0, "", &deep)
    })
    .await;
    check_error(&failed, "incomplete", "more than 16 deep");
    // Before anybody has logged in.
    let failed = answered_at_the_bind(nested(10_000)).await;
    check_error(&failed, "incomplete", "without a sound message id");
    // In the value of a control, where the connection does not look.
    let failed = answered(|id| {
        let control = ldap_script::control("1.2.840.113556.1.4.319", Some(&nested(10_000)));
        ldap_script::done_with(id, 0, "", &control)
    })
    .await;
    check_error(&failed, "incomplete", "not a sound LDAP answer");
}

#[tokio::test]
async fn a_length_of_two_gigabytes_is_refused_before_a_byte_of_it_comes() {
    let failed = answered(|_| vec![0x30, 0x84, 0x7f, 0xff, 0xff, 0xff]).await;
    check_error(&failed, "incomplete", "a message of 2147483647 bytes");
    let failed = answered_at_the_bind(vec![0x30, 0x84, 0xff, 0xff, 0xff, 0xff]).await;
    check_error(&failed, "incomplete", "a message of 4294967295 bytes");
}

#[tokio::test]
async fn an_element_that_is_longer_than_what_it_lies_in_is_not_waited_for() {
    let failed = answered(|id| {
        vec![
            0x30,
            9,
            0x02,
            1,
            id.to_be_bytes()[3],
            0x64,
            0x84,
            0,
            0,
            1,
            0,
        ]
    })
    .await;
    check_error(&failed, "incomplete", "longer than what it lies in");
}

#[tokio::test]
async fn other_forms_of_lengths_are_refused() {
    let failed = answered(|_| vec![0x30, 0x80]).await;
    check_error(&failed, "incomplete", "a length in a form");
    let failed = answered(|_| vec![0x30, 0x88, 0, 0, 0, 0, 0, 0, 0, 1]).await;
    check_error(&failed, "incomplete", "a length in a form");
}

#[tokio::test]
async fn an_operation_that_does_not_exist_fails_the_read_and_nothing_else() {
    let failed = answered(|id| message(id, &tlv(0x6b, b""), &[])).await;
    check_error(&failed, "incomplete", "(tag 0x6b) that is no answer");
}

#[tokio::test]
async fn an_extended_response_in_place_of_a_searchs_end_is_named() {
    let failed = answered(|id| ldap_script::result(id, 0x78, 12, "Unsupported control", &[])).await;
    check_error(&failed, "configuration", "lacks a control");
    check_error(&failed, "configuration", "`Unsupported control`");
}

#[tokio::test]
async fn answers_to_what_was_not_asked_are_refused() {
    // Of a question that is long answered, of none, and of the wrong kind.
    for (id, tag) in [(1, 0x61), (99, 0x65), (0, 0x65)] {
        let failed = answered(move |_| ldap_script::result(id, tag, 0, "", &[])).await;
        check_error(&failed, "incomplete", "a question that was not asked");
    }
    let failed = answered_at_the_bind(ldap_script::done(1, 0, None)).await;
    check_error(&failed, "incomplete", "a question that was not asked");
}

#[tokio::test]
async fn a_paging_control_without_a_value_is_no_cookie() {
    let failed = answered(|id| {
        let control = ldap_script::control("1.2.840.113556.1.4.319", None);
        ldap_script::done_with(id, 0, "", &control)
    })
    .await;
    check_error(&failed, "incomplete", "not a sound LDAP answer");
}

#[tokio::test]
async fn broken_controls_are_refused() {
    for control in [
        tlv(0x04, b""),
        tlv(0x30, b""),
        tlv(0x30, &[tlv(0x04, b"1.2"), tlv(0x01, b"")].concat()),
        tlv(0x30, &[tlv(0x04, b"1.2"), tlv(0x24, b"")].concat()),
    ] {
        let failed = answered(move |id| ldap_script::done_with(id, 0, "", &control)).await;
        check_error(&failed, "incomplete", "a control that has not the parts");
    }
}

#[tokio::test]
async fn words_of_the_server_that_are_no_text_are_refused() {
    let failed = answered(|id| {
        let parts = [tlv(0x0a, &[0]), tlv(0x04, b""), tlv(0x04, b"jos\xe9")];
        message(id, &tlv(0x65, &parts.concat()), &[])
    })
    .await;
    check_error(&failed, "incomplete", "not UTF-8 text");
}

#[tokio::test]
async fn results_without_their_parts_are_refused() {
    let failed = answered(|id| message(id, &tlv(0x65, &tlv(0x0a, &[0])), &[])).await;
    check_error(&failed, "incomplete", "a result that has not the parts");
    let failed = answered_at_the_bind(message(1, &tlv(0x61, b""), &[])).await;
    check_error(&failed, "incomplete", "a result that has not the parts");
    // An entry whose attributes are no sequence.
    let failed = answered(|id| {
        let parts = [tlv(0x04, b"dc=x"), tlv(0x04, b"")];
        message(id, &tlv(0x64, &parts.concat()), &[])
    })
    .await;
    check_error(&failed, "incomplete", "an entry that has not the parts");
}

#[tokio::test]
async fn another_protocol_is_named() {
    let http = b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec();
    let failed = answered_at_the_bind(http).await;
    check_error(&failed, "incomplete", "is this an LDAP server?");
}

#[tokio::test]
async fn half_an_answer_is_none() {
    let done = read_script(|_, id| {
        let half = ldap_script::user(id, 0);
        (half[..half.len() / 2].to_vec(), Then::Close)
    })
    .await;
    check_error(&done.unwrap_err(), "unavailable", "connection ended");
}

#[tokio::test]
async fn a_flood_without_end_ends_with_the_time_of_the_read() {
    let address = raw::start(async move |mut client| {
        let write = tokio::io::AsyncWriteExt::write_all;
        raw::hear(&mut client).await;
        let bound = ldap_script::result(1, 0x61, 0, "", &[]);
        let _ = write(&mut client, &bound).await;
        raw::hear(&mut client).await;
        // What a search may bring beside entries is counted by nobody else.
        let flood = ldap_script::intermediate(2, "1.2", &[0; 10_000]).repeat(10);
        while write(&mut client, &flood).await.is_ok() {}
    })
    .await;
    let url = format!("ldap://{address}");
    let directory = build(&[&url], READER, "", PASSWORD).unwrap();
    let directory = directory.with_read_timeout(Duration::from_millis(500));
    let failed = read(&directory).await.unwrap_err();
    check_error(&failed, "unavailable", "`read_timeout`");
}

#[tokio::test]
async fn a_value_of_ten_megabytes_and_a_group_of_a_hundred_thousand_pass() {
    let done = read_script(|_, id| {
        let uuid: &[&[u8]] = &[b"00000000-0000-4000-8000-999999999999"];
        let photo = vec![0xff_u8; 10 << 20];
        let members = vec![b"uid=user0,ou=people,dc=load,dc=test".as_slice(); 100_000];
        let attributes: [(&str, &[&[u8]]); 4] = [
            ("uid", &[b"big"]),
            ("entryUUID", uuid),
            ("jpegPhoto", &[photo.as_slice()]),
            ("member", &members),
        ];
        let big = ldap_script::entry(id, b"uid=big,ou=people,dc=load,dc=test", &attributes);
        let rest = page(id, 0..1, 0, Some(b""));
        ([big, rest].concat(), Then::GoOn)
    })
    .await
    .unwrap();
    assert_eq!(usernames(complete(&done)), ["big", "user0"]);
}
