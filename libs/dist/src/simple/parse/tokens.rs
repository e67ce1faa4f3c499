//! A tolerant tokenizer of HTML: tags with their attributes, and the text between them.
//!
//! Only what pages of links need of the HTML standard: comments, declarations, raw text of scripts and styles, quoted and
//! bare attributes, character references. Everything is text to it that is no tag, and no input is an error. It takes time
//! in proportion to the page.

use std::borrow::Cow;

use crate::simple::html::escape::unescape;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Token<'p> {
    Open(Tag<'p>),
    /// The name, as written.
    Close(&'p str),
    /// References resolved.
    Text(Cow<'p, str>),
}

/// An opening tag. Attributes are looked for when they are asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Tag<'p> {
    name: &'p str,
    /// Between name and `>`.
    attributes: &'p str,
}

/// Elements whose content is no markup.
const RAW: &[&str] = &["script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes"];

#[derive(Debug)]
pub(super) struct Tokens<'p> {
    rest: &'p str,
    /// No tag of these is closed any more after `rest`, so that nobody searches again.
    unclosed: Vec<&'static str>,
}

impl<'p> Tokens<'p> {
    pub(super) fn new(page: &'p str) -> Tokens<'p> {
        Tokens { rest: page, unclosed: Vec::new() }
    }

    /// What starts with `<`; None if that is only a character.
    fn markup(&mut self) -> Option<Token<'p>> {
        let after = self.rest.strip_prefix('<')?;
        if let Some(close) = after.strip_prefix('/') {
            let name = close.get(..name_length(close)).filter(|name| !name.is_empty())?;
            self.rest = close.split_once('>').map_or("", |(_, rest)| rest);
            return Some(Token::Close(name));
        }
        let name = after.get(..name_length(after)).filter(|name| !name.is_empty())?;
        let inside = after.get(name.len()..)?;
        let end = tag_end(inside);
        let attributes = inside.get(..end)?;
        self.rest = inside.get(end + 1..).unwrap_or_default();
        self.skip_raw(name);
        Some(Token::Open(Tag { name, attributes }))
    }

    /// Passes over the content of an element that has no markup in it.
    fn skip_raw(&mut self, name: &str) {
        let Some(raw) = RAW.iter().find(|raw| raw.eq_ignore_ascii_case(name)) else { return };
        if self.unclosed.contains(raw) {
            return;
        }
        let closes = |at: &usize| {
            let after = self.rest.get(at + 2..).unwrap_or_default();
            after.get(..raw.len()).is_some_and(|name| name.eq_ignore_ascii_case(raw))
        };
        match self.rest.match_indices("</").map(|(at, _)| at).find(closes) {
            Some(at) => self.rest = self.rest.get(at..).unwrap_or_default(),
            None => self.unclosed.push(raw),
        }
    }

    /// `<!-- … -->`, `<!DOCTYPE …>`, `<?…>`
    fn skip_declarations(&mut self) {
        loop {
            let end = if let Some(after) = self.rest.strip_prefix("<!--") {
                after.split_once("-->").map(|(_, rest)| rest)
            } else if self.rest.starts_with("<!") || self.rest.starts_with("<?") {
                self.rest.split_once('>').map(|(_, rest)| rest)
            } else {
                return;
            };
            self.rest = end.unwrap_or_default();
        }
    }
}

impl<'p> Iterator for Tokens<'p> {
    type Item = Token<'p>;

    fn next(&mut self) -> Option<Token<'p>> {
        self.skip_declarations();
        if let Some(token) = self.markup() {
            return Some(token);
        }
        // the first character is text, even if it is a lonely `<`
        let first = self.rest.chars().next()?.len_utf8();
        let end = self.rest.get(first..)?.find('<').map_or(self.rest.len(), |at| at + first);
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        Some(Token::Text(unescape(text)))
    }
}

impl<'p> Tag<'p> {
    pub(super) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The value of the first attribute of that name, in lower case; empty if it has none.
    pub(super) fn attribute(&self, name: &str) -> Option<Cow<'p, str>> {
        let mut rest = self.attributes;
        while let Some((found, value, after)) = attribute(rest) {
            if found.eq_ignore_ascii_case(name) {
                return Some(unescape(value));
            }
            rest = after;
        }
        None
    }
}

/// Letters, then anything that ends no name.
fn name_length(text: &str) -> usize {
    if !text.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return 0;
    }
    text.find(|c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>')).unwrap_or(text.len())
}

/// Where the `>` of a tag is: not in quotes that follow a `=`.
fn tag_end(inside: &str) -> usize {
    let mut quote = None;
    let mut after_equals = false;
    for (at, byte) in inside.bytes().enumerate() {
        match (quote, byte) {
            (Some(open), _) if byte == open => quote = None,
            (Some(_), _) => {}
            (None, b'>') => return at,
            (None, b'"' | b'\'') if after_equals => quote = Some(byte),
            _ => {}
        }
        after_equals = byte == b'=' || (after_equals && byte.is_ascii_whitespace());
    }
    inside.len()
}

/// The first attribute: name, value, what follows.
fn attribute(text: &str) -> Option<(&str, &str, &str)> {
    let text = text.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
    let first = text.chars().next()?.len_utf8();
    // a name may start with `=`, and ends before the next
    let ends = |c: char| c.is_ascii_whitespace() || matches!(c, '=' | '/' | '>');
    let end = text.get(first..)?.find(ends).map_or(text.len(), |at| at + first);
    let (name, rest) = text.split_at(end);
    let Some(value) = rest.trim_ascii_start().strip_prefix('=').map(str::trim_ascii_start) else {
        return Some((name, "", rest));
    };
    let quoted = value.strip_prefix('"').map(|value| (value, '"'));
    if let Some((value, quote)) = quoted.or_else(|| value.strip_prefix('\'').map(|value| (value, '\''))) {
        let (value, rest) = value.split_once(quote).unwrap_or((value, ""));
        return Some((name, value, rest));
    }
    let end = value.find(|c: char| c.is_ascii_whitespace()).unwrap_or(value.len());
    let (value, rest) = value.split_at(end);
    Some((name, value, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `said` has a line for each token: `<name href other`, `/name`, `"text"`.
    fn check(page: &str, said: &[&str]) {
        let seen: Vec<_> = Tokens::new(page)
            .map(|token| match token {
                Token::Open(tag) => {
                    let values = ["href", "x"].map(|name| tag.attribute(name).map_or("-".into(), Cow::into_owned));
                    format!("<{} {} {}", tag.name, values[0], values[1])
                }
                Token::Close(name) => format!("/{name}"),
                Token::Text(text) => format!("{text:?}"),
            })
            .collect();
        assert_eq!(seen, said, "{page}");
    }

    #[test]
    fn tags_and_text() {
        check("<a href=\"u\">t</a>", &["<a u -", "\"t\"", "/a"]);
        check("<A HREF = 'u' x>t &amp; s</A >", &["<A u ", "\"t & s\"", "/A"]);
        check("<a href=u/v?a=b&amp;c x=y/>", &["<a u/v?a=b&c y/"]);
        check("<a\nhref=\"a>b\"\tx='\"'>", &["<a a>b \""]);
        check("<a href=\"1\" href=\"2\"/>", &["<a 1 -"]);
        check("<!DOCTYPE html><!-- <a href=x> --><br/>t", &["<br - -", "\"t\""]);
        check("<script>'<a href=x>'</script><a>", &["<script - -", "/script", "<a - -"]);
        check("<TITLE>a <a href=x></tItle>", &["<TITLE - -", "/tItle"]);
    }

    #[test]
    fn what_is_broken_is_text_or_ends_the_page() {
        check("a < b <3 <", &["\"a \"", "\"< b \"", "\"<3 \"", "\"<\""]);
        check("<a href=\"u", &["<a u -"]);
        check("<a href", &["<a  -"]);
        check("<!-- open <a>", &[]);
        check("<style> open <a href=x>", &["<style - -", "\" open \"", "<a x -"]);
        check("</>", &["\"</>\""]);
        check("<a =x href=u>", &["<a u -"]);
        check("<\u{e9}>", &["\"<\u{e9}>\""]);
    }

    proptest! {
        #[test]
        fn any_page_ends(page in prop_oneof![any::<String>(), "(<|</|<!--|-->|>|a|script| |href|=|\"|'|&|;|\u{e9}){0,30}"]) {
            for token in Tokens::new(&page) {
                if let Token::Open(tag) = token {
                    let _ = tag.attribute("href");
                }
            }
        }
    }
}
