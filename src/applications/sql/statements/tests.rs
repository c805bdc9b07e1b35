use super::*;
use crate::applications::sql::layout::Layout;
use crate::model::What;

const NAMES: &str = "
users: { table: people, key: login, lower_key: low, columns: { email: mail }, active: { column: on }, fixed: { pw: '' } }
groups: { table: teams, key: name }
memberships: { table: in_team, group: team, user: person, fixed: { role: member } }
";
const NUMBERS: &str = r#"
users: { table: 'the "people"', key: login, id: id }
groups: { table: teams, key: name, id: nr }
memberships: { table: in_team, group: team, user: person }
"#;

#[test]
fn a_creation_writes_every_column_once() {
    let layout = layout(NAMES);
    check(
        &create(&layout.users, &schema()),
        "WITH pushed(c0, c1, c2, c3, c4) AS MATERIALIZED \
         (SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM jsonb_each(?1)) \
         INSERT INTO \"people\" (\"login\", \"low\", \"mail\", \"on\", \"pw\") \
         SELECT pushed.c0, pushed.c1, nullif(pushed.c2, ''), pushed.c3, pushed.c4 FROM pushed",
    );
}

#[test]
fn an_update_writes_the_columns_of_its_parts() {
    let layout = layout(NAMES);
    let update = |what: What| update(&layout.users, &layout.users.changed(what), &schema());
    check(
        &update(What::EMAIL.with(What::DEACTIVATE).with(What::DISPLAY_NAME)),
        "WITH pushed(c0, c1, c2) AS MATERIALIZED (SELECT value ->> 0, value ->> 1, value ->> 2 FROM jsonb_each(?1)) \
         UPDATE \"people\" SET \"mail\" = nullif(pushed.c1, ''), \"on\" = pushed.c2 FROM pushed \
         WHERE \"people\".\"login\" = pushed.c0",
    );
    check(
        &update(What::RENAME),
        "WITH pushed(c0, c1, c2) AS MATERIALIZED (SELECT value ->> 0, value ->> 1, value ->> 2 FROM jsonb_each(?1)) \
         UPDATE \"people\" SET \"login\" = pushed.c1, \"low\" = pushed.c2 FROM pushed \
         WHERE \"people\".\"login\" = pushed.c0",
    );
    check(
        &update(What::SPELLING),
        "WITH pushed(c0, c1) AS MATERIALIZED (SELECT value ->> 0, value ->> 1 FROM jsonb_each(?1)) \
         UPDATE \"people\" SET \"login\" = pushed.c1 FROM pushed WHERE \"people\".\"login\" = pushed.c0",
    );
}

#[test]
fn pairs_by_name_need_no_look_up() {
    let layout = layout(NAMES);
    let (edge, groups, users) = ends_of(&layout);
    check(
        &give(edge, groups, users, &schema()),
        "WITH pushed(c0, c1, c2) AS MATERIALIZED (SELECT e.key, m.value, ?1 ->> 1 \
         FROM jsonb_each(?1, '$[0]') AS e CROSS JOIN json_each(e.value) AS m) \
         INSERT INTO \"in_team\" (\"team\", \"person\", \"role\") SELECT pushed.c0, pushed.c1, pushed.c2 FROM pushed \
         WHERE NOT EXISTS (SELECT 1 FROM \"in_team\" AS e WHERE e.\"team\" = pushed.c0 AND e.\"person\" = pushed.c1)",
    );
    check(
        &take(edge, groups, users),
        "WITH pushed(c0, c1) AS MATERIALIZED (SELECT e.key, m.value \
         FROM jsonb_each(?1, '$[0]') AS e CROSS JOIN json_each(e.value) AS m) \
         DELETE FROM \"in_team\" WHERE (\"team\", \"person\") IN (SELECT pushed.c0, pushed.c1 FROM pushed WHERE TRUE)",
    );
}

#[test]
fn a_table_that_holds_each_pair_once_is_not_asked_for_pairs() {
    let layout = layout(NAMES);
    let (edge, groups, users) = ends_of(&layout);
    let given = |keys: &[&[&str]]| {
        let columns = |key: &&[&str]| key.iter().map(|it| (*it).to_owned()).collect();
        let table = Table {
            keys: keys.iter().map(columns).collect(),
            ..Table::default()
        };
        let schema = Schema {
            tables: [("in_team".to_owned(), table)].into(),
        };
        give(edge, groups, users, &schema)
    };
    let once = given(&[&["nr"], &["person", "team"]]);
    let end = "FROM pushed WHERE TRUE ON CONFLICT (\"team\", \"person\") DO NOTHING";
    assert!(once.ends_with(end), "{once}");
    let others: [&[&[&str]]; 3] = [&[], &[&["person"]], &[&["person", "team", "role"]]];
    for other in others {
        assert!(given(other).contains("NOT EXISTS"), "{other:?}");
    }
}

#[test]
fn pairs_by_number_are_looked_up_by_name() {
    let layout = layout(NUMBERS);
    let (edge, groups, users) = ends_of(&layout);
    check(
        &take(edge, groups, users),
        "WITH pushed(c0, c1) AS MATERIALIZED (SELECT e.key, m.value \
         FROM jsonb_each(?1, '$[0]') AS e CROSS JOIN json_each(e.value) AS m) \
         DELETE FROM \"in_team\" WHERE (\"team\", \"person\") IN (SELECT g.\"nr\", m.\"id\" \
         FROM pushed CROSS JOIN \"teams\" AS g CROSS JOIN \"the \"\"people\"\"\" AS m \
         WHERE g.\"name\" = pushed.c0 AND m.\"login\" = pushed.c1 AND TRUE)",
    );
    check(
        &forget(edge, &edge.member, users),
        "WITH pushed(c0) AS MATERIALIZED (SELECT value FROM json_each(?1)) \
         DELETE FROM \"in_team\" WHERE \"person\" IN (SELECT t.\"id\" FROM pushed \
         CROSS JOIN \"the \"\"people\"\"\" AS t WHERE t.\"login\" = pushed.c0)",
    );
}

#[test]
fn references_by_name_follow() {
    let layout = layout(NAMES);
    let (edge, ..) = ends_of(&layout);
    check(
        &follow(edge, &edge.member, 2),
        "WITH pushed(c0, c1) AS MATERIALIZED (SELECT value ->> 0, value ->> 1 FROM jsonb_each(?1)) \
         UPDATE \"in_team\" SET \"person\" = (SELECT c1 FROM pushed WHERE c0 = \"in_team\".\"person\") \
         WHERE \"person\" IN (SELECT c0 FROM pushed)",
    );
}

#[test]
fn a_table_without_numbers_is_counted_through() {
    let layout = layout(NAMES);
    check(
        &list_names(&layout.users, &schema()),
        "SELECT '[' || group_concat(j, ',') || ']' FROM (SELECT json_array(ifnull(CAST(\"login\" AS TEXT), ''), \
         ifnull(CAST(\"login\" AS TEXT), '')) AS j, rowid / 1000 AS n FROM \"people\") GROUP BY n",
    );
    let unknown = list_names(&layout.users, &Schema::default());
    assert!(unknown.contains("row_number() OVER () / 1000"), "{unknown}");
}

fn check(found: &str, expect: &str) {
    assert_eq!(found, expect);
}

fn layout(tables: &str) -> Layout {
    let yaml = format!("url: sqlite:a.db\ntables:{}", tables.replace('\n', "\n  "));
    Layout::new(serde_yaml::from_str(&yaml).unwrap())
}

fn ends_of(layout: &Layout) -> (&Edge, &Entity, &Entity) {
    let edge = layout.memberships.as_ref().unwrap();
    (edge, layout.groups.as_ref().unwrap(), &layout.users)
}

/// All columns of the users but the key may be null.
fn schema() -> Schema {
    let columns = [
        ("login", false),
        ("low", true),
        ("mail", true),
        ("on", true),
        ("pw", true),
    ];
    let columns = columns.map(|(column, nullable)| (column.to_owned(), nullable));
    let people = Table {
        numbered: true,
        columns: columns.into(),
        keys: Vec::new(),
    };
    Schema {
        tables: [("people".to_owned(), people)].into(),
    }
}
