//! Counted nouns, for everything that people read.

/// `1 change`, `0 changes`, `2 directories`: a number and the noun in the form that goes with it. The noun is a regular one.
pub fn counted(count: u64, noun: &str) -> String {
    if count == 1 {
        return format!("{count} {noun}");
    }
    match noun.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'i', 'o', 'u']) => format!("{count} {stem}ies"),
        _ => format!("{count} {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_noun_goes_with_its_number() {
        let check = |count, noun, expect: &str| assert_eq!(counted(count, noun), expect);
        check(0, "change", "0 changes");
        check(1, "change", "1 change");
        check(2, "change", "2 changes");
        check(1, "directory", "1 directory");
        check(3, "directory", "3 directories");
        check(2, "day", "2 days");
    }
}
