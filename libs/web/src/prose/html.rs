//! What is left of HTML that stands in Markdown: its text.

/// Elements whose content is no text.
const SILENT: &[&str] = &["script", "style", "template", "noscript", "iframe", "svg", "math"];
/// Elements that stand on lines of their own, or between two.
const ENDS_LINE: &[&str] = &["br", "p", "div", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "summary", "details"];
/// Longest name of an element that is of interest.
const MAX_NAME: usize = 20;
/// The entities that authors write.
const ENTITIES: &[(&str, &str)] = &[
    ("&nbsp;", "\u{a0}"),
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&quot;", "\""),
    ("&copy;", "©"),
    ("&middot;", "·"),
    ("&bull;", "•"),
    // the last, so that `&amp;lt;` stays `&lt;`
    ("&amp;", "&"),
];

/// The text without tags and comments, and without what scripts and style sheets say.
pub(super) fn text(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        rest = match tag(rest) {
            Some((name, after)) => {
                if ENDS_LINE.contains(&name.as_str()) {
                    text.push('\n');
                }
                after
            }
            None => {
                text.push('<');
                &rest[1..]
            }
        };
    }
    text.push_str(rest);
    if text.contains('&') {
        for (entity, meaning) in ENTITIES {
            text = text.replace(entity, meaning);
        }
    }
    text
}

/// The name of a tag that stands alone.
pub(super) fn name(tag: &str) -> String {
    let inner = tag.trim_start_matches(['<', '/']);
    inner.chars().take_while(char::is_ascii_alphanumeric).take(MAX_NAME).map(|c| c.to_ascii_lowercase()).collect()
}

/// Is the content of this element no text?
pub(super) fn is_silent(name: &str) -> bool {
    SILENT.contains(&name)
}

/// The name of the tag, the comment, or the silent element that `html` begins with, and what stands behind it. None: it
/// is just a `<`.
fn tag(html: &str) -> Option<(String, &str)> {
    if let Some(comment) = html.strip_prefix("<!--") {
        return Some((String::new(), comment.split_once("-->").map_or("", |(_, after)| after)));
    }
    let inner = &html[1..];
    let inner = inner.strip_prefix('/').unwrap_or(inner);
    if !inner.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '!' | '?')) {
        return None;
    }
    let name = name(html);
    let after = html.split_once('>').map_or("", |(_, after)| after);
    let after = if is_silent(&name) && !html.starts_with("</") { behind(after, &name) } else { after };
    Some((name, after))
}

/// What stands behind `</name>`; the end if there is none.
fn behind<'a>(html: &'a str, name: &str) -> &'a str {
    let mut rest = html;
    while let Some((_, after)) = rest.split_once("</") {
        let closes = after.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name));
        if closes {
            return after.split_once('>').map_or("", |(_, after)| after);
        }
        rest = after;
    }
    ""
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::*;

    #[test]
    fn text_is_what_stays() {
        let check = |html, expected| assert_eq!(text(html), expected);
        check("<p align=\"center\">Hello, <b>you</b><BR/>two</p>", "\nHello, you\ntwo\n");
        check("a<!-- <b> -->c<!-- open", "ac");
        check("<script>alert(1)</script>x<STYLE>y</Style >z", "xz");
        check("<script>never closed", "");
        check("1 < 2 <3", "1 < 2 <3");
        check("a&nbsp;&amp;lt;&lt;b", "a\u{a0}&lt;<b");
        check("<a href='x>y'>z", "y'>z");
        check("<", "<");
    }

    #[test]
    fn names() {
        for (tag, expected) in
            [("<br>", "br"), ("<BR />", "br"), ("</Script >", "script"), ("<!-- -->", ""), ("<?php", "")]
        {
            assert_eq!(name(tag), expected, "{tag}");
        }
    }

    proptest! {
        #[test]
        fn it_never_grows(html in any::<String>()) {
            assert!(text(&html).len() <= html.len());
        }
    }
}
