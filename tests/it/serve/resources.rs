//! Every resource in both formats.

use crate::support::serving::{self, Ask};

#[tokio::test]
async fn a_user_is_shown_in_both_formats() {
    let serving = serving::start().await;
    let json = serving.json("/user?username=BEN").await;
    insta::assert_json_snapshot!(json.json());
    let xml = serving.get("/user?username=BEN").await;
    insta::assert_snapshot!(xml.text());
    let by_key = serving.json("/user?key=1:b&expand=attributes").await;
    assert_eq!(by_key.json(), json.json());
    let _ = Ask::get("");
}
