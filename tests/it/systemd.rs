//! The shipped units are valid for systemd 252 and stay as locked up as they were.
//! `systemd-analyze` judges the files themselves; no service manager is asked.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The two services that run usersyncd.
const SERVICES: [&str; 2] = ["usersyncd.service", "usersyncd-sync.service"];

#[test]
fn each_service_is_exposed_by_at_most_1_2() {
    for service in SERVICES {
        let path = units().join(service);
        let output = security(&path, "12");
        assert!(output.status.success(), "{service}\n{}", text(&output));
        // The same question with a threshold out of reach: an answer that never fails would prove nothing.
        let output = security(&path, "5");
        assert!(
            !output.status.success(),
            "{service}: the threshold is not looked at"
        );
    }
}

#[test]
fn systemd_accepts_every_unit() {
    let folder = tempfile::tempdir().unwrap();
    let mut copies = Vec::new();
    for entry in std::fs::read_dir(units()).unwrap() {
        let path = entry.unwrap().path();
        let unit = std::fs::read_to_string(&path).unwrap();
        // The path of an installed binary is the one thing that is not so here.
        let unit = unit.replace("/usr/bin/usersyncd", env!("CARGO_BIN_EXE_usersyncd"));
        let copy = folder.path().join(path.file_name().unwrap());
        std::fs::write(&copy, unit).unwrap();
        copies.push(copy);
    }
    assert_eq!(copies.len(), 3, "a daemon, a single pass and its timer");
    let output = analyze()
        .args(["verify", "--man=no"])
        .args(&copies)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output));
    assert_eq!(text(&output), "", "a warning is a failure too");
}

#[test]
fn both_services_are_hardened_alike() {
    let [daemon, pass] = SERVICES.map(hardening);
    assert_eq!(daemon, pass);
}

#[test]
fn a_wrong_configuration_is_not_tried_again() {
    let unit = std::fs::read_to_string(units().join("usersyncd.service")).unwrap();
    for line in [
        "Type=notify",
        "Restart=on-failure",
        "RestartPreventExitStatus=78",
    ] {
        assert!(unit.lines().any(|it| it == line), "{line}");
    }
}

/// The lines of a service from `DynamicUser=` to the end of its section.
fn hardening(service: &str) -> Vec<String> {
    let unit = std::fs::read_to_string(units().join(service)).unwrap();
    unit.lines()
        .skip_while(|line| !line.starts_with("DynamicUser="))
        .take_while(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}

fn security(unit: &Path, threshold: &str) -> Output {
    analyze()
        .args(["security", "--offline=true", "--no-pager"])
        .arg(format!("--threshold={threshold}"))
        .arg(unit)
        .output()
        .unwrap()
}

fn analyze() -> Command {
    Command::new("systemd-analyze")
}

fn units() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd")
}

fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}
