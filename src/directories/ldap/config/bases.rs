//! Below which entries is read.

use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};

use crate::wire::ldap::dn::{self, Dn};

/// The entries below which users or groups stand, at any depth. Written as one name or as a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bases(Vec<String>);

impl Bases {
    /// The names as written.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// The names in one spelling and order for all ways of writing them.
    pub fn one_spelling(&self) -> Vec<String> {
        let mut bases: Vec<String> = self.iter().map(one_spelling).collect();
        bases.sort();
        bases
    }

    /// Everything that cannot work: what is no name, and what would be read twice.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.0.is_empty() {
            faults.push("it is empty: write a DN".to_owned());
        }
        let mut sound: Vec<(&str, Dn)> = Vec::new();
        for base in self.iter() {
            match Dn::parse(base) {
                Ok(name) if name.rdns().is_empty() => {
                    faults.push("it is empty: write a DN".to_owned());
                }
                Ok(name) => sound.push((base, name)),
                Err(fault) => faults.push(fault.to_string()),
            }
        }
        for (at, (base, name)) in sound.iter().enumerate() {
            let others = sound.iter().enumerate().filter(|other| other.0 != at);
            // Of two equal ones, the later is told.
            let mut above =
                others.filter(|(other, it)| name.is_under(&it.1) && (*other < at || it.1 != *name));
            if let Some((_, (upper, _))) = above.next() {
                faults.push(format!(
                    "`{base}` stands below `{upper}`, so it would be read twice: leave one of them"
                ));
            }
        }
        faults
    }
}

impl From<String> for Bases {
    fn from(base: String) -> Self {
        Bases(vec![base])
    }
}

impl<'de> Deserialize<'de> for Bases {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BasesVisitor)
    }
}

/// Takes one name or a list. Written by hand because an untagged enum would lose the place of a fault.
struct BasesVisitor;

impl<'de> Visitor<'de> for BasesVisitor {
    type Value = Bases;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a DN or a list of DNs")
    }

    fn visit_str<E: de::Error>(self, base: &str) -> Result<Bases, E> {
        Ok(Bases::from(base.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Bases, A::Error> {
        let mut bases = Vec::new();
        while let Some(base) = list.next_element::<String>()? {
            bases.push(base);
        }
        Ok(Bases(bases))
    }
}

fn one_spelling(base: &str) -> String {
    dn::normalise(base).unwrap_or_else(|_| base.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Bases {
        serde_yaml::from_str(text).unwrap()
    }

    #[test]
    fn one_base_or_several_may_be_written() {
        assert_eq!(read("'ou=a,dc=x'"), Bases::from("ou=a,dc=x".to_owned()));
        let several = read("['OU=B, dc=x', 'ou=a,dc=x']");
        assert_eq!(several.one_spelling(), ["ou=a,dc=x", "ou=b,dc=x"]);
        let fault = serde_yaml::from_str::<Bases>("{}").unwrap_err().to_string();
        assert!(fault.contains("a DN or a list of DNs"), "{fault}");
    }

    #[test]
    fn a_base_that_would_be_read_twice_is_refused() {
        #[track_caller]
        fn check(text: &str, expect: &[&str]) {
            let faults = read(text).faults();
            assert_eq!(faults.len(), expect.len(), "{text}: {faults:?}");
            for (fault, expect) in faults.iter().zip(expect) {
                assert!(fault.contains(expect), "{text}: {fault}");
            }
        }
        check("['ou=a,dc=x', 'ou=b,dc=x', 'ou=a,dc=y']", &[]);
        check(
            "['dc=x', 'ou=a,dc=x']",
            &["`ou=a,dc=x` stands below `dc=x`"],
        );
        check(
            "['OU=A, dc=X', 'dc=x']",
            &["`OU=A, dc=X` stands below `dc=x`"],
        );
        check("['ou=a,dc=x', 'OU=a,dc=x']", &["`OU=a,dc=x` stands below"]);
        check("[]", &["it is empty"]);
        check("['']", &["it is empty"]);
        check("['dc=x', 'people']", &["not a distinguished name"]);
    }
}
