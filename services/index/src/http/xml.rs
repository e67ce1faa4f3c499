//! Text in XML documents that are written by hand.

use std::borrow::Cow;

use quick_xml::escape::escape;

/// `text` for content and attributes: escaped, and without what no XML document can hold (XML 1.0, 2.2).
pub(super) fn text(text: &str) -> String {
    let clean = match text.chars().all(is_xml) {
        true => Cow::Borrowed(text),
        false => text.chars().map(|c| if is_xml(c) { c } else { '\u{fffd}' }).collect(),
    };
    escape(&*clean).into_owned()
}

fn is_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}
