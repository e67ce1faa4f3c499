//! Reads a page as strictly as a browser reads XHTML.

use opsctl_web::Page;
use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::{BytesStart, Event};

/// The text of the page, its elements' names in between as `<name>`. Panics unless the page is well-formed.
#[track_caller]
pub(crate) fn read(page: &Page) -> String {
    read_text(page.as_str())
}

/// The same of a document.
#[track_caller]
pub(crate) fn read_text(source: &str) -> String {
    assert!(!source.contains(|c| !is_char(c)), "a character that XML does not have: {source:?}");
    let mut reader = Reader::from_str(source);
    reader.config_mut().check_end_names = true;
    reader.config_mut().allow_unmatched_ends = false;
    reader.config_mut().allow_dangling_amp = false;
    let mut text = String::new();
    let mut open = 0;
    let mut roots = 0;
    loop {
        match reader.read_event().unwrap_or_else(|error| panic!("{error} in {source}")) {
            Event::Start(element) => {
                roots += usize::from(open == 0);
                open += 1;
                text += &opened(&element);
            }
            Event::Empty(element) => text += &opened(&element),
            Event::End(_) => open -= 1,
            Event::Text(part) => text += &part.decode().unwrap(),
            // only the five that XML itself knows, and numbers
            Event::GeneralRef(name) => text += &unescape(&format!("&{};", name.decode().unwrap())).unwrap(),
            Event::Eof => break,
            Event::DocType(_) => {}
            other => panic!("{other:?} in {source}"),
        }
    }
    assert_eq!((open, roots), (0, 1), "one element, closed: {source}");
    text
}

fn opened(element: &BytesStart<'_>) -> String {
    let mut text = format!("<{}", String::from_utf8_lossy(element.name().as_ref()));
    for attribute in element.attributes().with_checks(true) {
        let attribute = attribute.unwrap();
        let value = std::str::from_utf8(&attribute.value).unwrap();
        assert!(!value.contains('<'), "{value}");
        let value = unescape(value).unwrap();
        text += &format!(" {}=\"{value}\"", String::from_utf8_lossy(attribute.key.as_ref()));
    }
    text + ">"
}

/// `Char` of XML 1.0.
fn is_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}
