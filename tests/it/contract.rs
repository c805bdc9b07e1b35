//! The contract of connectors: the numbered obligations of `src/directories/mod.rs` and `src/applications/mod.rs`, written
//! once and held against every directory and every application there is, real ones and fakes.
//!
//! A new connector takes one line below and, where its world is new, one administrator in `sources` or one operator in
//! `targets`. An obligation that a connector has no part in (a delta where there are no cursors, an external id where the
//! product has none) is passed over. That the suite sees what it looks for is shown by fakes that are broken on purpose.

use usersyncd::model::Batch;

mod applications;
mod broken;
mod crowd;
mod directories;
mod domain;
mod dropping;
mod google;
mod plans;
mod sources;
mod targets;

use crate::crowd_application::world::both;
use crate::support::crowd_double::Rules;
use crate::support::crowd_double::rules::Events;
use crate::support::fake_server::Ids;
use crowd::CrowdSource;
use domain::SambaSource;
use google::GoogleSource;
use sources::{FakeSource, FileSource, Format, SlapdSource};
use targets::{CrowdTarget, FakeTarget, SqlTarget, Tables};

pub(crate) use targets::everything;

#[tokio::test]
async fn a_yaml_file_keeps_the_obligations() {
    directories::hold(async || FileSource::world(Format::Yaml)).await;
}

#[tokio::test]
async fn a_csv_file_keeps_the_obligations() {
    directories::hold(async || FileSource::world(Format::Csv)).await;
}

#[tokio::test]
async fn an_ldif_file_keeps_the_obligations() {
    directories::hold(async || FileSource::world(Format::Ldif)).await;
}

#[tokio::test]
async fn an_ldap_server_keeps_the_obligations() {
    directories::hold(SlapdSource::world).await;
}

#[tokio::test]
async fn a_domain_controller_keeps_the_obligations() {
    directories::hold(SambaSource::world).await;
}

#[tokio::test]
async fn a_crowd_keeps_the_obligations() {
    directories::hold(async || CrowdSource::world(Rules::default())).await;
}

#[tokio::test]
async fn a_crowd_that_tells_no_changes_keeps_the_obligations() {
    let rules = || Rules {
        events: Events::Absent,
        membership_list: false,
        ..Rules::default()
    };
    directories::hold(async || CrowdSource::world(rules())).await;
}

#[tokio::test]
async fn a_google_workspace_keeps_the_obligations() {
    directories::hold(async || GoogleSource::world()).await;
}

#[tokio::test]
async fn the_fake_directory_keeps_the_obligations() {
    directories::hold(async || FakeSource::world(None)).await;
}

#[tokio::test]
async fn the_default_tables_keep_the_obligations() {
    applications::hold(async || SqlTarget::world(Tables::Default).await).await;
}

#[tokio::test]
async fn tables_in_the_style_of_nextcloud_keep_the_obligations() {
    applications::hold(async || SqlTarget::world(Tables::Cloud).await).await;
}

#[tokio::test]
async fn tables_in_the_style_of_dovecot_keep_the_obligations() {
    applications::hold(async || SqlTarget::world(Tables::Mail).await).await;
}

#[tokio::test]
async fn tables_with_numbered_rows_keep_the_obligations() {
    applications::hold(async || SqlTarget::world(Tables::Numbered).await).await;
}

#[tokio::test]
async fn a_crowd_keeps_the_obligations_of_an_application() {
    for rules in both() {
        applications::hold(async || CrowdTarget::world(rules.clone())).await;
    }
}

#[tokio::test]
async fn the_fake_application_keeps_the_obligations() {
    for (batch, ids) in [
        (Batch::One, Ids::Numbers),
        (Batch::Many(2), Ids::Misleading),
        (Batch::Whole, Ids::Names),
    ] {
        applications::hold(async || FakeTarget::world(batch, ids, None)).await;
    }
}
