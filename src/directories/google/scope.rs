//! Which groups are asked for their members, before those that are in them.

use crate::text::{self, BadGlob, Globs};
use crate::wire::google::Group;

/// The groups that the configuration names by address; all where it names none.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    patterns: Vec<(String, Globs)>,
}

impl Scope {
    /// Reads the patterns.
    ///
    /// # Errors
    /// [`BadGlob`].
    pub(super) fn new(patterns: &[String]) -> Result<Scope, BadGlob> {
        let one = |it: &String| Ok((it.clone(), Globs::new(&[it])?));
        Ok(Scope {
            patterns: patterns.iter().map(one).collect::<Result<_, BadGlob>>()?,
        })
    }

    /// The groups that fit, as indices, and the patterns that fit none. A group that was renamed goes on fitting by its old
    /// address, which is an alias from then on.
    pub(super) fn choose(&self, groups: &[Group]) -> (Vec<usize>, Vec<&str>) {
        if self.patterns.is_empty() {
            return ((0..groups.len()).collect(), Vec::new());
        }
        let mut fits = vec![false; self.patterns.len()];
        let mut chosen = Vec::new();
        for (at, group) in groups.iter().enumerate() {
            let addresses = std::iter::once(&group.email).chain(&group.aliases);
            let addresses: Vec<String> = addresses.map(|it| text::fold(it)).collect();
            let mut is_chosen = false;
            for (fit, (_, globs)) in fits.iter_mut().zip(&self.patterns) {
                if addresses.iter().any(|it| globs.is_match(it)) {
                    *fit = true;
                    is_chosen = true;
                }
            }
            chosen.extend(is_chosen.then_some(at));
        }
        let unfit = self.patterns.iter().zip(fits).filter(|it| !it.1);
        (chosen, unfit.map(|it| it.0.0.as_str()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_fits_by_its_address_or_an_alias_and_a_pattern_may_fit_none() {
        let group = |email: &str, alias: &str| Group {
            email: email.to_owned(),
            aliases: vec![alias.to_owned()],
            ..Group::default()
        };
        let groups = [
            group("Eng@x.example", "e@x.example"),
            group("support-eu@x.example", "old@x.example"),
            group("other@x.example", ""),
        ];
        let check = |patterns: &[&str], chosen: &[usize], unfit: &[&str]| {
            let patterns: Vec<String> = patterns.iter().map(|it| (*it).to_owned()).collect();
            let scope = Scope::new(&patterns).unwrap();
            let found = scope.choose(&groups);
            assert_eq!(found, (chosen.to_vec(), unfit.to_vec()), "{patterns:?}");
        };
        check(&[], &[0, 1, 2], &[]);
        check(&["eng@x.example"], &[0], &[]);
        check(&["ENG@x.example", "e*", "old@x.example"], &[0, 1], &[]);
        check(
            &["support-*@x.example", "sales@x.example"],
            &[1],
            &["sales@x.example"],
        );
        check(&["eng"], &[], &["eng"]);
    }
}
