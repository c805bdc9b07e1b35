//! Secrets compared without being kept: what is remembered of one is its HMAC under a key that lives as long as the process.
//!
//! Two equal tags mean equal secrets, and a tag tells nothing without the key; so comparing tags byte by byte betrays nothing
//! either, since nobody outside can steer what a tag looks like.

use rustls::crypto::aws_lc_rs;
use rustls::crypto::aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256;
use rustls::crypto::tls13::OkmBlock;
use secrecy::{ExposeSecret as _, SecretString};

/// The key.
pub(super) struct Keyed(OkmBlock);

/// What stands for a secret.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Tag(Vec<u8>);

/// The system gives no random numbers.
#[derive(Debug, thiserror::Error)]
#[error("the system gives no random numbers")]
pub struct NoRandom;

impl Keyed {
    /// A new key.
    ///
    /// # Errors
    /// [`NoRandom`].
    pub(super) fn new() -> Result<Keyed, NoRandom> {
        let mut key = [0; 32];
        let random = aws_lc_rs::default_provider().secure_random;
        random.fill(&mut key).map_err(|_| NoRandom)?;
        Ok(Keyed(OkmBlock::new(&key)))
    }

    /// What stands for this secret of the client of that name.
    pub(super) fn tag(&self, name: &str, secret: &SecretString) -> Tag {
        let secret = secret.expose_secret();
        let mut message = Vec::with_capacity(name.len() + secret.len() + 8);
        message.extend((name.len() as u64).to_be_bytes());
        message.extend(name.as_bytes());
        message.extend(secret.as_bytes());
        let suite = TLS13_AES_128_GCM_SHA256.tls13();
        // The suite is one of TLS 1.3 by its name.
        let hkdf = suite.map(|it| it.hkdf_provider);
        let tag = hkdf
            .expect("a suite of TLS 1.3")
            .hmac_sign(&self.0, &message);
        secrecy::zeroize::Zeroize::zeroize(&mut message);
        Tag(tag.as_ref().to_vec())
    }
}
