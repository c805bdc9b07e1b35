//! A real Active Directory domain controller: Samba's.
//!
//! It wants the ports 389, 636 and 3268 and the rights of root, so each takes an address of its own in 127.0.0.0/8. Making
//! a domain takes ten seconds; it is done once a package version and kept in `target/tmp`, and each server starts on a copy.
//! One server a test process is shared by all tests that need no more than organizational units of their own.
//!
//! No server outlives the process of its tests, however that ends: a shell between the two waits for the end of a pipe, then
//! kills the server and removes its folder.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use tempfile::TempDir;

use super::{certificates, ldap_tools, wait};

/// The naming context.
pub(crate) const BASE: &str = "DC=ad,DC=load,DC=test";
/// May write everything.
pub(crate) const ADMIN: &str = "CN=Administrator,CN=Users,DC=ad,DC=load,DC=test";
/// A user like any other, which is enough for reading.
pub(crate) const READER: &str = "CN=reader,CN=Users,DC=ad,DC=load,DC=test";
/// A user with the right `Replicating Directory Changes` (`DirSync`) who may see what was deleted.
pub(crate) const SYNCER: &str = "CN=syncer,CN=Users,DC=ad,DC=load,DC=test";
/// A user who may see what was deleted, without that right: enough for asking by change numbers.
pub(crate) const COUNTER: &str = "CN=counter,CN=Users,DC=ad,DC=load,DC=test";
/// A user with that right who may not see what was deleted. Samba tells this one of all changes but those.
pub(crate) const BLIND: &str = "CN=blind,CN=Users,DC=ad,DC=load,DC=test";
/// The password of each of these.
pub(crate) const PASSWORD: &str = "Passw0rd!x";

/// Raised when the domain is made in another way than before.
const RECIPE: u32 = 2;

/// What a domain controller listens on here: LDAP, LDAP over TLS, and the global catalogue with either.
const PORTS: [u16; 4] = [389, 636, 3268, 3269];

/// Bound on an address that is taken, before the server is up and as long as its test lives. Nobody listens for anything.
const TAKEN: u16 = 3899;

/// Runs `samba`, and ends it and removes its folder when the standard input ends.
const KEEPER: &str = r#"
folder=$1; shift
trap '' HUP INT TERM
exec 3<&0
setpriv --pdeathsig KILL "$@" </dev/null 3<&- &
server=$!
{ read -r _ <&3; kill -KILL $server; } 2>/dev/null &
watch=$!
wait $server
kill -KILL $watch 2>/dev/null
rm -rf "$folder"
"#;

/// Lets accounts see what was deleted. `samba-tool dsacl` does not find the place where that stands.
const SHOW_DELETED: &str = r#"
import sys
import ldb
from samba.auth import system_session
from samba.dcerpc import security
from samba.ndr import ndr_pack, ndr_unpack
from samba.param import LoadParm
from samba.samdb import SamDB

options = LoadParm()
options.load(sys.argv[1])
samdb = SamDB(url=sys.argv[2], session_info=system_session(), lp=options)
controls = ["show_deleted:1", "sd_flags:1:4"]
name = "CN=Deleted Objects," + str(samdb.domain_dn())
attribute = "nTSecurityDescriptor"
found = samdb.search(name, ldb.SCOPE_BASE, attrs=[attribute], controls=controls)[0]
descriptor = ndr_unpack(security.descriptor, found[attribute][0])
domain = security.dom_sid(samdb.get_domain_sid())
for account in sys.argv[3:]:
    user = samdb.search(account, ldb.SCOPE_BASE, attrs=["objectSid"])[0]
    sid = ndr_unpack(security.dom_sid, user["objectSid"][0])
    granted = security.descriptor.from_sddl("D:(A;CI;LCRP;;;%s)" % sid, domain)
    descriptor.dacl_add(granted.dacl.aces[0])
message = ldb.Message(ldb.Dn(samdb, name))
message["new"] = ldb.MessageElement(ndr_pack(descriptor), ldb.FLAG_MOD_REPLACE, attribute)
samdb.modify(message, controls)
"#;

/// A running server. Dropping it kills the server and removes its folder.
pub(crate) struct Samba {
    folder: PathBuf,
    address: Address,
    keeper: Child,
}

/// An address that is nobody else's.
struct Address {
    ip: Ipv4Addr,
    _taken: TcpListener,
}

impl Samba {
    /// The server that the tests of this process share; the first to ask waits until it is up.
    pub(crate) fn shared() -> &'static Samba {
        static SHARED: OnceLock<Samba> = OnceLock::new();
        SHARED.get_or_init(Samba::start)
    }

    /// A server of one's own, for tests that stop it or change what others rely on.
    pub(crate) fn start() -> Samba {
        // The owner of what the kernel shows of a process is its user.
        let user = fs::metadata("/proc/self").unwrap().uid();
        assert_eq!(
            user, 0,
            "a domain controller takes the rights of root: run the tests as root"
        );
        let folder = copy_of(&domain());
        let address = Address::free();
        let ip = address.ip.to_string();
        certificates::write(&folder, &["dc1.ad.load.test", &ip]);
        let file = folder.join("smb.conf");
        fs::write(&file, configuration(&folder, address.ip)).unwrap();
        let log = fs::File::create(folder.join("log")).unwrap();
        let arguments = ["-F", "--no-process-group", "-M", "single", "--debug-stdout"];
        let keeper = Command::new("sh")
            .args(["-c", KEEPER, "keeper"])
            .arg(&folder)
            .arg("/usr/sbin/samba")
            .args(arguments)
            .arg("-s")
            .arg(&file)
            .stdin(Stdio::piped())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut samba = Samba {
            folder,
            address,
            keeper,
        };
        samba.wait_until_it_answers();
        samba
    }

    /// The process, for sending it signals.
    pub(crate) fn pid(&self) -> u32 {
        let file = fs::read_to_string(self.folder.join("samba.pid"));
        file.unwrap().trim().parse().unwrap()
    }

    /// Where it listens.
    pub(crate) fn ip(&self) -> Ipv4Addr {
        self.address.ip
    }

    /// `ldap://…`, plain text.
    pub(crate) fn url(&self) -> String {
        format!("ldap://{}", self.address.ip)
    }

    /// `ldaps://…`; the certificate is for the address and signed by [`Self::ca_path`].
    pub(crate) fn ldaps_url(&self) -> String {
        format!("ldaps://{}", self.address.ip)
    }

    /// The certificate of the authority, PEM. It lies in the server's folder.
    pub(crate) fn ca_path(&self) -> PathBuf {
        self.folder.join(certificates::AUTHORITY)
    }

    /// Applies LDIF change records (`changetype: …`) as the administrator.
    pub(crate) fn modify(&self, changes: &str) {
        ldap_tools::modify(&self.url(), ADMIN, PASSWORD, changes);
    }

    /// Makes an organizational unit of this name, with the units `people` and `groups` in it, for one test. Gives its DN.
    pub(crate) fn unit(&self, name: &str) -> String {
        let unit = format!("OU={name},{BASE}");
        let mut changes = String::new();
        for dn in [
            unit.clone(),
            format!("OU=people,{unit}"),
            format!("OU=groups,{unit}"),
        ] {
            let _ = write!(
                changes,
                "dn: {dn}\nchangetype: add\nobjectClass: organizationalUnit\n\n"
            );
        }
        self.modify(&changes);
        unit
    }

    /// Sets the password of a user. Over TLS alone is that allowed.
    pub(crate) fn set_password(&self, dn: &str, password: &str) {
        let quoted = format!("\"{password}\"");
        let bytes: Vec<u8> = quoted.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let encoded = BASE64_STANDARD.encode(bytes);
        let change =
            format!("dn: {dn}\nchangetype: modify\nreplace: unicodePwd\nunicodePwd:: {encoded}\n");
        let mut client = Command::new("ldapmodify");
        let client = client.env("LDAPTLS_CACERT", self.ca_path());
        ldap_tools::modify_by(client, &self.ldaps_url(), (ADMIN, PASSWORD), &change);
    }

    fn wait_until_it_answers(&mut self) {
        let url = self.url();
        let log = self.folder.join("log");
        wait::until("samba answers", || {
            // Its folder goes when it ends.
            let said = fs::read_to_string(&log).unwrap_or_default();
            let ended = self.keeper.try_wait().unwrap().is_some();
            assert!(!ended, "samba did not start: {said}");
            ldap_tools::answers(&url).then_some(())
        });
    }
}

impl Drop for Samba {
    fn drop(&mut self) {
        // The end of its input tells the keeper.
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

impl Address {
    /// One on which all the ports can be had. Several test processes may look for one at once.
    fn free() -> Address {
        let start = std::process::id() % 200;
        let mut hosts = (0..200).map(|it| 20 + (start + it) % 200);
        let free = hosts.find_map(|host| {
            let ip = Ipv4Addr::new(127, 0, 0, host as u8);
            let taken = TcpListener::bind((ip, TAKEN)).ok()?;
            let mut ports = PORTS.iter();
            let free = ports.all(|&port| TcpListener::bind((ip, port)).is_ok());
            free.then_some(Address { ip, _taken: taken })
        });
        free.expect(
            "no address from 127.0.0.20 to 127.0.0.219 is free at the ports 389, 636 and 3268",
        )
    }
}

/// The folder of the domain that every server starts from, made if it is not there yet.
fn domain() -> PathBuf {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let version = output("dpkg-query", &["-W", "-f", "${Version}", "samba"]);
    let version = version.replace(|it: char| !it.is_ascii_alphanumeric(), "-");
    let folder = home.join(format!("samba-{version}-{RECIPE}"));
    if !folder.exists() {
        let new = tempfile::Builder::new()
            .prefix("samba-new-")
            .tempdir_in(home);
        let new = new.unwrap();
        make_domain(&new.path().join("dc"));
        // Another process may have been as quick; either of the two will do.
        let renamed = fs::rename(new.path().join("dc"), &folder);
        assert!(folder.exists(), "{}: {renamed:?}", folder.display());
    }
    folder
}

/// Makes a domain with the accounts of the tests. Its passwords never expire, since it is kept.
fn make_domain(folder: &Path) {
    let tool = |arguments: &[&str]| output("samba-tool", arguments);
    let target = format!("--targetdir={}", folder.display());
    let password = format!("--adminpass={PASSWORD}");
    tool(&[
        "domain",
        "provision",
        "--realm=AD.LOAD.TEST",
        "--domain=ADLOAD",
        "--server-role=dc",
        "--dns-backend=NONE",
        "--use-rfc2307",
        "--host-name=dc1",
        "--host-ip=127.0.0.1",
        "--option=interfaces=lo 127.0.0.1",
        "--option=bind interfaces only=yes",
        &password,
        &target,
    ]);
    let database = folder.join("private/sam.ldb").display().to_string();
    let options = folder.join("etc/smb.conf").display().to_string();
    let there = ["-H", &database, "-s", &options];
    let tool = |arguments: &[&str]| tool(&[arguments, &there].concat());
    tool(&[
        "domain",
        "passwordsettings",
        "set",
        "--complexity=off",
        "--history-length=0",
        "--min-pwd-length=0",
        "--min-pwd-age=0",
        "--max-pwd-age=0",
    ]);
    for name in ["reader", "syncer", "counter", "blind"] {
        tool(&["user", "create", name, PASSWORD]);
    }
    for account in [SYNCER, BLIND] {
        tool(&[
            "dsacl",
            "set",
            "--action=allow",
            "--car=get-changes",
            &format!("--objectdn={BASE}"),
            &format!("--trusteedn={account}"),
        ]);
    }
    let accounts = [&options, &database, SYNCER, COUNTER];
    // Debian's own, for which the packages bring the modules.
    output(
        "/usr/bin/python3",
        &[&["-c", SHOW_DELETED], &accounts[..]].concat(),
    );
}

/// A copy in a temporary folder that nobody removes but the keeper.
fn copy_of(domain: &Path) -> PathBuf {
    let folder: TempDir = tempfile::Builder::new().prefix("samba-").tempdir().unwrap();
    let from = domain.join(".").into_os_string();
    run("cp", &[OsStr::new("-a"), &from, folder.path().as_os_str()]);
    folder.keep()
}

fn configuration(folder: &Path, ip: Ipv4Addr) -> String {
    let folder = folder.display();
    format!(
        r"[global]
netbios name = DC1
realm = AD.LOAD.TEST
workgroup = ADLOAD
server role = active directory domain controller
server services = ldap
private dir = {folder}/private
state directory = {folder}/state
cache directory = {folder}
lock directory = {folder}
pid directory = {folder}
ncalrpc dir = {folder}/ncalrpc
log file = {folder}/log.%m
interfaces = {ip}/8
bind interfaces only = yes
ldap server require strong auth = no
tls enabled = yes
tls certfile = {folder}/{certificate}
tls keyfile = {folder}/{key}
tls cafile = {folder}/{authority}
idmap_ldb:use rfc2307 = yes
ldb:nosync = yes
",
        certificate = certificates::SERVER,
        key = certificates::KEY,
        authority = certificates::AUTHORITY,
    )
}

/// What a program prints, if all goes well.
fn output(program: &str, arguments: &[&str]) -> String {
    let arguments: Vec<&OsStr> = arguments.iter().map(OsStr::new).collect();
    run(program, &arguments)
}

fn run(program: &str, arguments: &[&OsStr]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|fault| panic!("{program}: {fault}; `tests/run --prepare` installs it"));
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}
