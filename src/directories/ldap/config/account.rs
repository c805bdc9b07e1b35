//! The name that logs in.
//!
//! A simple bind names an entry by its DN (RFC 4511, section 4.2). Active Directory also takes the two names by which its
//! administrators know an account, the user principal name and the name with its domain ([MS-ADTS], section 5.1.1.1.1).

use super::Schema;
use crate::wire::ldap::dn;

/// Why a name cannot log in, if so; with what to write instead.
pub(super) fn fault(name: &str, schema: Schema) -> Option<String> {
    if name.trim().is_empty() {
        return Some("it is empty: write a DN".to_owned());
    }
    let fault = dn::normalise(name).err()?;
    if name.chars().any(char::is_control) {
        return Some(
            "it holds a control character: YAML takes a backslash between double quotes for the begin of one, so write \
             the name between single quotes"
                .to_owned(),
        );
    }
    if schema != Schema::ActiveDirectory {
        return Some(fault.to_string());
    }
    let known = is_principal(name) || is_with_domain(name);
    (!known).then(|| {
        format!(
            "{fault}; Active Directory also takes `reader@ad.example.com` and `EXAMPLE\\reader`"
        )
    })
}

/// `reader@ad.example.com`. What stands before the last `@` may be much.
fn is_principal(name: &str) -> bool {
    let Some((user, domain)) = name.rsplit_once('@') else {
        return false;
    };
    let sound = |it: char| it.is_alphanumeric() || matches!(it, '-' | '.' | '_');
    is_user(user) && !domain.is_empty() && domain.chars().all(sound)
}

/// `EXAMPLE\reader`.
fn is_with_domain(name: &str) -> bool {
    let Some((domain, user)) = name.split_once('\\') else {
        return false;
    };
    let sound = |it: char| it.is_alphanumeric() || matches!(it, '-' | '.' | '_');
    is_user(user) && !domain.is_empty() && domain.chars().all(sound)
}

fn is_user(name: &str) -> bool {
    !name.is_empty() && name.trim() == name && !name.contains('\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, schema: Schema, expect: Option<&str>) {
        match (fault(name, schema), expect) {
            (None, None) => {}
            (Some(fault), Some(expect)) => assert!(fault.contains(expect), "{name}: {fault}"),
            (fault, _) => panic!("{name}: {fault:?}"),
        }
    }

    #[test]
    fn active_directory_takes_the_names_that_its_administrators_know() {
        for name in [
            "CN=reader,DC=ad,DC=example,DC=com",
            "reader@ad.example.com",
            "sync.reader@example",
            r"EXAMPLE\reader",
            r"EXAMPLE\sync reader",
        ] {
            check(name, Schema::ActiveDirectory, None);
        }
        let also = Some("also takes `reader@ad.example.com`");
        for name in [
            "reader",
            "reader@",
            "@example.com",
            "reader@a b",
            r"\reader",
            r"EXAMPLE\",
            r"EXAMPLE\reader\x",
        ] {
            check(name, Schema::ActiveDirectory, also);
        }
        check("", Schema::ActiveDirectory, Some("it is empty"));
        check(
            "EXAMPLE\reader",
            Schema::ActiveDirectory,
            Some("single quotes"),
        );
    }

    #[test]
    fn other_servers_take_a_distinguished_name_alone() {
        for schema in [Schema::OpenLdap, Schema::Ds389, Schema::FreeIpa] {
            check("cn=reader,dc=example,dc=com", schema, None);
            check(
                "reader@example.com",
                schema,
                Some("not a distinguished name"),
            );
            check(r"EXAMPLE\reader", schema, Some("not a distinguished name"));
        }
    }
}
