//! TLS: the certificate that is shown, new ones without a restart, and broken ones without harm; and what a reload changes.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use usersyncd::clock::{ManualClock, SystemClock, Timestamp};
use usersyncd::serve::config::TlsConfig;
use usersyncd::serve::{ServeFault, Server, Sets, Settings};
use usersyncd::text::Span;

use crate::support::certificates::{AUTHORITY, KEY, SERVER, write};
use crate::support::log::Log;
use crate::support::serving::{
    self, Ask, ENTRY, Serving, Vault, client, company, secured, settings,
};

/// Asks over TLS, trusting the authority of the folder alone.
async fn ask(serving: &Serving, folder: &Path) -> Result<u16, std::io::Error> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(folder.join(AUTHORITY)).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(serving.address).await?;
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await?;
    let got = serving::talk(&mut stream, &Ask::get("/user?username=ada").json()).await;
    let link = got.json()["link"]["href"].as_str().unwrap().to_owned();
    assert!(link.starts_with("https://"), "{link}");
    Ok(got.status)
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &["localhost"]);
    folder
}

fn copy(from: &Path, to: &Path, file: &str) {
    std::fs::copy(from.join(file), to.join(file)).unwrap();
}

struct Followed {
    clock: Arc<ManualClock>,
    serving: Serving,
}

impl Followed {
    async fn start(folder: &Path) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp(0)));
        let serving = serving::start_empty(secured(folder), clock.clone()).await;
        serving.sets.publish(ENTRY, company().image());
        Followed { clock, serving }
    }

    /// Lets the server look at its files.
    async fn look(&self) {
        while self.clock.sleepers() == 0 {
            tokio::task::yield_now().await;
        }
        self.clock.advance(Span::seconds(5));
        tokio::task::yield_now().await;
        while self.clock.sleepers() == 0 {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn a_new_certificate_is_shown_and_a_broken_one_is_not() {
    let log = Log::catch();
    let (own, next) = (folder(), folder());
    let followed = Followed::start(own.path()).await;
    let old = tempfile::tempdir().unwrap();
    copy(own.path(), old.path(), AUTHORITY);
    let serving = &followed.serving;
    assert_eq!(ask(serving, old.path()).await.unwrap(), 200);
    assert!(ask(serving, next.path()).await.is_err());
    // Half of the renewal: the pair does not fit, and nothing is said yet.
    copy(next.path(), own.path(), SERVER);
    followed.look().await;
    assert_eq!(ask(serving, old.path()).await.unwrap(), 200);
    assert!(log.named("serve.certificate_failed").is_empty());
    copy(next.path(), own.path(), KEY);
    followed.look().await;
    assert_eq!(ask(serving, next.path()).await.unwrap(), 200);
    assert!(ask(serving, old.path()).await.is_err());
    assert_eq!(log.named("serve.certificate_reloaded").len(), 1);
    // What cannot be used is said once, and the last one stays.
    std::fs::write(own.path().join(SERVER), "no certificate").unwrap();
    for _ in 0..4 {
        followed.look().await;
    }
    std::fs::remove_file(own.path().join(KEY)).unwrap();
    for _ in 0..3 {
        followed.look().await;
    }
    assert_eq!(ask(serving, next.path()).await.unwrap(), 200);
    let failed = log.named("serve.certificate_failed");
    assert_eq!(failed.len(), 2, "{failed:?}");
    assert!(
        failed[0]["error"]
            .as_str()
            .unwrap()
            .contains("holds no certificate")
    );
    assert!(failed[1]["error"].as_str().unwrap().contains("cannot read"));
    // Put back as it was, nothing is said.
    copy(next.path(), own.path(), SERVER);
    copy(next.path(), own.path(), KEY);
    followed.look().await;
    assert_eq!(log.named("serve.certificate_reloaded").len(), 1);
}

#[tokio::test]
async fn without_tls_nothing_is_understood() {
    let own = folder();
    let followed = Followed::start(own.path()).await;
    let mut stream = TcpStream::connect(followed.serving.address).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut stream, &Ask::get("/event").bytes())
        .await
        .unwrap();
    let mut answer = Vec::new();
    let _ = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut answer).await;
    assert!(!answer.starts_with(b"HTTP"));
}

#[tokio::test]
async fn files_that_cannot_be_used_are_named_at_the_start() {
    let (own, other) = (folder(), folder());
    let at = |certificate: &Path, key: &Path| Settings {
        tls: Some(TlsConfig {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
        }),
        ..settings()
    };
    let (certificate, key) = (own.path().join(SERVER), own.path().join(KEY));
    let check = async |settings: Settings, expect: &str| {
        let sets = Arc::new(Sets::default());
        let server = Server::bind(
            settings,
            sets,
            Arc::new(Vault::default()),
            Arc::new(SystemClock::new()),
        );
        let Err(fault @ ServeFault::Tls(_)) = server.await else {
            panic!("{expect}");
        };
        let text = usersyncd::events::chain(&fault);
        assert!(text.contains(expect), "{text}");
    };
    check(at(&own.path().join("none"), &key), "cannot read").await;
    check(at(&key, &key), "holds no certificate").await;
    check(at(&certificate, &certificate), "holds no private key").await;
    check(
        at(&certificate, &other.path().join(KEY)),
        "cannot be used together",
    )
    .await;
}

#[tokio::test]
async fn a_reload_changes_clients_certificate_and_address() {
    let clock = Arc::new(SystemClock::new());
    let serving = serving::start_empty(settings(), clock).await;
    serving.sets.publish(ENTRY, company().image());
    let mut kept = TcpStream::connect(serving.address).await.unwrap();
    assert_eq!(
        serving::talk(&mut kept, &Ask::get("/event")).await.status,
        200
    );
    // Another secret, on the connections that are there too.
    let clients = vec![client(serving::CLIENT, "new", &["127.0.0.1"])];
    let changed = Settings {
        clients,
        ..settings()
    };
    serving.handle.reconfigure(changed.clone()).await.unwrap();
    assert_eq!(
        serving::talk(&mut kept, &Ask::get("/event")).await.status,
        401
    );
    let event = Ask::get("/event").login(serving::CLIENT, "new");
    assert_eq!(serving::talk(&mut kept, &event).await.status, 200);
    // TLS where there was none.
    let own = folder();
    serving
        .handle
        .reconfigure(secured(own.path()))
        .await
        .unwrap();
    let secured_now = async || ask(&serving, own.path()).await.is_ok_and(|it| it == 200);
    while !secured_now().await {
        tokio::task::yield_now().await;
    }
    // Another address; and one that is taken changes nothing.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let elsewhere = Settings {
        listen: taken.local_addr().unwrap(),
        ..changed
    };
    let fault = serving
        .handle
        .reconfigure(elsewhere.clone())
        .await
        .unwrap_err();
    assert!(fault.to_string().contains("cannot listen on"), "{fault}");
    assert!(secured_now().await);
    drop(taken);
    serving.handle.reconfigure(elsewhere.clone()).await.unwrap();
    let mut stream = loop {
        if let Ok(stream) = TcpStream::connect(elsewhere.listen).await {
            break stream;
        }
    };
    assert_eq!(serving::talk(&mut stream, &event).await.status, 200);
    assert_eq!(
        serving::talk(&mut kept, &event).await.status,
        200,
        "open ones stay"
    );
    while TcpStream::connect(serving.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
}
