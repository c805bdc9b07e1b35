//! What of an answer's body an error shows: enough to recognise who answered, on one line.

/// How many characters are shown.
const CHARACTERS_MAX: usize = 200;
/// How many bytes of a body are looked at: a page's title stands in its head, after scripts at times.
const BYTES_MAX: usize = 16 * 1024;

/// Whether a body is an HTML page, as its media type or its beginning says. Nothing at all is no page.
pub(super) fn is_html(content_type: &str, body: &[u8]) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    let named = ["text/html", "application/xhtml+xml"]
        .iter()
        .any(|it| essence.eq_ignore_ascii_case(it));
    !body.is_empty() && (named || begins_html(&lossy(body)))
}

/// The beginning of a body: one line, at most 200 characters; of an HTML page the title.
pub(super) fn of(content_type: &str, body: &[u8]) -> String {
    let text = lossy(body);
    if !is_html(content_type, body) {
        return line(&text);
    }
    match title(&text) {
        Some(title) => format!("an HTML page, `{}`", line(title)),
        None => "an HTML page without a title".to_owned(),
    }
}

/// Without control characters, each run of white space one space, at most 200 characters.
pub(super) fn line(text: &str) -> String {
    let words: Vec<&str> = text
        .split(|it: char| it.is_whitespace() || it.is_control())
        .filter(|it| !it.is_empty())
        .collect();
    let line = words.join(" ");
    match line.char_indices().nth(CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// As text, as far as it is looked at.
fn lossy(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(BYTES_MAX)]).into_owned()
}

/// Whether the first thing that is neither an XML declaration nor a comment is that of an HTML page.
fn begins_html(text: &str) -> bool {
    let folded = text.to_ascii_lowercase();
    let mut rest = folded.trim_start_matches('\u{feff}').trim_start();
    while let Some(after) = after(rest, "<?", "?>").or_else(|| after(rest, "<!--", "-->")) {
        rest = after.trim_start();
    }
    rest.starts_with("<!doctype html") || rest.starts_with("<html")
}

/// What comes after something that begins and ends so, if it begins so.
fn after<'a>(text: &'a str, begin: &str, end: &str) -> Option<&'a str> {
    let inner = text.strip_prefix(begin)?;
    Some(inner.split_once(end)?.1)
}

fn title(page: &str) -> Option<&str> {
    // ASCII folding keeps the places of everything.
    let folded = page.to_ascii_lowercase();
    let open = folded.find("<title")?;
    let begin = open + folded[open..].find('>')? + 1;
    let end = begin + folded[begin..].find("</title")?;
    Some(page[begin..end].trim()).filter(|it| !it.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_known_by_its_media_type_or_its_beginning() {
        fn check(content_type: &str, body: &str, expect: bool) {
            let found = is_html(content_type, body.as_bytes());
            assert_eq!(found, expect, "{content_type}: {body}");
        }
        check("text/html", "x", true);
        check("Text/HTML; charset=utf-8", "x", true);
        check("application/xhtml+xml", "x", true);
        check("text/html", "", false);
        check("application/json", "<!DOCTYPE html><p>", true);
        check("", "\u{feff}\r\n <HTML lang=en>", true);
        check(
            "",
            "<!-- x --> <?xml version='1.0'?>\n<!doctype HTML>",
            true,
        );
        check("", "<!-- <html>", false);
        check(
            "application/xml",
            "<?xml version='1.0'?><memberships/>",
            false,
        );
        check("application/xml", "<error>about <html></error>", false);
        check("application/json", "{\"a\":\"<html>\"}", false);
        check("text/plain", "", false);
    }

    #[test]
    fn an_excerpt_is_one_line_and_not_long() {
        fn check(content_type: &str, body: &str, expect: &str) {
            assert_eq!(of(content_type, body.as_bytes()), expect);
        }
        check("", "", "");
        check("", " a\r\n\tb\u{1b}[31m  c\0d ", "a b [31m c d");
        check("", &"ä".repeat(200), &"ä".repeat(200));
        check("", &"ä".repeat(201), &format!("{}…", "ä".repeat(200)));
        check(
            "text/html",
            "<html><head>\n<TITLE a='b'> Log\nin &amp; out</TITLE><p>x",
            "an HTML page, `Log in &amp; out`",
        );
        for page in [
            "<html>x",
            "<html><title></title>",
            "<html><title>x",
            "<html><title",
        ] {
            check("", page, "an HTML page without a title");
        }
        assert_eq!(of("", b"\xff\xfe{}"), "\u{fffd}\u{fffd}{}");
    }
}
