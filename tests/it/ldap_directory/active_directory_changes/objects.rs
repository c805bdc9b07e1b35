//! What is made of an object that has changed.

use super::*;

fn gone(name: &str) -> Vec<(RecordKind, String)> {
    [RecordKind::User, RecordKind::Group]
        .map(|it| (it, id(name)))
        .to_vec()
}

fn edge(group: &str, member: &str) -> Edge {
    Edge {
        group: id(group),
        kind: None,
        handle: format!("cn={member},cn=users,dc=ad,dc=test"),
        added: true,
    }
}

#[tokio::test]
async fn an_object_that_changed_in_one_attribute_is_read_whole() {
    both_ways(async |server| {
        let (first, second) = server
            .told(|domain| {
                domain.users[1].2.push(("mail", "ben@example.com"));
                domain.changed = vec![("ben", false)];
                count(domain);
            })
            .await;
        let told = &delta(&second).upsert;
        assert_eq!(usernames(told), ["ben"]);
        assert_eq!(told.text(told.users[0].email), "ben@example.com");
        assert!(delta(&second).gone.is_empty());
        let after = merged(&first, &second);
        assert_eq!(usernames(&after), ["ann", "ben"]);
        assert_eq!(memberships(&after), memberships(complete(&first)));
    })
    .await;
}

#[tokio::test]
async fn a_deleted_object_is_gone_whatever_it_was() {
    both_ways(async |server| {
        let (first, second) = server
            .told(|domain| {
                domain.users.remove(0);
                domain.changed = vec![("ann", true)];
                count(domain);
            })
            .await;
        assert_eq!(delta(&second).gone, gone("ann"));
        let after = merged(&first, &second);
        assert_eq!(usernames(&after), ["ben"]);
        assert_eq!(memberships(&after), ["everybody: ben []", "team:  []"]);
        // A tombstone is not asked for again.
        assert!(!server.asked().iter().any(|it| it.names(&guid("ann"))));
    })
    .await;
}

#[tokio::test]
async fn an_object_that_changed_and_then_was_deleted_is_gone() {
    both_ways(async |server| {
        let (_, second) = server
            .told(|domain| {
                domain.changed = vec![("ann", false), ("ann", true)];
                count(domain);
            })
            .await;
        assert_eq!(delta(&second).gone, gone("ann"));
        assert!(delta(&second).upsert.users.is_empty());
    })
    .await;
}

#[tokio::test]
async fn an_object_that_answers_no_question_any_more_is_gone() {
    both_ways(async |server| {
        let (first, second) = server
            .told(|domain| {
                // It left the base or the filter; the server does not say which.
                domain.users.remove(1);
                domain.changed = vec![("ben", false), ("printer", false)];
                count(domain);
            })
            .await;
        assert_eq!(delta(&second).gone, [gone("ben"), gone("printer")].concat());
        assert_eq!(usernames(&merged(&first, &second)), ["ann"]);
    })
    .await;
}

#[tokio::test]
async fn an_organizational_unit_that_changed_is_a_doubt() {
    both_ways(async |server| {
        let (_, second) = server
            .told(|domain| {
                domain.places = vec!["unit"];
                domain.changed = vec![("ben", false), ("unit", false)];
                count(domain);
            })
            .await;
        check_doubt(&second, "a part of the tree was added, renamed or moved");
    })
    .await;
}

#[tokio::test]
async fn an_object_that_shows_no_id_is_a_doubt() {
    for grants_dir_sync in [true, false] {
        let server = Server::start_asked(|question| {
            let dn = b"CN=somebody,DC=ad,DC=test";
            let entry = ldap_script::entry(question.id, dn, &[("cn", &[b"somebody"])]);
            let changes = question.base == DOMAIN && shows_deleted(question);
            let end = if asks_for_changes(question) {
                end(question, false, b"d1")
            } else if changes {
                ldap_script::done(question.id, 0, Some(b""))
            } else {
                return None;
            };
            Some(([entry, end].concat(), Then::GoOn))
        })
        .await;
        server.domain().grants_dir_sync = grants_dir_sync;
        let (_, second) = server.told(count).await;
        let why = if grants_dir_sync {
            "not a sound LDAP answer"
        } else {
            "a changed object shows no objectGUID"
        };
        check_doubt(&second, why);
    }
}

#[tokio::test]
async fn a_changed_user_says_which_groups_it_is_in() {
    both_ways(async |server| {
        // As after a move into the base: its groups have not changed.
        server.domain().users.remove(0);
        let first = server.read().await;
        let ann = Domain::new().users.swap_remove(0);
        server.domain().users.push(ann);
        server.domain().changed = vec![("ann", false)];
        count(&mut server.domain());
        let second = server.since(&first).await.unwrap();
        // By `memberOf`, and by its primary group.
        assert_eq!(
            delta(&second).members,
            [edge("team", "ann"), edge("everybody", "ann")]
        );
        assert_eq!(
            memberships(&merged(&first, &second)),
            ["everybody: ben ann []", "team: ann []"]
        );
    })
    .await;
}

#[tokio::test]
async fn a_changed_group_says_which_groups_it_is_in() {
    both_ways(async |server| {
        let (first, second) = server
            .told(|domain| {
                let parent = ("memberOf", "CN=everybody,CN=Users,DC=ad,DC=test");
                domain.groups[1].2.push(parent);
                domain.changed = vec![("team", false)];
                count(domain);
            })
            .await;
        assert_eq!(delta(&second).members, [edge("everybody", "team")]);
        assert_eq!(
            memberships(&merged(&first, &second)),
            ["everybody: ann ben [team]", "team: ann []"]
        );
    })
    .await;
}

#[tokio::test]
async fn groups_that_are_not_read_and_groups_of_nobody_make_no_members() {
    both_ways(async |server| {
        let (first, second) = server
            .told(|domain| {
                domain.users[1].2 = vec![
                    ("userAccountControl", "512"),
                    ("primaryGroupID", "999"),
                    ("memberOf", "CN=elsewhere,DC=other,DC=test"),
                ];
                domain.changed = vec![("ben", false)];
                count(domain);
            })
            .await;
        assert!(delta(&second).members.is_empty());
        assert_eq!(usernames(&merged(&first, &second)), ["ann", "ben"]);
    })
    .await;
}

#[tokio::test]
async fn a_changed_group_is_told_whose_primary_group_it_is() {
    both_ways(async |server| {
        let (first, second) = server
            .told(|domain| {
                domain.groups[0].2.push(("description", "All"));
                domain.changed = vec![("everybody", false)];
                count(domain);
            })
            .await;
        assert_eq!(delta(&second).filled, [id("everybody")]);
        assert_eq!(
            delta(&second).members,
            [edge("everybody", "ann"), edge("everybody", "ben")]
        );
        assert_eq!(
            memberships(&merged(&first, &second)),
            memberships(complete(&first))
        );
    })
    .await;
}

#[tokio::test]
async fn a_changed_group_has_the_members_that_it_has_now() {
    both_ways(async |server| {
        let (first, second) = server
            .told(|domain| {
                domain.groups[1].2 = vec![("member", "CN=ben,CN=Users,DC=ad,DC=test")];
                domain.changed = vec![("team", false)];
                count(domain);
            })
            .await;
        assert_eq!(
            memberships(&merged(&first, &second)),
            ["everybody: ann ben []", "team: ben []"]
        );
    })
    .await;
}

#[tokio::test]
async fn what_is_told_twice_is_taken_once() {
    both_ways(async |server| {
        let (first, second) = server
            .told(|domain| {
                domain.changed = vec![("ann", false), ("team", false), ("ann", false)];
                count(domain);
            })
            .await;
        let after = merged(&first, &second);
        assert_eq!(
            memberships(&after),
            ["everybody: ben ann []", "team: ann []"]
        );
        let again = after.merged(delta(&second)).unwrap();
        assert_eq!(memberships(&again), memberships(&after));
    })
    .await;
}
