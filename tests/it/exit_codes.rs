//! The page on exit codes and the program tell the same codes.

use std::path::Path;

use usersyncd::daemon::Exit;

#[test]
fn the_page_has_a_row_for_each_way_to_end_and_no_other() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/exit-codes.md");
    let page = std::fs::read_to_string(page).unwrap();
    let rows = page.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| ")?.split(" | ");
        let code: u8 = cells.next()?.parse().ok()?;
        Some((code, cells.next()?.to_owned()))
    });
    let known = Exit::ALL.map(|exit| (exit.code(), format!("{exit:?}").to_lowercase()));
    assert_eq!(rows.collect::<Vec<_>>(), known);
}
