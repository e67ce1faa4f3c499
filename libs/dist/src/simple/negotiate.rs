//! Which form of a page a client gets (PEP 691, "Version + Format Selection").

/// The type of pages in JSON.
pub const JSON: &str = "application/vnd.pypi.simple.v1+json";
/// The type of pages in HTML.
pub const HTML: &str = "application/vnd.pypi.simple.v1+html";
/// The type of pages in HTML for clients that came before there was one of its own.
pub const TEXT: &str = "text/html";

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// [`JSON`].
    Json,
    /// [`HTML`].
    Html,
    /// [`TEXT`]: the same bytes as [`Format::Html`].
    Text,
}

/// The client takes nothing that there is: 406.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("pages are served as `{JSON}`, `{HTML}` and `{TEXT}`")]
pub struct NotAcceptable;

impl Format {
    /// From the richest to the poorest.
    const ALL: [Format; 3] = [Format::Json, Format::Html, Format::Text];

    /// The value of the header `Content-Type`.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Format::Json => JSON,
            // some clients compare the whole value: nothing stands behind it, and the page names its encoding
            Format::Html => HTML,
            Format::Text => "text/html; charset=utf-8",
        }
    }

    /// Are its bytes HTML?
    #[must_use]
    pub fn is_html(self) -> bool {
        !matches!(self, Format::Json)
    }

    /// The names by which clients ask for it.
    fn names(self) -> &'static [&'static str] {
        match self {
            Format::Json => &[JSON, "application/vnd.pypi.simple.latest+json"],
            Format::Html => &[HTML, "application/vnd.pypi.simple.latest+html"],
            Format::Text => &[TEXT],
        }
    }

    fn is_called(self, name: &str) -> bool {
        self.names().iter().any(|known| known.eq_ignore_ascii_case(name))
    }
}

/// Which form to answer in. `format` is the parameter of that name in the URL's query, decoded, and comes before `accept`,
/// the text of the header (several of them joined by commas); without either, `*/*` is meant.
///
/// The highest quality wins. Among equals a form that is named comes before one that only a wildcard takes, then the
/// richer one; `*/*` alone means somebody who does not know of all this, and gets `text/html`.
///
/// # Errors
/// If nothing fits.
pub fn negotiate(accept: Option<&str>, format: Option<&str>) -> Result<Format, NotAcceptable> {
    if let Some(name) = format {
        return Format::ALL.into_iter().find(|format| format.is_called(name.trim())).ok_or(NotAcceptable);
    }
    let accept = accept.filter(|accept| !accept.trim().is_empty()).unwrap_or("*/*");
    let ranges: Vec<_> = accept.split(',').filter_map(range).collect();
    let mut best: Option<((u16, u8), Format)> = None;
    for format in Format::ALL {
        // the most specific range that takes a form decides about it
        let decisive = ranges.iter().filter_map(|(name, quality)| Some((specificity(name, format)?, *quality))).max();
        let Some((specific, quality)) = decisive.filter(|(_, quality)| *quality > 0) else { continue };
        let rank = (quality, specific);
        let anything_goes = specific == 0 && format == Format::Text;
        if best.is_none_or(|(former, _)| rank > former || (anything_goes && rank == former)) {
            best = Some((rank, format));
        }
    }
    best.map(|(_, format)| format).ok_or(NotAcceptable)
}

/// 2 for the form's name, 1 for `application/*`, 0 for `*/*`.
fn specificity(range: &str, format: Format) -> Option<u8> {
    let family = format.names().first().and_then(|name| name.split_once('/')).map(|(family, _)| family);
    match range.split_once('/') {
        _ if format.is_called(range) => Some(2),
        // some old clients send a bare star
        None if range == "*" => Some(0),
        Some(("*", "*")) => Some(0),
        Some((kind, "*")) if family.is_some_and(|family| family.eq_ignore_ascii_case(kind)) => Some(1),
        _ => None,
    }
}

/// A range and its quality in thousandths; None for what makes no sense.
fn range(text: &str) -> Option<(&str, u16)> {
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next().filter(|name| !name.is_empty())?;
    let weight = parts.find_map(|part| {
        let (key, value) = part.split_once('=')?;
        key.trim_end().eq_ignore_ascii_case("q").then(|| value.trim_start())
    });
    weight.map_or(Some(1000), thousandths).map(|quality| (name, quality))
}

/// `1`, `0.5`, `0.125` (RFC 9110 section 12.4.2).
fn thousandths(weight: &str) -> Option<u16> {
    let (whole, fraction) = weight.split_once('.').unwrap_or((weight, ""));
    let digits = fraction.len() <= 3 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    match (whole, digits) {
        ("0", true) => format!("{fraction:0<3}").parse().ok(),
        ("1", true) if fraction.bytes().all(|byte| byte == b'0') => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(accept: &str, expected: Option<Format>) {
        assert_eq!(negotiate(Some(accept), None).ok(), expected, "{accept}");
    }

    #[test]
    fn what_clients_send() {
        assert_eq!(negotiate(None, None), Ok(Format::Text));
        check("", Some(Format::Text));
        check("*/*", Some(Format::Text));
        // pip, old pip, uv, poetry, a browser, Java, curl with a list
        check(&format!("{JSON}, {HTML}; q=0.1, text/html; q=0.01"), Some(Format::Json));
        check("text/html", Some(Format::Text));
        check(&format!("{JSON}, {HTML};q=0.2, text/html;q=0.01"), Some(Format::Json));
        check(&format!("{JSON}, */*;q=0.1"), Some(Format::Json));
        check("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Some(Format::Text));
        check("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", Some(Format::Text));
        check("*", Some(Format::Text));
    }

    #[test]
    fn quality_comes_first_then_the_name_then_what_says_more() {
        check(&format!("{JSON};q=0.5, {HTML}"), Some(Format::Html));
        check(&format!("text/html, {HTML}, {JSON}"), Some(Format::Json));
        check(&format!("text/html, {HTML}"), Some(Format::Html));
        check("application/*", Some(Format::Json));
        check("text/*", Some(Format::Text));
        check("text/html, */*", Some(Format::Text));
        check(&format!("*/*, {HTML}"), Some(Format::Html));
        check(&format!("*/*, {JSON};q=0.1"), Some(Format::Text));
        check("*/*, text/html;q=0", Some(Format::Json));
        check(&format!("{JSON};q=1.000 , text/html ; Q=0.999"), Some(Format::Json));
        check("APPLICATION/VND.PYPI.SIMPLE.V1+JSON", Some(Format::Json));
        check("application/vnd.pypi.simple.latest+json", Some(Format::Json));
        check("application/vnd.pypi.simple.latest+html", Some(Format::Html));
        check(&format!("{JSON};charset=utf-8"), Some(Format::Json));
    }

    #[test]
    fn nothing_fits() {
        check("application/json", None);
        check("image/png, */*;q=0", None);
        check("application/vnd.pypi.simple.v2+json", None);
        check(&format!("{JSON};q=0"), None);
        check(&format!("{JSON};q=2"), None);
        check(&format!("{JSON};q=0.1234"), None);
        check(",;,", None);
    }

    #[test]
    fn the_parameter_wins() {
        assert_eq!(negotiate(Some(TEXT), Some(JSON)), Ok(Format::Json));
        assert_eq!(negotiate(None, Some("application/vnd.pypi.simple.latest+json")), Ok(Format::Json));
        assert_eq!(negotiate(Some(JSON), Some("json")), Err(NotAcceptable));
        assert_eq!(negotiate(Some(JSON), Some("")), Err(NotAcceptable));
    }

    #[test]
    fn an_answer_names_its_real_type() {
        assert_eq!(Format::ALL.map(Format::content_type), [JSON, HTML, "text/html; charset=utf-8"]);
        assert_eq!(Format::ALL.map(Format::is_html), [false, true, true]);
    }

    proptest! {
        #[test]
        fn any_header_is_answered(accept in prop_oneof![any::<String>(), "((text|application|\\*)/(html|\\*)(;q=[01](\\.[0-9]{0,4})?)?,?){0,4}"]) {
            let _ = negotiate(Some(&accept), None);
            let _ = negotiate(None, Some(&accept));
        }
    }
}
