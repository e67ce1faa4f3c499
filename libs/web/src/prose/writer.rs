//! Markdown's elements, written as XHTML.

use std::collections::HashMap;
use std::fmt::Write;

use pulldown_cmark::{Alignment, Event, HeadingLevel, LinkType, Options, Parser, Tag, TagEnd};

use super::address::{linked, open};
use super::{escape, html};

/// How deep elements nest; what is deeper is shown as if it stood less deep.
const MAX_DEPTH: usize = 32;
/// Longest markup in bytes; what would come after it is left out. Text that is written for readers doubles at most, as the
/// longest that is read does.
const MAX_MARKUP: usize = 2 * 1024 * 1024;
/// Longest name of a heading in characters.
const MAX_SLUG: usize = 60;
/// Begins the names of headings, so that they differ from those of the page.
const PREFIX: &str = "readme-";

/// Writes what a parser reads.
#[derive(Debug, Default)]
pub(super) struct Writer {
    out: String,
    /// What closes each open element; empty for one that was left out.
    open: Vec<&'static str>,
    /// Those of them that were not.
    depth: usize,
    /// The columns of the table that is open, and the next of them.
    columns: Vec<Alignment>,
    column: usize,
    in_head: bool,
    in_link: bool,
    in_code: bool,
    /// Where the open heading begins.
    heading: Option<usize>,
    /// The text of the open picture.
    picture: Option<String>,
    /// The open element of HTML whose content is no text.
    silent: Option<String>,
    /// The HTML of the open block of it.
    html: Option<String>,
    /// How often each name of a heading was taken.
    slugs: HashMap<String, usize>,
}

impl Writer {
    /// The markup, and whether that is all of it.
    pub(super) fn write(text: &str) -> (String, bool) {
        let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
        let mut writer = Self::default();
        let mut whole = true;
        for event in Parser::new_ext(text, options) {
            writer.event(event);
            whole = writer.out.len() <= MAX_MARKUP;
            if !whole {
                break;
            }
        }
        while !writer.open.is_empty() {
            writer.close();
        }
        (writer.out, whole)
    }

    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(Tag::Image { dest_url, .. }) => self.start_picture(&dest_url),
            Event::Start(tag) => self.start(&tag),
            Event::End(TagEnd::Image) => self.end_picture(),
            Event::End(tag) => self.end(tag),
            Event::Text(_) | Event::Code(_) if self.silent.is_some() => {}
            Event::Text(text) | Event::InlineMath(text) | Event::DisplayMath(text) => self.text(&text),
            Event::Code(text) => self.code(&text),
            Event::Html(text) => self.html.get_or_insert_default().push_str(&text),
            Event::InlineHtml(tag) => self.tag(&tag),
            Event::FootnoteReference(name) => self.text(&format!("[{name}]")),
            Event::SoftBreak => self.raw("\n", " "),
            Event::HardBreak => self.raw("<br/>\n", " "),
            Event::Rule => self.raw("<hr/>\n", ""),
            Event::TaskListMarker(done) => self.raw(if done { "☑ " } else { "☐ " }, ""),
        }
    }

    fn start(&mut self, tag: &Tag<'_>) {
        match tag {
            Tag::Paragraph => self.element("<p>", "</p>\n"),
            Tag::Heading { level, .. } => {
                self.heading = Some(self.out.len());
                self.element("", heading_end(*level));
            }
            Tag::BlockQuote(_) => self.element("<blockquote>\n", "</blockquote>\n"),
            Tag::CodeBlock(_) => {
                self.in_code = true;
                self.element("<pre tabindex=\"0\"><code>", "</code></pre>\n");
            }
            Tag::List(None) => self.element("<ul>\n", "</ul>\n"),
            Tag::List(Some(1)) => self.element("<ol>\n", "</ol>\n"),
            Tag::List(Some(first)) => self.element(&format!("<ol start=\"{first}\">\n"), "</ol>\n"),
            Tag::Item => self.element("<li>", "</li>\n"),
            Tag::Table(columns) => {
                self.columns.clone_from(columns);
                self.element("<table>\n", "</tbody></table>\n");
            }
            Tag::TableHead => {
                (self.column, self.in_head) = (0, true);
                self.element("<thead><tr>", "</tr></thead>\n<tbody>\n");
            }
            Tag::TableRow => {
                self.column = 0;
                self.element("<tr>", "</tr>\n");
            }
            Tag::TableCell => self.cell(),
            Tag::Emphasis => self.element("<em>", "</em>"),
            Tag::Strong => self.element("<strong>", "</strong>"),
            Tag::Strikethrough => self.element("<del>", "</del>"),
            Tag::Link { link_type: LinkType::Email, dest_url, .. } => self.link(&format!("mailto:{dest_url}")),
            Tag::Link { dest_url, .. } => self.link(dest_url),
            // of extensions that are not asked for; their text stays
            _ => self.element("", ""),
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(level) => {
                self.silent = None;
                self.name_heading(level);
            }
            TagEnd::CodeBlock => self.in_code = false,
            TagEnd::TableHead => self.in_head = false,
            TagEnd::HtmlBlock => self.html_block(),
            // no element that says nothing goes on beyond its paragraph
            TagEnd::Paragraph | TagEnd::Item | TagEnd::TableCell => self.silent = None,
            _ => {}
        }
        self.close();
    }

    /// Opens an element, unless it is too deep or within a picture's text.
    fn element(&mut self, start: &str, end: &'static str) {
        let fits = self.picture.is_none() && (self.depth < MAX_DEPTH || self.is_of_table(end));
        if fits {
            self.out.push_str(start);
            self.depth += 1;
        }
        self.open.push(if fits { end } else { "" });
    }

    /// A table is whole or not there: its parts follow the element that they are in.
    fn is_of_table(&self, end: &str) -> bool {
        matches!(end, "</tr></thead>\n<tbody>\n" | "</tr>\n" | "</th>" | "</td>")
            && self.open.last().is_some_and(|parent| !parent.is_empty())
    }

    fn close(&mut self) {
        if let Some(end) = self.open.pop()
            && !end.is_empty()
        {
            self.out.push_str(end);
            self.depth -= 1;
            self.in_link &= end != "</a>";
        }
    }

    fn cell(&mut self) {
        let class = match self.columns.get(self.column) {
            Some(Alignment::Right) => " class=\"number\"",
            Some(Alignment::Center) => " class=\"middle\"",
            _ => "",
        };
        self.column += 1;
        match self.in_head {
            true => self.element(&format!("<th{class}>"), "</th>"),
            false => self.element(&format!("<td{class}>"), "</td>"),
        }
    }

    fn link(&mut self, address: &str) {
        let mut start = String::new();
        let is_open = match address.strip_prefix('#') {
            Some(name) if !name.is_empty() => {
                start = format!("<a href=\"#{PREFIX}{}\">", slug(name));
                true
            }
            _ => open(&mut start, address),
        };
        // another link is no place for it; an address that cannot be followed leaves its text
        match is_open && !self.in_link {
            true => self.element(&start, "</a>"),
            false => self.element("", ""),
        }
        self.in_link |= self.open.last().is_some_and(|end| *end == "</a>");
    }

    fn start_picture(&mut self, address: &str) {
        self.link(address);
        self.picture.get_or_insert_default();
    }

    fn end_picture(&mut self) {
        let text = self.picture.take().unwrap_or_default();
        let text = text.trim();
        escape(&mut self.out, if text.is_empty() { "[picture]" } else { text });
        self.close();
    }

    fn text(&mut self, text: &str) {
        match &mut self.picture {
            Some(picture) => picture.push_str(text),
            None if self.in_link || self.in_code => escape(&mut self.out, text),
            None => linked(&mut self.out, text),
        }
    }

    fn code(&mut self, text: &str) {
        match &mut self.picture {
            Some(picture) => picture.push_str(text),
            None => {
                self.out.push_str("<code>");
                escape(&mut self.out, text);
                self.out.push_str("</code>");
            }
        }
    }

    /// Markup, or within a picture's text what stands for it.
    fn raw(&mut self, markup: &str, text: &str) {
        match &mut self.picture {
            Some(picture) => picture.push_str(text),
            None => self.out.push_str(markup),
        }
    }

    /// A tag of HTML within a line.
    fn tag(&mut self, tag: &str) {
        let name = html::name(tag);
        match &self.silent {
            Some(open) if tag.starts_with("</") && *open == name => self.silent = None,
            Some(_) => {}
            None if name == "br" => self.raw("<br/>", " "),
            None if html::is_silent(&name) && !tag.starts_with("</") && !tag.ends_with("/>") => {
                self.silent = Some(name)
            }
            None => {}
        }
    }

    fn html_block(&mut self) {
        let text = html::text(&self.html.take().unwrap_or_default());
        if !text.trim().is_empty() {
            self.out.push_str("<p>");
            linked(&mut self.out, text.trim());
            self.out.push_str("</p>\n");
        }
    }

    /// Puts the start of a heading before its text, now that its name is known.
    fn name_heading(&mut self, level: HeadingLevel) {
        let Some(start) = self.heading.take() else { return };
        if self.open.last().is_none_or(|end| end.is_empty()) {
            return;
        }
        let inner = self.out.get(start..).unwrap_or_default();
        let slug = slug(&html::text(inner));
        let count = self.slugs.entry(slug.clone()).or_default();
        let name = if *count == 0 { slug } else { format!("{slug}-{count}") };
        *count += 1;
        let end = heading_end(level);
        let element = end.trim_start_matches("</").trim_end_matches(">\n");
        let mut heading = format!("<{element}");
        if !name.is_empty() {
            let _ = write!(heading, " id=\"{PREFIX}{name}\"");
        }
        heading.push('>');
        self.out.insert_str(start, &heading);
    }
}

/// The page itself has the first heading.
fn heading_end(level: HeadingLevel) -> &'static str {
    match level {
        HeadingLevel::H1 => "</h2>\n",
        HeadingLevel::H2 => "</h3>\n",
        HeadingLevel::H3 => "</h4>\n",
        HeadingLevel::H4 => "</h5>\n",
        HeadingLevel::H5 | HeadingLevel::H6 => "</h6>\n",
    }
}

/// As GitHub makes them: small letters, digits, `-` and `_`, spaces as `-`.
fn slug(text: &str) -> String {
    let chars = text.trim().chars().filter_map(|c| match c {
        ' ' | '-' => Some('-'),
        '_' => Some('_'),
        c if c.is_alphanumeric() => Some(c),
        _ => None,
    });
    chars.take(MAX_SLUG).flat_map(char::to_lowercase).collect()
}
