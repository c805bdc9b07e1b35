//! In which format a client wants its answer, and in which it sent its question.

use hyper::HeaderMap;
use hyper::header::{ACCEPT, CONTENT_TYPE};

use crate::wire::crowd::Format;

/// The format, of those offered, that the `Accept` header (RFC 9110, section 12.5.1) likes best; `None` if it likes none. Of
/// equals, the one that is named rather than covered by a wildcard, and then the first that is offered.
pub(super) fn format(headers: &HeaderMap, offered: &[Format]) -> Option<Format> {
    let ranges: Vec<Range<'_>> = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|it| it.to_str().ok())
        .flat_map(|it| it.split(','))
        .filter_map(Range::read)
        .collect();
    if ranges.is_empty() {
        return offered.first().copied();
    }
    let mut best = None;
    for &format in offered {
        let fitting = ranges.iter().filter(|it| it.covers(format));
        // The range that is most to the point decides on a format.
        let Some(range) = fitting.max_by_key(|it| it.precision()) else {
            continue;
        };
        let liked = (range.quality, range.precision());
        if range.quality > 0 && best.is_none_or(|(most, _)| liked > most) {
            best = Some((liked, format));
        }
    }
    best.map(|(_, format)| format)
}

/// The format of a body, by its `Content-Type`; `None` if it is neither.
pub(super) fn body_format(headers: &HeaderMap) -> Option<Format> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let media = value.split(';').next().unwrap_or_default().trim();
    let is = |it: &str| media.eq_ignore_ascii_case(it);
    if is("application/json") {
        Some(Format::Json)
    } else if is("application/xml") || is("text/xml") {
        Some(Format::Xml)
    } else {
        None
    }
}

/// One entry of an `Accept` header.
struct Range<'a> {
    kind: &'a str,
    subtype: &'a str,
    /// From 0 to 1,000.
    quality: u32,
}

impl<'a> Range<'a> {
    fn read(text: &'a str) -> Option<Range<'a>> {
        let mut parts = text.split(';').map(str::trim);
        let (kind, subtype) = parts.next()?.split_once('/')?;
        let quality = parts.find_map(|it| it.strip_prefix("q=").or_else(|| it.strip_prefix("Q=")));
        let quality = quality.map_or(Ok(1.0), str::parse::<f32>);
        Some(Range {
            kind,
            subtype,
            quality: (quality.unwrap_or(0.0).clamp(0.0, 1.0) * 1_000.0) as u32,
        })
    }

    fn covers(&self, format: Format) -> bool {
        let kinds: &[&str] = match format {
            Format::Json => &["application"],
            Format::Xml => &["application", "text"],
        };
        let subtype = match format {
            Format::Json => "json",
            Format::Xml => "xml",
        };
        let kind = self.kind == "*" || kinds.iter().any(|it| it.eq_ignore_ascii_case(self.kind));
        kind && (self.subtype == "*" || self.subtype.eq_ignore_ascii_case(subtype))
    }

    fn precision(&self) -> u8 {
        u8::from(self.kind != "*") + u8::from(self.subtype != "*")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: &[Format] = &[Format::Xml, Format::Json];

    fn headers(name: hyper::header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn the_format_is_what_the_client_likes_best() {
        fn check(accept: &str, expect: Option<Format>) {
            assert_eq!(format(&headers(ACCEPT, accept), BOTH), expect, "{accept}");
        }
        check("application/json", Some(Format::Json));
        check("APPLICATION/JSON; charset=utf-8", Some(Format::Json));
        check("application/xml", Some(Format::Xml));
        check("text/xml", Some(Format::Xml));
        check("*/*", Some(Format::Xml));
        check("application/*", Some(Format::Xml));
        check("application/json, */*", Some(Format::Json));
        check(
            "application/json;q=0.5, application/xml;q=0.4",
            Some(Format::Json),
        );
        check("application/xml;q=0, */*", Some(Format::Json));
        check(
            "text/html, application/xml;q=0.9, */*;q=0.8",
            Some(Format::Xml),
        );
        check("text/html, text/plain", None);
        check("application/json;q=0", None);
        check("application/json;q=x", None);
        check("", Some(Format::Xml));
        assert_eq!(format(&HeaderMap::new(), BOTH), Some(Format::Xml));
        let json = headers(ACCEPT, "application/json");
        assert_eq!(format(&json, &[Format::Xml]), None);
    }

    #[test]
    fn a_body_says_what_it_is() {
        fn check(value: &str, expect: Option<Format>) {
            assert_eq!(
                body_format(&headers(CONTENT_TYPE, value)),
                expect,
                "{value}"
            );
        }
        check("application/json", Some(Format::Json));
        check("Application/JSON;charset=UTF-8", Some(Format::Json));
        check("application/xml", Some(Format::Xml));
        check("text/xml; charset=utf-8", Some(Format::Xml));
        check("application/x-www-form-urlencoded", None);
        check("", None);
        assert_eq!(body_format(&HeaderMap::new()), None);
    }
}
