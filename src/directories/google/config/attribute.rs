//! The further attributes of a user that rules may name: paths in Google's user object.
//!
//! The names are those of the discovery document (`admin` `directory_v1`, schema `User` and those that it is made of; the ones
//! below lists such as `externalIds` stand in `UserExternalId` and the like). Left out are the password, what changes without
//! anybody changing the user (`etag`, `lastLoginTime`), and what the records have already as their status and its times.

use crate::text::nearest;

/// Fields with one value, or with a list of values.
const VALUES: [&str; 16] = [
    "agreedToTerms",
    "aliases",
    "changePasswordAtNextLogin",
    "creationTime",
    "customerId",
    "id",
    "includeInGlobalAddressList",
    "isAdmin",
    "isDelegatedAdmin",
    "isEnforcedIn2Sv",
    "isEnrolledIn2Sv",
    "isGuestUser",
    "isMailboxSetup",
    "nonEditableAliases",
    "orgUnitPath",
    "primaryEmail",
];

/// Fields that are a mapping, or a list of them, with what a path may name in it. The first is what is usually meant.
#[rustfmt::skip]
const MAPPINGS: [(&str, &[&str]); 15] = [
    ("addresses", &["formatted", "country", "countryCode", "customType", "extendedAddress", "locality", "poBox", "postalCode", "primary", "region", "streetAddress", "type"]),
    ("emails", &["address", "customType", "primary", "type"]),
    ("externalIds", &["value", "customType", "type"]),
    ("gender", &["type", "addressMeAs", "customGender"]),
    ("guestAccountInfo", &["primaryGuestEmail"]),
    ("ims", &["im", "customProtocol", "customType", "primary", "protocol", "type"]),
    ("keywords", &["value", "customType", "type"]),
    ("languages", &["languageCode", "customLanguage", "preference"]),
    ("locations", &["buildingId", "area", "customType", "deskCode", "floorName", "floorSection", "type"]),
    ("name", &["fullName", "displayName", "familyName", "givenName"]),
    ("organizations", &["department", "costCenter", "customType", "description", "domain", "fullTimeEquivalent", "location", "name", "primary", "symbol", "title", "type"]),
    ("phones", &["value", "customType", "primary", "type"]),
    ("posixAccounts", &["username", "accountId", "gecos", "gid", "homeDirectory", "operatingSystemType", "primary", "shell", "systemId", "uid"]),
    ("relations", &["value", "customType", "type"]),
    ("websites", &["value", "customType", "primary", "type"]),
];

/// What other directories call it.
const ELSEWHERE: [(&str, &str); 4] = [
    ("department", "organizations.department"),
    ("employeeId", "externalIds"),
    ("employeeNumber", "externalIds"),
    ("title", "organizations.title"),
];

/// The first step of paths into the organisation's own schemas.
const CUSTOM: &str = "customSchemas";

/// What is wrong with the name of a further attribute, and what to write; `None` if it is a path that a user may have.
pub fn bad_attribute(name: &str) -> Option<String> {
    let (first, rest) = name.split_once('.').unwrap_or((name, ""));
    if first == CUSTOM {
        let text = "write the schema and the field as they are called in the API, like `customSchemas.Employee.number`";
        return (!is_custom(name)).then(|| text.to_owned());
    }
    if VALUES.contains(&name) {
        return None;
    }
    let mapping = MAPPINGS.iter().find(|it| it.0 == first);
    if let Some((field, names)) = mapping {
        // Of a mapping at the end of a path its `value` is meant.
        if names.contains(&rest) || (name == *field && names.contains(&"value")) {
            return None;
        }
        if name == *field {
            return Some(format!(
                "`{field}` has several parts: say which is meant, like `{field}.{}`",
                names[0]
            ));
        }
    }
    let meant = meant(name);
    let hint = meant.map_or_else(
        || "docs/google.md lists them".to_owned(),
        |it| format!("did you mean `{it}`?"),
    );
    Some(format!(
        "`{name}` is no attribute of Google's users: {hint}"
    ))
}

/// Whether it is `customSchemas.SCHEMA.FIELD`. Other characters would have a meaning where the names are asked for.
pub(super) fn is_custom(path: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let steps: Vec<&str> = path.split('.').collect();
    let names = match steps[..] {
        [CUSTOM, schema, field] => [schema, field],
        _ => return false,
    };
    names
        .iter()
        .all(|it| !it.is_empty() && it.chars().all(plain))
}

/// The path that was meant by a name that is none.
fn meant(name: &str) -> Option<String> {
    let elsewhere = ELSEWHERE.iter().find(|it| it.0.eq_ignore_ascii_case(name));
    if let Some((_, path)) = elsewhere {
        return Some((*path).to_owned());
    }
    // Its names are the organisation's own, so that only the first step is like what was meant.
    if name
        .split_once('.')
        .is_some_and(|it| nearest(it.0, [CUSTOM]).is_some())
    {
        return Some(format!("{CUSTOM}.SCHEMA.FIELD"));
    }
    let below = MAPPINGS
        .iter()
        .flat_map(|(field, names)| names.iter().map(move |it| format!("{field}.{it}")));
    let mut paths: Vec<String> = VALUES.iter().map(|it| (*it).to_owned()).collect();
    paths.extend(below);
    nearest(name, paths.iter().map(String::as_str)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_in_the_user_object_are_attributes() {
        fn check(name: &str) {
            assert_eq!(bad_attribute(name), None, "{name}");
        }
        check("orgUnitPath");
        check("isGuestUser");
        check("aliases");
        check("externalIds");
        check("externalIds.value");
        check("organizations.costCenter");
        check("guestAccountInfo.primaryGuestEmail");
        check("customSchemas.Employee.badge-no_2");
    }

    #[test]
    fn anything_else_is_answered_with_what_was_meant() {
        fn check(name: &str, expect: &str) {
            let fault = bad_attribute(name).unwrap_or_default();
            assert!(fault.contains(expect), "{name}: {fault}");
        }
        check("orgunitpath", "did you mean `orgUnitPath`?");
        check("isadmin", "did you mean `isAdmin`?");
        check("organization.department", "`organizations.department`");
        check("organizations.departement", "`organizations.department`");
        check("organizations", "like `organizations.department`");
        check("employeeNumber", "did you mean `externalIds`?");
        check("Department", "`organizations.department`");
        check("orgUnitPath.name", "`orgUnitPath`");
        check("password", "docs/google.md");
        check("", "docs/google.md");
        check("customSchemas", "like `customSchemas.Employee.number`");
        check("customSchemas.Employee", "`customSchemas.Employee.number`");
        check("customSchemas.Employee.a.b", "`customSchemas.");
        check("customSchemas.Em(ployee.a", "`customSchemas.");
        check("customSchemas..a", "`customSchemas.");
        check("customSchema.Employee.number", "customSchemas.SCHEMA.FIELD");
    }
}
