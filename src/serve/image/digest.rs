//! One short text that stands for everything a client is shown.
//!
//! It begins the event tokens: what was served before a restart and is served again has the same digest, so clients need not
//! read everything anew, even where the store was lost in between and filled again with the same.

use std::fmt::Write as _;

use rustls::crypto::aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256;
use rustls::crypto::hash::Context;

use super::{Image, ServedGroup, ServedUser};

/// Changed whenever the meaning of what is served changes, so that no client goes on from what it understood before.
const FORM: &str = "usersyncd crowd 1";
/// Half of SHA-256: nobody may make two sets of one digest, and tokens travel in URLs.
const DIGEST_BYTES: usize = 16;

/// The digest of an image.
pub(super) fn of(image: &Image) -> String {
    let mut sum = Sum::new();
    sum.text(FORM);
    sum.number(image.users());
    for place in 0..image.users() {
        sum.user(image.user(place));
    }
    sum.number(image.groups());
    for place in 0..image.groups() {
        let ServedGroup { name, description } = image.group(place);
        sum.text(name);
        sum.text(description);
        sum.numbers(image.members(place));
        sum.numbers(image.children(place));
    }
    sum.finish()
}

/// Feeds the hash in pieces of some size: a call for every number would cost more than the hash.
struct Sum {
    context: Box<dyn Context>,
    buffer: Vec<u8>,
}

impl Sum {
    const BUFFER: usize = 16 * 1024;

    fn new() -> Self {
        let hash = TLS13_AES_128_GCM_SHA256.tls13();
        // The suite is one of TLS 1.3 by its name, and its hash is SHA-256.
        let suite = hash.map(|it| it.common.hash_provider.start());
        Sum {
            context: suite.expect("a suite of TLS 1.3"),
            buffer: Vec::with_capacity(Sum::BUFFER),
        }
    }

    fn user(&mut self, user: ServedUser<'_>) {
        let ServedUser {
            name,
            key,
            given_name,
            family_name,
            display_name,
            email,
            active,
        } = user;
        for text in [name, key, given_name, family_name, display_name, email] {
            self.text(text);
        }
        self.number(u32::from(active));
    }

    /// With its length, so that no two lists of texts look alike.
    fn text(&mut self, text: &str) {
        self.number(text.len() as u32);
        self.bytes(text.as_bytes());
    }

    fn numbers(&mut self, numbers: &[u32]) {
        self.number(numbers.len() as u32);
        for &number in numbers {
            self.number(number);
        }
    }

    fn number(&mut self, number: u32) {
        self.bytes(&number.to_be_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        if self.buffer.len() + bytes.len() > Sum::BUFFER {
            self.context.update(&self.buffer);
            self.buffer.clear();
        }
        self.buffer.extend_from_slice(bytes);
    }

    fn finish(mut self) -> String {
        self.context.update(&self.buffer);
        let hash = self.context.finish();
        let mut text = String::with_capacity(2 * DIGEST_BYTES);
        for byte in &hash.as_ref()[..DIGEST_BYTES] {
            let _ = write!(text, "{byte:02x}");
        }
        text
    }
}
