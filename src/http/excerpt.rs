//! What of an answer's body an error shows: enough to recognise who answered, on one line.

/// How many characters are shown.
const CHARACTERS_MAX: usize = 200;
/// How many bytes of a body are looked at: a title stands in a page's head, which may hold scripts before it.
const BYTES_MAX: usize = 16 * 1024;

/// Whether it is an HTML page, as its media type or its beginning says.
pub(super) fn is_html(content_type: &str, body: &[u8]) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if ["text/html", "application/xhtml+xml"]
        .iter()
        .any(|it| essence.eq_ignore_ascii_case(it))
    {
        return true;
    }
    let text = lossy(body).to_ascii_lowercase();
    let text = text.trim_start_matches('\u{feff}').trim_start();
    text.starts_with("<!doctype html") || text.starts_with("<html")
}

/// The beginning of a body: one line, at most 200 characters; of an HTML page the title.
pub(super) fn of(content_type: &str, body: &[u8]) -> String {
    let text = lossy(body);
    if is_html(content_type, body) {
        return match title(&text) {
            Some(title) => format!("an HTML page, `{}`", line(title)),
            None => "an HTML page without a title".to_owned(),
        };
    }
    line(&text)
}

/// As text, as far as it is looked at.
fn lossy(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(BYTES_MAX)]).into_owned()
}

fn title(page: &str) -> Option<&str> {
    // ASCII folding keeps the places of everything else.
    let folded = page.to_ascii_lowercase();
    let open = folded.find("<title")?;
    let begin = open + folded[open..].find('>')? + 1;
    let end = begin + folded[begin..].find("</title")?;
    Some(page[begin..end].trim()).filter(|it| !it.is_empty())
}

/// Without control characters, each run of white space one space, and not too long.
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
