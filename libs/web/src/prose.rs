//! Text that somebody else wrote, as a part of a page: READMEs above all. It is hostile until shown otherwise.
//!
//! Markdown becomes the elements that it has words for and nothing else: HTML within it loses its tags, links lead to
//! http, https and mailto or within the text, pictures become links, as they would tell their owner who reads the page.
//! Everything is bounded: what is read, how deep it nests, what comes out.

mod address;
mod html;
mod writer;

use std::borrow::Cow;
use std::fmt::Write;

use self::address::linked;
use self::writer::Writer;
use crate::Markup;
use crate::markup::Escaped;

/// Longest text that is read, in bytes; the rest is cut off. The longest README on the public index that is more than a
/// change log is some 200 KiB.
const MAX_TEXT: usize = 512 * 1024;

/// GitHub's Markdown: CommonMark with tables, task lists and struck-out text. Headings begin at `h2`, as the page has
/// the first, and can be linked to from within the text.
///
/// ```
/// let markup = opsctl_web::markdown("# Hello\n\nand <script>alert(1)</script> *you*");
/// assert!(markup.as_str().contains("<h2 id=\"readme-hello\">Hello</h2>"));
/// assert!(markup.as_str().contains("<em>you</em>") && !markup.as_str().contains("alert"));
/// ```
#[must_use]
pub fn markdown(text: &str) -> Markup {
    let (text, all_read) = bounded(text);
    let (markup, all_written) = Writer::write(&text);
    let end = if all_read && all_written { "" } else { CUT };
    Markup::new(format!("<div class=\"prose\">{markup}{end}</div>"))
}

/// Text as it is, with links made of the addresses in it.
#[must_use]
pub fn plain(text: &str) -> Markup {
    let (text, whole) = bounded(text);
    let mut markup = String::from("<div class=\"prose\"><pre class=\"plain\">");
    linked(&mut markup, &text);
    let _ = write!(markup, "</pre>{}</div>", if whole { "" } else { CUT });
    Markup::new(markup)
}

/// A README of this media type (the metadata's `Description-Content-Type`): Markdown is rendered, anything else is shown
/// as it is, reStructuredText too.
#[must_use]
pub fn readme(content_type: &str, text: &str) -> Markup {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("text/markdown") { markdown(text) } else { plain(text) }
}

const CUT: &str = "<p class=\"quiet\">The text goes on; it is too long to be shown whole.</p>";

/// What is read of a text, and whether that is all of it.
fn bounded(text: &str) -> (Cow<'_, str>, bool) {
    let read = &text[..text.floor_char_boundary(MAX_TEXT)];
    let clean =
        if read.contains('\r') { read.replace("\r\n", "\n").replace('\r', "\n").into() } else { Cow::Borrowed(read) };
    (clean, read.len() == text.len())
}

/// Appends text that means itself.
fn escape(out: &mut String, text: &str) {
    // writing to a string cannot fail
    let _ = write!(out, "{}", Escaped(text));
}

#[cfg(test)]
mod tests;
