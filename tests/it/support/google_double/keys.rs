//! The keys of the service account, made once a process, and the files in which an administrator gets them.

use std::sync::OnceLock;

use jsonwebtoken::DecodingKey;
use rcgen::{KeyPair, PKCS_RSA_SHA256};
use serde_json::json;

use super::{CLIENT_EMAIL, CLIENT_ID};

/// An RSA key of 2048 bits.
pub(super) struct Key {
    id: &'static str,
    /// PKCS #8.
    pem: String,
    public: DecodingKey,
}

/// The key that the token endpoint knows.
pub(super) fn valid() -> &'static Key {
    static KEY: OnceLock<Key> = OnceLock::new();
    KEY.get_or_init(|| Key::new("4b1d0c6f2a9e83570b7c4d12e5f60893a1c2d3e4"))
}

/// A key that it does not know.
pub(super) fn revoked() -> &'static Key {
    static KEY: OnceLock<Key> = OnceLock::new();
    KEY.get_or_init(|| Key::new("9c5e7a10d3b2f4861e0a9b8c7d6e5f4031425364"))
}

impl Key {
    fn new(id: &'static str) -> Key {
        let pair = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
        Key {
            id,
            pem: pair.serialize_pem(),
            public: DecodingKey::from_rsa_der(pair.public_key_raw()),
        }
    }

    /// Whether a signature, unpadded, is of this key.
    pub(super) fn has_signed(&self, message: &str, signature: &str) -> bool {
        let algorithm = jsonwebtoken::Algorithm::RS256;
        let verified =
            jsonwebtoken::crypto::verify(signature, message.as_bytes(), &self.public, algorithm);
        verified.unwrap_or(false)
    }

    pub(super) fn file(&self, token_uri: &str) -> String {
        let file = json!({
            "type": "service_account",
            "project_id": "project",
            "private_key_id": self.id,
            "private_key": self.pem,
            "client_email": CLIENT_EMAIL,
            "client_id": CLIENT_ID,
            "auth_uri": "https://accounts.google.com/o/oauth2/auth",
            "token_uri": token_uri,
            "auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs",
            "client_x509_cert_url": format!(
                "https://www.googleapis.com/robot/v1/metadata/x509/{}",
                CLIENT_EMAIL.replace('@', "%40")
            ),
            "universe_domain": "googleapis.com",
        });
        format!("{file:#}")
    }
}
