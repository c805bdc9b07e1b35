//! Certificates for the servers of the tests, signed by an authority of their own.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
};

/// The authority's certificate, PEM.
pub(crate) const AUTHORITY: &str = "ca.pem";
/// The server's certificate, PEM.
pub(crate) const SERVER: &str = "server.pem";
/// The server's private key, PEM, readable for its owner alone, since servers refuse others.
pub(crate) const KEY: &str = "server.key";

/// Writes the three files above: a server that goes by `names` (host names and addresses), and who says so.
pub(crate) fn write(folder: &Path, names: &[&str]) {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    authority
        .distinguished_name
        .push(DnType::CommonName, "Load test authority");
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let names: Vec<String> = names.iter().map(|&it| it.to_owned()).collect();
    let server = CertificateParams::new(names)
        .unwrap()
        .signed_by(&key, &authority)
        .unwrap();
    fs::write(folder.join(AUTHORITY), authority.pem()).unwrap();
    fs::write(folder.join(SERVER), server.pem()).unwrap();
    let key_file = folder.join(KEY);
    fs::write(&key_file, key.serialize_pem()).unwrap();
    fs::set_permissions(&key_file, fs::Permissions::from_mode(0o600)).unwrap();
}
