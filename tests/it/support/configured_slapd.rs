//! A real OpenLDAP server that is configured as administrators do it, through `cn=config`, and lets nobody read anything before.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::slapd::PASSWORD;
use super::{ldap_tools, wait};

/// Who may change the configuration.
const CONFIG: &str = "cn=config";

/// A running server. Dropping it kills the server and removes its folder.
pub(crate) struct ConfiguredSlapd {
    server: Child,
    port: u16,
    _folder: TempDir,
}

impl ConfiguredSlapd {
    /// Starts a server with one database, number 1, that holds the entries of `ldif`; `cn=admin` below the suffix may write it.
    pub(crate) fn start(suffix: &str, ldif: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("slapd-").tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        for name in ["db", "slapd.d"] {
            std::fs::create_dir(file(name)).unwrap();
        }
        std::fs::write(file("slapd.conf"), configuration(folder.path(), suffix)).unwrap();
        std::fs::write(file("tree.ldif"), ldif).unwrap();
        let (plain, tree) = (file("slapd.conf"), file("tree.ldif"));
        let (config, folder_of_config) = ("-f".as_ref(), "-F".as_ref());
        run(
            "slapadd",
            &["-q".as_ref(), config, &plain, "-l".as_ref(), &tree],
        );
        run(
            "slaptest",
            &[config, &plain, folder_of_config, &file("slapd.d")],
        );
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let url = format!("ldap://127.0.0.1:{port}");
        let mut server = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "/usr/sbin/slapd", "-d", "0", "-h"])
            .args([&url, "-F"])
            .arg(file("slapd.d"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("util-linux is not installed");
        wait::until("slapd answers", || {
            assert!(server.try_wait().unwrap().is_none(), "slapd ended");
            ldap_tools::answers(&url).then_some(())
        });
        Self {
            server,
            port,
            _folder: folder,
        }
    }

    /// `ldap://…`, plain text.
    pub(crate) fn url(&self) -> String {
        format!("ldap://127.0.0.1:{}", self.port)
    }

    /// Applies LDIF change records to the configuration.
    pub(crate) fn configure(&self, changes: &str) {
        ldap_tools::modify(&self.url(), CONFIG, PASSWORD, changes);
    }
}

impl Drop for ConfiguredSlapd {
    fn drop(&mut self) {
        self.server.kill().unwrap();
        self.server.wait().unwrap();
    }
}

fn run(tool: &str, arguments: &[&Path]) {
    let output = Command::new(format!("/usr/sbin/{tool}"))
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("slapd is not installed");
    assert!(output.status.success(), "{tool}: {output:?}");
}

fn configuration(folder: &Path, suffix: &str) -> String {
    let folder = folder.display();
    format!(
        r#"include    /etc/ldap/schema/core.schema
include    /etc/ldap/schema/cosine.schema
include    /etc/ldap/schema/nis.schema
include    /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
database   config
rootpw     {PASSWORD}
database   mdb
suffix     "{suffix}"
rootdn     "cn=admin,{suffix}"
rootpw     {PASSWORD}
directory  {folder}/db
maxsize    1073741824
dbnosync
access to attrs=userPassword by anonymous auth by * none
access to * by * none
"#
    )
}
