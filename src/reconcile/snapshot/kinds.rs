//! Of what kind each user of a directory is.

use super::{Snapshot, Standing, key_of};
use crate::model::{Csr, Kind, RecordKind, StrId};
use crate::reconcile::rules::{DirectoryRules, KindRule};

impl Snapshot<'_> {
    /// Gives every user its kind by the first rule that fits. Where a rule asks for a group that could not be read, a user
    /// that may be in it is unknown: a bot must not become a person because the list of bots failed.
    pub(super) fn classify(
        &mut self,
        rules: &DirectoryRules,
        unsure: &[bool],
        above: Option<&Csr>,
    ) {
        let told = |user: &crate::model::UserRecord| user.kind.unwrap_or_default();
        self.kind = self.records.users.iter().map(told).collect();
        if rules.classify.is_empty() {
            return;
        }
        let groups_of = self.groups_of_users(above);
        let doubtful = |it: &(Kind, KindRule)| self.rule_is_doubtful(&it.1, unsure);
        let doubtful: Vec<bool> = rules.classify.iter().map(doubtful).collect();
        for user in 0..self.kind.len() {
            let groups = groups_of.row(user);
            for ((kind, rule), &doubtful) in rules.classify.iter().zip(&doubtful) {
                let in_none = rule.no_group && groups.is_empty();
                if self.fits(rule, user as u32, groups) || (in_none && !doubtful) {
                    self.kind[user] = *kind;
                    break;
                }
                if doubtful {
                    if self.standing[user] == Standing::Valid {
                        self.standing[user] = Standing::Unknown;
                    }
                    break;
                }
            }
        }
    }

    /// Whether a rule fits by what the user has, not by what it lacks.
    fn fits(&self, rule: &KindRule, user: u32, groups: &[u32]) -> bool {
        let record = &self.records.users[user as usize];
        let in_group = |&group: &u32| rule.groups.is_match(key_of(self.records, group));
        let has_value = |it: &(String, Vec<String>)| {
            self.records
                .extra_values(user, &it.0)
                .any(|value| it.1.iter().any(|wanted| wanted == value))
        };
        rule.users.is_match(self.records.text(record.key))
            || (!rule.groups.is_empty() && groups.iter().any(in_group))
            || rule.attributes.iter().any(has_value)
    }

    fn rule_is_doubtful(&self, rule: &KindRule, unsure: &[bool]) -> bool {
        let named = |group: u32| rule.groups.is_match(key_of(self.records, group));
        let mut groups = (0u32..).zip(unsure);
        let unknown = |it: (u32, &bool)| *it.1 && (rule.no_group || named(it.0));
        let rejected = self.records.rejected.iter();
        let mut rejected = rejected.filter(|it| it.what == RecordKind::Group);
        groups.any(unknown)
            || rejected.any(|it| {
                let may_be = it.key == StrId::EMPTY && !rule.groups.is_empty();
                may_be || rule.no_group || rule.groups.is_match(self.records.text(it.key))
            })
    }

    /// For each user record, the group records it is in, directly or through groups.
    fn groups_of_users(&self, above: Option<&Csr>) -> Csr {
        let above = above.or(self.above.as_ref());
        Csr::collect(self.records.users.len(), |emit| {
            for group in 0..self.records.groups.len() as u32 {
                for &user in self.records.members.row(group as usize) {
                    match above {
                        None => emit(user, group),
                        Some(above) => above
                            .row(group as usize)
                            .iter()
                            .for_each(|&it| emit(user, it)),
                    }
                }
            }
        })
    }
}
