//! A real OpenLDAP server: one a test, in a folder of its own, on free ports, with certificates of its own.
//!
//! The server is a child that the kernel kills when the *thread* that started it ends, however it ends, so that a
//! killed test leaves nothing behind. Hence start it on the test's own thread, not on one that a runtime may retire.

use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::{NamedTempFile, TempDir};

use super::{certificates, ldap_tools, wait};

/// The naming context. Below it stand `ou=people`, `ou=groups` and `ou=odd`.
pub(crate) const SUFFIX: &str = "dc=load,dc=test";
/// May write everything.
pub(crate) const ADMIN: &str = "cn=admin,dc=load,dc=test";
/// May read everything, without limits. Over `ldapi` with SASL EXTERNAL, the user who runs the tests is this one too.
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

/// Whether a server remembers what was deleted (`syncprov-sessionlog`). It is kept in memory, lost at every restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SessionLog {
    /// It tells which entries are gone.
    Kept,
    /// It tells which entries are still there.
    None,
    /// It tells which entries are gone. The server rewrites the groups of an entry that is renamed or deleted (`refint`),
    /// and tells nobody.
    KeptBesideRefint,
}

#[derive(Clone, Copy)]
struct Ports {
    plain: u16,
    tls: u16,
}

impl Slapd {
    /// Starts a server that holds the accounts above, the three units and the entries of `ldif`.
    pub(crate) fn start(ldif: &str) -> Self {
        Self::start_with(written(ldif).path())
    }

    /// The same with or without a session log.
    pub(crate) fn start_logging(ldif: &str, log: SessionLog) -> Self {
        Self::start_from(written(ldif).path(), log)
    }

    /// The same for entries that lie in a file.
    pub(crate) fn start_with(ldif: &Path) -> Self {
        Self::start_from(ldif, SessionLog::Kept)
    }

    fn start_from(ldif: &Path, log: SessionLog) -> Self {
        let folder = tempfile::Builder::new().prefix("slapd-").tempdir().unwrap();
        certificates::write(folder.path(), &["localhost", "127.0.0.1"]);
        std::fs::create_dir(folder.path().join("db")).unwrap();
        std::fs::write(
            folder.path().join("slapd.conf"),
            configuration(folder.path(), log),
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
        self.folder.path().join(certificates::AUTHORITY)
    }

    /// `ldapi://…`, the socket in the server's folder. SASL EXTERNAL there makes the user who runs the tests [`READER`].
    pub(crate) fn ldapi_url(&self) -> String {
        ldapi_url(self.folder.path())
    }

    /// The process, for sending it signals.
    pub(crate) fn pid(&self) -> u32 {
        self.server.as_ref().expect("it runs").id()
    }

    /// Applies LDIF change records (`changetype: …`) as the administrator.
    pub(crate) fn modify(&self, changes: &str) {
        ldap_tools::modify(&self.url(), ADMIN, PASSWORD, changes);
    }

    /// The values of an attribute of an entry.
    pub(crate) fn values(&self, entry: &str, attribute: &str) -> Vec<String> {
        ldap_tools::values(&self.url(), (ADMIN, PASSWORD), entry, attribute)
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

    /// Writes something else into the configuration of a stopped server.
    pub(crate) fn configure(&mut self, instead_of: &str, text: &str) {
        assert!(self.server.is_none(), "it runs");
        let file = self.folder.path().join("slapd.conf");
        let old = std::fs::read_to_string(&file).unwrap();
        assert!(old.contains(instead_of), "{old}");
        std::fs::write(file, old.replace(instead_of, text)).unwrap();
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
    let socket = ldapi_url(folder);
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
        None => ldap_tools::answers(&socket).then_some(true),
    });
    runs.then_some(server)
}

fn written(ldif: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(ldif.as_bytes()).unwrap();
    file
}

fn ldapi_url(folder: &Path) -> String {
    let socket = folder.join("ldapi").display().to_string();
    format!("ldapi://{}", socket.replace('/', "%2F"))
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

fn configuration(folder: &Path, log: SessionLog) -> String {
    // The folder is ours, so its owner is who runs the tests.
    let uid = folder.metadata().unwrap().uid();
    let log = match log {
        SessionLog::Kept => "syncprov-sessionlog 1000",
        SessionLog::None => "",
        SessionLog::KeptBesideRefint => {
            "syncprov-sessionlog 1000\noverlay    refint\nrefint_attributes member"
        }
    };
    // A server that is killed goes back to how far it was at its last checkpoint; with a session log it then leaves out what
    // was deleted since, without knowing that it does. So every change is one.
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
moduleload refint
TLSCACertificateFile  {folder}/ca.pem
TLSCertificateFile    {folder}/server.pem
TLSCertificateKeyFile {folder}/server.key
sizelimit  500
authz-regexp "gidNumber=[0-9]+\\+uidNumber={uid},cn=peercred,cn=external,cn=auth" "{READER}"
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
syncprov-checkpoint 1 1
{log}
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
