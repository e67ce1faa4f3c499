//! READMEs, friendly and hostile.

use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::Event;

use super::*;

/// All that may come out: elements, and attributes.
const ELEMENTS: &[&str] = &[
    "div",
    "p",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "blockquote",
    "pre",
    "code",
    "ul",
    "ol",
    "li",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "em",
    "strong",
    "del",
    "a",
    "br",
    "hr",
];
const ATTRIBUTES: &[&str] = &["class", "href", "rel", "id", "start", "tabindex"];

/// Reads markup strictly and looks at everything in it; how deep it is.
#[track_caller]
fn inspect(markup: &Markup) -> usize {
    let source = markup.as_str();
    let mut reader = Reader::from_str(source);
    reader.config_mut().allow_dangling_amp = false;
    let (mut depth, mut deepest) = (0_usize, 0);
    loop {
        let event = reader.read_event().unwrap_or_else(|error| panic!("{error} in {source}"));
        if let Event::Start(element) | Event::Empty(element) = &event {
            let name = String::from_utf8_lossy(element.name().as_ref()).into_owned();
            assert!(ELEMENTS.contains(&name.as_str()), "<{name}> in {source}");
            for attribute in element.attributes().with_checks(true).map(Result::unwrap) {
                let key = String::from_utf8_lossy(attribute.key.as_ref()).into_owned();
                let value = String::from_utf8_lossy(&attribute.value).into_owned();
                let value = unescape(&value).unwrap().into_owned();
                assert!(ATTRIBUTES.contains(&key.as_str()), "{key} in {source}");
                if key == "href" {
                    let fine = ["http://", "https://", "mailto:", "#readme-"];
                    assert!(
                        fine.iter().any(|start| value.to_ascii_lowercase().starts_with(start)),
                        "{value} in {source}"
                    );
                }
            }
        }
        match event {
            Event::Start(_) => depth += 1,
            Event::End(_) => depth -= 1,
            Event::Eof => break,
            Event::Comment(_) | Event::PI(_) | Event::CData(_) | Event::DocType(_) => panic!("{event:?} in {source}"),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    assert_eq!(depth, 0, "{source}");
    deepest
}

#[track_caller]
fn check(text: &str, expected: &str) {
    let markup = markdown(text);
    inspect(&markup);
    let inner = markup.as_str().strip_prefix("<div class=\"prose\">").unwrap().strip_suffix("</div>").unwrap();
    assert_eq!(inner.trim_end(), expected, "{text}");
}

const REL: &str = "rel=\"nofollow noopener noreferrer\"";

#[test]
fn what_authors_write() {
    check("one\ntwo  \nthree", "<p>one\ntwo<br/>\nthree</p>");
    check("*a* **b** ~~c~~ `d<e`", "<p><em>a</em> <strong>b</strong> <del>c</del> <code>d&lt;e</code></p>");
    check("```python\na < b\n```", "<pre tabindex=\"0\"><code>a &lt; b\n</code></pre>");
    check("- a\n- b\n  1. c", "<ul>\n<li>a</li>\n<li>b<ol>\n<li>c</li>\n</ol>\n</li>\n</ul>");
    check("3. a", "<ol start=\"3\">\n<li>a</li>\n</ol>");
    check("- [x] a\n- [ ] b", "<ul>\n<li>☑ a</li>\n<li>☐ b</li>\n</ul>");
    check("> a\n\n---", "<blockquote>\n<p>a</p>\n</blockquote>\n<hr/>");
    let table = "<table>\n<thead><tr><th>a</th><th class=\"number\">b</th></tr></thead>\n<tbody>\n<tr><td>1</td><td class=\"number\">2</td></tr>\n</tbody></table>";
    check("|a|b|\n|-|-:|\n|1|2|", table);
}

#[test]
fn headings_can_be_linked_to() {
    let text = "# Hello, *you* & `me`!\n## Hello, you & me\n[down](#hello-you--me) [nowhere](#)\n# Hello you  me";
    let expected = "<h2 id=\"readme-hello-you--me\">Hello, <em>you</em> &amp; <code>me</code>!</h2>\n\
        <h3 id=\"readme-hello-you--me-1\">Hello, you &amp; me</h3>\n\
        <p><a href=\"#readme-hello-you--me\">down</a> nowhere</p>\n\
        <h2 id=\"readme-hello-you--me-2\">Hello you  me</h2>";
    check(text, expected);
    check("# !", "<h2>!</h2>");
}

#[test]
fn links_and_pictures() {
    check("[a](https://b.example \"c\")", &format!("<p><a href=\"https://b.example\" {REL}>a</a></p>"));
    check("see https://b.example.", &format!("<p>see <a href=\"https://b.example\" {REL}>https://b.example</a>.</p>"));
    check("<me@b.example>", &format!("<p><a href=\"mailto:me@b.example\" {REL}>me@b.example</a></p>"));
    check("[docs](docs/x.md) [x](/logout)", "<p>docs x</p>");
    check("![a *b*](https://c.example/d.png)", &format!("<p><a href=\"https://c.example/d.png\" {REL}>a b</a></p>"));
    check("![](d.png)", "<p>[picture]</p>");
    check("[![a](https://b.example)](docs/)", &format!("<p><a href=\"https://b.example\" {REL}>a</a></p>"));
    check(
        "![a [b](https://c.example) d](https://e.example)",
        &format!("<p><a href=\"https://e.example\" {REL}>a b d</a></p>"),
    );
    let badge = "[![build](https://b.example/x.svg)](https://c.example)";
    check(badge, &format!("<p><a href=\"https://c.example\" {REL}>build</a></p>"));
    check(
        "[https://b.example](https://c.example)",
        &format!("<p><a href=\"https://c.example\" {REL}>https://b.example</a></p>"),
    );
}

#[test]
fn scripts_are_text_or_nothing() {
    check("<script>alert(1)</script>", "");
    check("a <b onclick=\"x\">b</b><br>c", "<p>a b<br/>c</p>");
    check(
        "a <script>alert(`1`)</script> *b* <style>c</script>\n\n- d",
        "<p>a  <em>b</em> </p>\n<ul>\n<li>d</li>\n</ul>",
    );
    check("<p align=\"center\">\n  <img src=\"x\" onerror=\"y\"/> Hello &amp; you\n</p>", "<p>Hello &amp; you</p>");
    check("[a](javascript:alert(1))", "<p>a</p>");
    check("[a](JaVaScRiPt:alert(1)) [b](java&#10;script:x) [c](data:text/html,x)", "<p>a b c</p>");
    check("[a](https://b\"onmouseover=x)", &format!("<p><a href=\"https://b&quot;onmouseover=x\" {REL}>a</a></p>"));
    check("<https://a\"b>", &format!("<p><a href=\"https://a&quot;b\" {REL}>https://a&quot;b</a></p>"));
    check("&lt;script&gt; &#0; &#x1f600;", "<p>&lt;script&gt; \u{fffd} 😀</p>");
}

#[test]
fn by_media_type() {
    let check = |kind, expected: &str| {
        let markup = readme(kind, "*a* <b>\r\nhttps://c.example");
        inspect(&markup);
        assert!(markup.as_str().contains(expected), "{kind}: {}", markup.as_str());
    };
    check("text/markdown", "<em>a</em>");
    check("Text/Markdown; charset=UTF-8; variant=GFM", "<em>a</em>");
    for kind in ["text/x-rst", "text/plain", "", "nonsense"] {
        check(kind, "<pre class=\"plain\">*a* &lt;b&gt;\n<a href=\"https://c.example\"");
    }
}

/// Text made to be slow, deep or large.
#[test]
fn what_nobody_writes() {
    let repeat = |piece: &str| piece.repeat(MAX_TEXT / 4 / piece.len());
    let pieces = [
        ">",
        "> ",
        "- ",
        "1. ",
        "*a ",
        "_",
        "**",
        "[",
        "![",
        "[a](",
        "](",
        "<",
        "<a ",
        "</",
        "`",
        "```\n",
        "~~",
        "|",
        "|-",
        "\\",
        "&",
        "&#",
        "<!--",
        "<?",
        "<![CDATA[",
        "http",
        "http://(",
        "# ",
        "#\n",
        "[a]: b\n",
        "\t",
        "* * ",
        "<script>",
        "[^1]",
        "\r",
        "a\n=\n",
        "- [ ] ",
        "<b>",
        "*_",
        "\u{0}",
        "é",
        "![a](b)",
        "[a](#b)",
    ];
    for piece in pieces {
        let text = repeat(piece);
        let markup = markdown(&text);
        assert!(inspect(&markup) <= MAX_DEPTH_SEEN, "{piece:?}");
        assert!(markup.as_str().len() < 3 * 1024 * 1024, "{piece:?}: {}", markup.as_str().len());
    }
    // one definition that is used often: the longer one is, the less often it is used
    let text = format!("[a]: https://{}\n\n{}", "x".repeat(1900), repeat("[a]"));
    assert!(markdown(&text).as_str().len() < 3 * 1024 * 1024);
    let nested = (0..2000).map(|depth| format!("{}- a\n", "  ".repeat(depth.min(100)))).collect::<String>();
    inspect(&markdown(&nested));
    let table = format!("{}\n{}\n{}", "|a".repeat(1000), "|-".repeat(1000), "|b\n".repeat(5000));
    let markup = markdown(&table);
    inspect(&markup);
    assert!(markup.as_str().len() < 3 * 1024 * 1024 && markup.as_str().contains("The text goes on"));
}

/// The depth of the writer, what stands in a cell or an item, and the frame.
const MAX_DEPTH_SEEN: usize = 40;

#[test]
fn too_long() {
    let long = "ä ".repeat(MAX_TEXT);
    for markup in [markdown(&long), plain(&long)] {
        inspect(&markup);
        assert!(markup.as_str().contains("The text goes on"));
    }
    assert!(!markdown("short").as_str().contains("goes on"));
}

fn pieces() -> impl Strategy<Value = String> {
    let words = "> |- |1. |* |** |_|`|``` |~~|[|](|)|](#a)|![|<|>|<b>|</b>|<script>|<!--|-->|&amp;|&#x0;|&lt;|# |## |\n|\n\n|    |\t|||-:|http://a|https://b.c/d|mailto:a@b|javascript:|a|\\|[x]: /y\n|---\n|===\n|- [x] |\"|'|\u{1}|\u{ffff}|é|<br>|<a href=\"javascript:x\">";
    let words: Vec<&'static str> = words.split('|').collect();
    let word = (0..words.len()).prop_map(move |at| words[at].to_owned());
    let piece = prop_oneof![6 => word, 1 => any::<String>(), 1 => Just("|".to_owned())];
    proptest::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_text(text in pieces()) {
        inspect(&markdown(&text));
        inspect(&plain(&text));
    }
}
