//! A real OpenLDAP server: one a test, in a folder of its own, on free ports, with certificates of its own.
//!
//! The server is a child that the kernel kills when the *thread* that started it ends, however it ends, so that a
//! killed test leaves nothing behind. Hence start it on the test's own thread, not on one that a runtime may retire.

use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
};
use tempfile::TempDir;

use super::wait;

/// The naming context. Below it stand `ou=people`, `ou=groups` and `ou=odd`.
pub(crate) const SUFFIX: &str = "dc=load,dc=test";
/// May write everything.
pub(crate) const ADMIN: &str = "cn=admin,dc=load,dc=test";
/// May read everything, without limits.
pub(crate) const READER: &str = "cn=reader,dc=load,dc=test";
/// Stopped after 500 entries, or 1,500 in pages of at most 200; `ou=odd` it may search, but sees no entry of it.
pub(crate) const LIMITED: &str = "cn=limited,dc=load,dc=test";
/// Not allowed to ask for pages.
pub(crate) const NOPAGE: &str = "cn=nopage,dc=load,dc=test";
/// The password of each of these.
pub(crate) const PASSWORD: &str = "secret";

/// Others bind free ports at the same time; that all these tries collide does not happen.
const TRIES: u32 = 20;

/// A running server. Dropping it kills the server and removes its folder.
pub(crate) struct Slapd {
    folder: TempDir,
    ports: Ports,
    server: Option<Child>,
}

#[derive(Clone, Copy)]
struct Ports {
    plain: u16,
    tls: u16,
}

impl Slapd {
    /// Starts a server that holds the accounts above, the three units and the entries of `ldif`.
    pub(crate) fn start(ldif: &str) -> Self {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(ldif.as_bytes()).unwrap();
        Self::start_with(file.path())
    }

    /// The same for entries that lie in a file.
    pub(crate) fn start_with(ldif: &Path) -> Self {
        let folder = tempfile::Builder::new().prefix("slapd-").tempdir().unwrap();
        write_certificates(folder.path());
        std::fs::create_dir(folder.path().join("db")).unwrap();
        std::fs::write(
            folder.path().join("slapd.conf"),
            configuration(folder.path()),
        )
        .unwrap();
        std::fs::write(folder.path().join("tree.ldif"), tree()).unwrap();
        add(folder.path(), &folder.path().join("tree.ldif"));
        add(folder.path(), ldif);
        let (server, ports) = (0..TRIES)
            .find_map(|_| {
                let ports = Ports::free();
                Some((launch(folder.path(), ports)?, ports))
            })
            .expect("no port was free for long enough");
        Self {
            folder,
            ports,
            server: Some(server),
        }
    }

    /// `ldap://…`, plain text.
    pub(crate) fn url(&self) -> String {
        format!("ldap://127.0.0.1:{}", self.ports.plain)
    }

    /// `ldaps://…`; the certificate is for `localhost` and 127.0.0.1 and signed by [`Self::ca_path`].
    pub(crate) fn ldaps_url(&self) -> String {
        format!("ldaps://127.0.0.1:{}", self.ports.tls)
    }

    /// The certificate of the authority, PEM. It lies in the server's folder.
    pub(crate) fn ca_path(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// The process, for sending it signals.
    pub(crate) fn pid(&self) -> u32 {
        self.server.as_ref().expect("it runs").id()
    }

    /// Applies LDIF change records (`changetype: …`) as the administrator.
    pub(crate) fn modify(&self, changes: &str) {
        let mut client = Command::new("ldapmodify")
            .args(["-x", "-D", ADMIN, "-w", PASSWORD, "-H", &self.url()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("ldap-utils is not installed");
        client
            .stdin
            .take()
            .unwrap()
            .write_all(changes.as_bytes())
            .unwrap();
        assert!(
            client.wait().unwrap().success(),
            "ldapmodify refused:\n{changes}"
        );
    }

    /// Kills the server, as a power cut would; the data stay.
    pub(crate) fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill().unwrap();
            server.wait().unwrap();
        }
    }

    /// Whether it was not stopped.
    pub(crate) fn runs(&self) -> bool {
        self.server.is_some()
    }

    /// Starts a stopped server again on the same ports.
    pub(crate) fn start_again(&mut self) {
        assert!(self.server.is_none(), "it runs");
        self.server =
            Some(launch(self.folder.path(), self.ports).expect("the ports were taken meanwhile"));
    }
}

impl Drop for Slapd {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Ports {
    /// Two ports that are free at this moment. (slapd takes port 0 for the default port.)
    fn free() -> Self {
        let listen = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let (plain, tls) = (listen(), listen());
        Self {
            plain: plain.local_addr().unwrap().port(),
            tls: tls.local_addr().unwrap().port(),
        }
    }
}

/// Starts the server and waits until it answers; none if it ended instead, which it does when a port is taken.
fn launch(folder: &Path, ports: Ports) -> Option<Child> {
    // Only this server answers on the socket in its folder; on a port it might be another one.
    let socket = format!(
        "ldapi://{}",
        folder
            .join("ldapi")
            .display()
            .to_string()
            .replace('/', "%2F")
    );
    let listen = format!(
        "ldap://127.0.0.1:{}/ ldaps://127.0.0.1:{}/ {socket}",
        ports.plain, ports.tls
    );
    let log = std::fs::File::create(folder.join("log")).unwrap();
    let mut server = Command::new("setpriv")
        .args([
            "--pdeathsig",
            "KILL",
            "/usr/sbin/slapd",
            "-d",
            "0",
            "-h",
            &listen,
            "-f",
        ])
        .arg(folder.join("slapd.conf"))
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .expect("util-linux is not installed");
    let runs = wait::until("slapd answers", || match server.try_wait().unwrap() {
        Some(_) => Some(false),
        None => answers(&socket).then_some(true),
    });
    runs.then_some(server)
}

fn answers(url: &str) -> bool {
    Command::new("ldapsearch")
        .args(["-x", "-H", url, "-s", "base", "-b", "", "supportedControl"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("ldap-utils is not installed")
        .success()
}

fn add(folder: &Path, ldif: &Path) {
    let output = Command::new("/usr/sbin/slapadd")
        .args(["-q", "-f"])
        .arg(folder.join("slapd.conf"))
        .arg("-l")
        .arg(ldif)
        .stdin(Stdio::null())
        .output()
        .expect("slapd is not installed");
    assert!(
        output.status.success(),
        "slapadd: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn configuration(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        r#"include    /etc/ldap/schema/core.schema
include    /etc/ldap/schema/cosine.schema
include    /etc/ldap/schema/nis.schema
include    /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
moduleload syncprov
TLSCACertificateFile  {folder}/ca.pem
TLSCertificateFile    {folder}/server.pem
TLSCertificateKeyFile {folder}/server.key
sizelimit  500
database   mdb
suffix     "{SUFFIX}"
rootdn     "{ADMIN}"
rootpw     {PASSWORD}
directory  {folder}/db
maxsize    4294967296
dbnosync
index      objectClass,entryUUID,entryCSN,modifyTimestamp,uid,cn,mail,member eq
limits dn.exact="{READER}"  size.soft=unlimited size.hard=unlimited size.prtotal=unlimited
limits dn.exact="{LIMITED}" size.soft=500 size.hard=500 size.pr=200 size.prtotal=1500
limits dn.exact="{NOPAGE}"  size.prtotal=disabled
overlay    memberof
overlay    syncprov
syncprov-checkpoint 100 10
syncprov-sessionlog 1000
access to attrs=userPassword by anonymous auth by * none
access to dn.sub="ou=odd,{SUFFIX}" by dn.exact="{LIMITED}" search by * read
access to * by dn.exact="{READER}" read by dn.exact="{LIMITED}" read by dn.exact="{NOPAGE}" read by * none
"#
    )
}

/// The naming context, the units and the accounts, as LDIF.
fn tree() -> String {
    let root = format!(
        "dn: {SUFFIX}\nobjectClass: dcObject\nobjectClass: organization\ndc: load\no: Load\n\n"
    );
    let units = ["people", "groups", "odd"].map(|unit| {
        format!("dn: ou={unit},{SUFFIX}\nobjectClass: organizationalUnit\nou: {unit}\n\n")
    });
    let accounts = [READER, LIMITED, NOPAGE].map(|dn| {
        let classes = "objectClass: organizationalRole\nobjectClass: simpleSecurityObject";
        format!("dn: {dn}\n{classes}\nuserPassword: {PASSWORD}\n\n")
    });
    root + &units.concat() + &accounts.concat()
}

/// Writes `ca.pem`, and `server.pem` with `server.key` signed by it.
fn write_certificates(folder: &Path) {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    authority
        .distinguished_name
        .push(DnType::CommonName, "Load test authority");
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let server = CertificateParams::new(names)
        .unwrap()
        .signed_by(&key, &authority)
        .unwrap();
    std::fs::write(folder.join("ca.pem"), authority.pem()).unwrap();
    std::fs::write(folder.join("server.pem"), server.pem()).unwrap();
    std::fs::write(folder.join("server.key"), key.serialize_pem()).unwrap();
}
