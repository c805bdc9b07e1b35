//! Filters as text (RFC 4515): which attributes they ask about, and how one becomes part of another.

/// The filter as it must stand within another one. A single condition may be written without its brackets.
pub fn in_brackets(filter: String) -> String {
    if filter.starts_with('(') {
        filter
    } else {
        format!("({filter})")
    }
}

/// The attributes that a filter names, in lower case, each once, in order. Brackets within values are escaped, so every
/// attribute stands behind an opening one.
pub fn attributes(filter: &str) -> Vec<String> {
    let names = filter.split('(').map(|part| {
        let part = part.trim_start();
        let end = part.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '.'));
        part[..end.unwrap_or(0)].to_ascii_lowercase()
    });
    let mut names: Vec<String> = names.filter(|it| !it.is_empty()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_without_brackets_gets_them() {
        assert_eq!(in_brackets("uid=a".to_owned()), "(uid=a)");
        assert_eq!(in_brackets("(uid=a)".to_owned()), "(uid=a)");
    }

    #[test]
    fn every_attribute_is_named_once() {
        fn check(filter: &str, expect: &[&str]) {
            assert_eq!(attributes(filter), expect, "{filter}");
        }
        check("(uid=*)", &["uid"]);
        check(
            "(&(objectClass=user)(!(employeeType=b\\28c\\29))(|(OBJECTCLASS=x)(a-b>=1)))",
            &["a-b", "employeetype", "objectclass"],
        );
        check(
            "(memberOf:1.2.840.113556.1.4.1941:=cn=a,dc=x)",
            &["memberof"],
        );
        check("(cn;lang-de~=x)", &["cn"]);
        check("(:caseExactMatch:=x)", &[]);
        check("uid=a", &["uid"]);
        check("( uid=a)", &["uid"]);
    }
}
