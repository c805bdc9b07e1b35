//! The word that was meant.

/// The known word nearest to what was written, if it is near enough to be meant.
pub fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    /// Half of the letters may be wrong, missing or too many.
    const NEAR: f64 = 0.5;
    let written = written.to_lowercase().replace('-', "_");
    let likeness =
        |word: &str| strsim::normalized_damerau_levenshtein(&written, &word.to_lowercase());
    known
        .into_iter()
        .map(|word| (likeness(word), word))
        .filter(|(likeness, _)| *likeness >= NEAR)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_known_word_is_found_and_a_far_one_is_not() {
        let known = ["urls", "users", "groups", "shrink_limit"];
        let check = |written: &str, expect: Option<&str>| {
            assert_eq!(nearest(written, known), expect, "{written}");
        };
        check("url", Some("urls"));
        check("usres", Some("users"));
        check("Groups", Some("groups"));
        check("shrink-limit", Some("shrink_limit"));
        check("shrink", Some("shrink_limit"));
        check("xyz", None);
        check("password", None);
        check("", None);
    }
}
