//! The ids under which accounts are shown to whoever polls.

/// The id of a new account: the record that it is made for. It stays when the account is renamed, or is later taken over by
/// another record of the same person, so that programs which know an account by it keep it; and it is the same again where
/// the store was lost. Should another account have it (one whose person moved to another record), a number is added.
pub(super) fn key(directory: &str, record: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let first = format!("{directory}:{record}");
    let numbered = (2..).map(|number| format!("{first}#{number}"));
    let mut keys = std::iter::once(first.clone()).chain(numbered);
    keys.find(|it| !is_taken(it)).unwrap_or(first)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn an_id_that_another_account_has_is_numbered() {
        let mut taken = BTreeSet::new();
        for expect in ["corporate:42", "corporate:42#2", "corporate:42#3"] {
            let key = key("corporate", "42", |it| taken.contains(it));
            assert_eq!(key, expect);
            taken.insert(key);
        }
        assert_eq!(
            key("corporate", "43", |it| taken.contains(it)),
            "corporate:43"
        );
    }
}
