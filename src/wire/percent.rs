//! Names in URLs.

use url::form_urlencoded;

/// Percent-encoded for a path or a query; a space as `%20`, since a plus sign means a space to some servers and itself to others.
pub fn encoded(text: &str) -> String {
    let encoded: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
    encoded.replace('+', "%20")
}

/// The query of a URL out of names, which are as they are, and values, which are encoded.
pub fn query(pairs: &[(&str, &str)]) -> String {
    let pairs = pairs.iter().map(|it| format!("{}={}", it.0, encoded(it.1)));
    pairs.collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_space_is_no_plus_sign() {
        assert_eq!(encoded("a+b & c/ä%"), "a%2Bb%20%26%20c%2F%C3%A4%25");
        assert_eq!(query(&[("q", "a b"), ("r", "")]), "q=a%20b&r=");
        assert_eq!(query(&[]), "");
    }
}
