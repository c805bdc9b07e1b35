//! Whose users and groups are asked for.

use url::Host;

use super::config::GoogleConfig;

/// The parameters of the query, `customer` or `domain`, and their values: each names one list.
#[derive(Clone, Debug)]
pub(super) struct Selection(Vec<(&'static str, String)>);

impl Selection {
    /// What the configuration names: its domains, or else a customer.
    pub(super) fn of(config: &GoogleConfig) -> Selection {
        let domains = config.folded_domains();
        if domains.is_empty() {
            return Selection(vec![("customer", config.customer_id().to_owned())]);
        }
        Selection(domains.into_iter().map(|it| ("domain", it)).collect())
    }

    /// The parameter of each list.
    pub(super) fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|it| (it.0, it.1.as_str()))
    }

    /// Whether whatever has this folded address must be in one of the lists.
    pub(super) fn covers(&self, address: &str) -> bool {
        // An address in quotes may hold more than one.
        let domain = one_spelling(address.rsplit_once('@').map_or("", |it| it.1));
        self.parameters()
            .any(|it| it.0 == "customer" || one_spelling(it.1) == domain)
    }
}

/// A domain as the DNS has it: an international one may be written in two ways (RFC 5891).
fn one_spelling(domain: &str) -> String {
    Host::parse(domain).map_or_else(|_| domain.to_owned(), |it| it.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_covers_its_own_addresses_and_a_customer_all() {
        let two = Selection(vec![
            ("domain", "a.example".to_owned()),
            ("domain", "b.example".to_owned()),
            ("domain", "münchen.example".to_owned()),
        ]);
        for (address, expect) in [
            ("x@a.example", true),
            ("\"x@y\"@b.example", true),
            ("x@xn--mnchen-3ya.example", true),
            ("x@sub.a.example", false),
            ("", false),
        ] {
            assert_eq!(two.covers(address), expect, "{address}");
        }
        let all = Selection(vec![("customer", "C01".to_owned())]);
        assert!(all.covers("x@anywhere.example"));
    }
}
