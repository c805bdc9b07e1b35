//! Attributes that a server computes: they change without any change of the entry that shows them, so no server tells it.
//!
//! Whoever is asked for them, or found by them, must be read completely each time.

use super::filter;

/// In lower case, of all products. `memberOf` is stored by some of them, yet written without a word that the entry changed.
const COMPUTED: [&str; 34] = [
    "allowedattributes",
    "allowedattributeseffective",
    "allowedchildclasses",
    "allowedchildclasseseffective",
    "canonicalname",
    "directreports",
    "entrydn",
    "hassubordinates",
    "ismemberof",
    "managedobjects",
    "memberof",
    "msds-approx-immed-subordinates",
    "msds-auxiliary-classes",
    "msds-isuserconnectedto",
    "msds-keyversionnumber",
    "msds-localeffectivedeletiontime",
    "msds-localeffectiverecycletime",
    "msds-membertransitive",
    "msds-memberoftransitive",
    "msds-parentdistname",
    "msds-principalname",
    "msds-psoapplied",
    "msds-resultantpso",
    "msds-tokengroupnames",
    "msds-tokengroupnamesglobalanduniversal",
    "msds-tokengroupnamesnogcacceptable",
    "msds-user-account-control-computed",
    "msds-userpasswordexpirytimecomputed",
    "nsrole",
    "nsroledn",
    "numsubordinates",
    "parentguid",
    "primarygrouptoken",
    "subschemasubentry",
];

/// Further ones that differ in their ends alone.
const COMPUTED_FAMILIES: [&str; 1] = ["tokengroups"];

/// Classes of groups whose members are found by a search each time.
const DYNAMIC_GROUPS: [&str; 2] = ["groupofurls", "dynamicgroup"];

/// What no change is told of among the attributes that are asked for and what the filter asks about, as words for the
/// administrator; `None` where every change is told.
pub fn untold<'a>(filter: &str, attributes: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let computed = "is computed by the server, and no change of it is told";
    let shown = attributes.into_iter().find(|it| is_computed(it));
    if let Some(name) = shown {
        return Some(format!("the attribute `{name}` {computed}"));
    }
    let named = filter::attributes(filter);
    if let Some(name) = named.iter().find(|it| is_computed(it)) {
        return Some(format!("`{name}`, which the filter names, {computed}"));
    }
    let plain: String = filter.chars().filter(|it| !it.is_whitespace()).collect();
    let plain = plain.to_ascii_lowercase();
    if plain.contains("(:") || plain.starts_with(':') {
        return Some(
            "the filter matches by a rule and names no attribute, computed ones among them"
                .to_owned(),
        );
    }
    let dynamic = |it: &&&str| plain.contains(&format!("objectclass={it}"));
    let dynamic = DYNAMIC_GROUPS.iter().find(dynamic)?;
    Some(format!(
        "the server computes the members of groups of the class `{dynamic}`, and tells no change of them"
    ))
}

/// Whether the server computes it; options (`;binary`) make no difference.
fn is_computed(name: &str) -> bool {
    let name = name.split(';').next().unwrap_or_default();
    let name = name.to_ascii_lowercase();
    COMPUTED.contains(&name.as_str()) || COMPUTED_FAMILIES.iter().any(|it| name.starts_with(it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_computes_is_never_told() {
        fn check(filter: &str, attributes: &[&str], expect: Option<&str>) {
            let found = untold(filter, attributes.iter().copied());
            let fits = match expect {
                Some(word) => found.as_ref().is_some_and(|it| it.contains(word)),
                None => found.is_none(),
            };
            assert!(fits, "{filter} {attributes:?}: {found:?}");
        }
        let any = "(objectClass=person)";
        check(any, &["uid", "entryUUID", "member", "nsAccountLock"], None);
        check(any, &["uid", "memberOf"], Some("`memberOf`"));
        check(any, &["memberOf;range=0-1"], Some("`memberOf"));
        check(
            any,
            &["msDS-User-Account-Control-Computed"],
            Some("-Computed`"),
        );
        check(any, &["tokenGroupsNoGCAcceptable"], Some("tokenGroups"));
        check(
            "(&(uid=*)(!(memberOf=cn=a,dc=x)))",
            &["uid"],
            Some("`memberof`"),
        );
        check(
            "(memberOf:1.2.840.113556.1.4.1941:=cn=a)",
            &[],
            Some("`memberof`"),
        );
        check("( isMemberOf=cn=a)", &[], Some("`ismemberof`"));
        check("nsRole=cn=a", &[], Some("`nsrole`"));
        check("(entryDN:dnSubtreeMatch:=ou=a)", &[], Some("`entrydn`"));
        check("(&(uid=*)(:caseExactMatch:=x))", &[], Some("by a rule"));
        check("(:dn:2.5.13.2:=x)", &[], Some("by a rule"));
        check("(cn=a:b)", &[], None);
        check("(cn:caseExactMatch:=x)", &[], None);
        check(
            "(|(objectClass=groupOfURLs)(cn=a))",
            &[],
            Some("`groupofurls`"),
        );
        check("(objectClass = dynamicGroup)", &[], Some("`dynamicgroup`"));
        check("(description=memberOf)", &[], None);
    }
}
