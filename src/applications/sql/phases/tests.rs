use regex::Regex;

use super::*;
use crate::applications::sql::convert::RowName;

#[test]
fn kinds_run_in_the_order_of_the_plan_with_deletions_last() {
    let layout = layout();
    let sent = [
        sent(Side::Accounts, Work::Delete(row("zoe"))),
        sent(Side::Accounts, members("staff", &["anna"], &["ben"])),
        sent(Side::Groups, Work::Delete(row("old"))),
        sent(Side::Accounts, update("carl", "carl", What::EMAIL)),
        sent(Side::Accounts, Work::Create(values("anna"))),
        sent(Side::Accounts, update("dora", "emil", What::RENAME)),
        sent(Side::Groups, Work::Create(values("staff"))),
    ];
    check(
        &layout,
        &sent,
        &[
            r#"INSERT INTO "groups" [["staff",""]]"#,
            r#"UPDATE "users" [["dora","emil"]]"#,
            r#"UPDATE "memberships" [["dora","emil"]]"#,
            r#"INSERT INTO "users" [["anna","","","","","","",0]]"#,
            r#"UPDATE "users" [["carl",""]]"#,
            r#"DELETE FROM "memberships" [{"staff":["ben"]}]"#,
            r#"INSERT INTO "memberships" [{"staff":["anna"]}]"#,
            r#"DELETE FROM "memberships" ["zoe"]"#,
            r#"DELETE FROM "users" ["zoe"]"#,
            r#"DELETE FROM "memberships" ["old"]"#,
            r#"DELETE FROM "groups" ["old"]"#,
        ],
    );
}

#[test]
fn each_link_of_a_chain_of_names_is_a_round() {
    let layout = layout();
    let rename = |from, to| sent(Side::Groups, update(from, to, What::RENAME));
    let sent = [
        rename("c", "d"),
        rename("x", "y"),
        rename("b", "C"),
        rename("a", "b"),
        rename("w", "X"),
        sent(Side::Groups, update("e", "E", What::SPELLING)),
    ];
    check(
        &layout,
        &sent,
        &[
            r#"UPDATE "groups" [["c","d"],["x","y"]]"#,
            r#"UPDATE "memberships" [["c","d"],["x","y"]]"#,
            r#"UPDATE "groups" [["e","E"]]"#,
            r#"UPDATE "memberships" [["e","E"]]"#,
            r#"UPDATE "groups" [["b","C"],["w","X"]]"#,
            r#"UPDATE "memberships" [["b","C"],["w","X"]]"#,
            r#"UPDATE "groups" [["a","b"]]"#,
            r#"UPDATE "memberships" [["a","b"]]"#,
        ],
    );
}

#[test]
fn rows_and_pairs_are_cut_into_portions() {
    let layout = layout();
    let names: Vec<String> = (0..25_500).map(|it| format!("user{it}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let creations = names[..2_001].iter().map(|name| Work::Create(values(name)));
    let groups = [
        ("large", 25_500),
        ("small", 5_000),
        ("tiny", 10),
        ("last", 5_000),
    ];
    let memberships = groups.map(|(group, count)| members(group, &names[..count], &[]));
    let works = creations.chain(memberships);
    let sent: Vec<Sent<'_>> = works.map(|work| sent(Side::Accounts, work)).collect();
    let schema = schema();
    let phases = phases(&layout, &schema, &sent);
    let rows =
        |phase: &Phase<'_>| -> Vec<u64> { phase.parameters().map(|it| it.unwrap().rows).collect() };
    assert_eq!(rows(&phases[0]), [1_000, 1_000, 1]);
    let given: Vec<String> = phases[1].parameters().map(|it| it.unwrap().json).collect();
    let groups = |json: &String| -> Vec<(String, usize)> {
        let parsed: Vec<BTreeMap<String, Vec<String>>> = serde_json::from_str(json).unwrap();
        let groups = parsed[0].iter();
        groups
            .map(|(group, members)| (group.clone(), members.len()))
            .collect()
    };
    let portions: Vec<_> = given.iter().map(groups).collect();
    let of = |name: &str, count| (name.to_owned(), count);
    assert_eq!(
        portions,
        [
            vec![of("large", 10_000)],
            vec![of("large", 10_000)],
            vec![of("large", 5_500)],
            vec![of("small", 5_000), of("tiny", 10)],
            vec![of("last", 5_000)],
        ]
    );
}

/// Every statement that runs: its verb and table, and its parameter.
fn check(layout: &Layout, sent: &[Sent<'_>], expect: &[&str]) {
    let schema = schema();
    let phases = phases(layout, &schema, sent);
    let verb = Regex::new(r#"(INSERT INTO|UPDATE|DELETE FROM) "\w+""#).unwrap();
    let found = phases.iter().flat_map(|phase| {
        let verb = verb.find(&phase.sql).unwrap().as_str();
        let parameters = phase.parameters();
        parameters.map(move |it| format!("{verb} {}", it.unwrap().json))
    });
    assert_eq!(found.collect::<Vec<_>>(), expect);
}

fn layout() -> Layout {
    Layout::new(serde_yaml::from_str("url: sqlite:a.db").unwrap())
}

/// The table for groups in groups is not there.
fn schema() -> Schema {
    let tables = ["users", "groups", "memberships"];
    let tables = tables.map(|table| (table.to_owned(), statements::Table::default()));
    Schema {
        tables: tables.into(),
    }
}

fn sent(side: Side, work: Work<'_>) -> Sent<'_> {
    Sent { at: 0, side, work }
}

fn row(name: &str) -> RowName<'_> {
    RowName { name, id: "" }
}

fn values(name: &str) -> Values<'_> {
    Values {
        name,
        ..Values::default()
    }
}

fn update<'a>(from: &'a str, to: &'a str, what: What) -> Work<'a> {
    Work::Update {
        row: row(from),
        what,
        values: values(to),
    }
}

fn members<'a>(group: &'a str, give: &[&'a str], take: &[&'a str]) -> Work<'a> {
    Work::Members {
        group,
        give: give.to_vec(),
        take: take.to_vec(),
    }
}
