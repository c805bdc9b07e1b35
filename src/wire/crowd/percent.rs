//! Names in URLs.

use url::form_urlencoded;

/// Percent-encoded for a path or a query; a space as `%20`, since a plus sign means a space to some servers and itself to others.
pub fn encoded(text: &str) -> String {
    let encoded: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
    encoded.replace('+', "%20")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_space_is_no_plus_sign() {
        assert_eq!(encoded("a+b & c/ä%"), "a%2Bb%20%26%20c%2F%C3%A4%25");
    }
}
