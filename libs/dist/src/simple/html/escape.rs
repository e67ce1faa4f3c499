//! Text in HTML, and back.

use std::borrow::Cow;

/// Appends `text` so that it is text between tags and in an attribute with quotes of either kind. Control characters, which
/// no HTML has, become U+FFFD.
pub(in crate::simple) fn push(page: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.bytes().position(is_special) {
        let (plain, special) = rest.split_at(at);
        page.push_str(plain);
        let mut chars = special.chars();
        page.push_str(match chars.next() {
            Some('&') => "&amp;",
            Some('<') => "&lt;",
            Some('>') => "&gt;",
            Some('"') => "&quot;",
            Some('\'') => "&#39;",
            _ => "\u{fffd}",
        });
        rest = chars.as_str();
    }
    page.push_str(rest);
}

fn is_special(byte: u8) -> bool {
    match byte {
        b'&' | b'<' | b'>' | b'"' | b'\'' | 0x7f => true,
        b'\t' | b'\n' => false,
        _ => byte < 0x20,
    }
}

/// The named references that stand in pages of indexes; all others are left as they are.
const NAMED: &[(&str, &str)] =
    &[("amp", "&"), ("lt", "<"), ("gt", ">"), ("quot", "\""), ("apos", "'"), ("nbsp", "\u{a0}"), ("num", "#")];

/// Longest reference that is looked for.
const REFERENCE_MAX: usize = 12;

/// Resolves references such as `&amp;`, `&#39;` and `&#x27;`.
pub(in crate::simple) fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((plain, after)) = rest.split_once('&') {
        out.push_str(plain);
        let reference =
            after.bytes().take(REFERENCE_MAX).position(|byte| byte == b';').and_then(|end| after.get(..end));
        match reference.and_then(resolve) {
            Some(resolved) => {
                out.push_str(&resolved);
                rest = after.get(reference.map_or(0, str::len) + 1..).unwrap_or_default();
            }
            None => {
                out.push('&');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

fn resolve(reference: &str) -> Option<Cow<'static, str>> {
    let Some(number) = reference.strip_prefix('#') else {
        let named = NAMED.iter().find(|(name, _)| *name == reference);
        return named.map(|(_, text)| Cow::Borrowed(*text));
    };
    let code = match number.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => number.parse(),
    };
    code.ok().map(|code| char::from_u32(code).filter(|c| *c != '\0').unwrap_or('\u{fffd}').to_string().into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, escaped: &str) {
        let mut page = String::new();
        push(&mut page, text);
        assert_eq!(page, escaped);
    }

    #[test]
    fn text_is_no_markup() {
        check(">=3, <4 & 'x' \"y\"", "&gt;=3, &lt;4 &amp; &#39;x&#39; &quot;y&quot;");
        check("\u{e9}\u{1f600}\n\t", "\u{e9}\u{1f600}\n\t");
        check("a\0b\x1b\x7f", "a\u{fffd}b\u{fffd}\u{fffd}");
    }

    #[test]
    fn references_are_resolved() {
        assert_eq!(unescape("&gt;=3&amp;&#39;&#x27;&quot;&nbsp;"), ">=3&''\"\u{a0}");
        assert_eq!(unescape("a & b &unknown; &; &#xzz; &lt"), "a & b &unknown; &; &#xzz; &lt");
        assert_eq!(unescape("&#0;&#xd800;&#1114112;"), "\u{fffd}\u{fffd}\u{fffd}");
        assert_eq!(unescape("&amp;lt;"), "&lt;");
    }

    proptest! {
        #[test]
        fn what_is_escaped_is_read_back(text in "[^\x00-\x08\x0b-\x1f\x7f]{0,20}", any_text in any::<String>()) {
            let mut page = String::new();
            push(&mut page, &text);
            prop_assert!(!page.contains(['<', '>', '"', '\'']));
            prop_assert_eq!(unescape(&page), text);
            let _ = unescape(&any_text);
        }
    }
}
