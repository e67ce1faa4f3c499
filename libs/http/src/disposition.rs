//! Under which name a client stores what it gets: Content-Disposition (RFC 6266).

use http::HeaderValue;

use crate::percent;

/// Bytes of a file's name; more than most file systems take.
const MAX_NAME: usize = 255;

/// `attachment`: to be stored as `name`, which may be any text; what could lead out of a folder, or make it look like
/// something else, is taken out of it.
#[must_use]
pub fn attachment(name: &str) -> HeaderValue {
    disposition("attachment", name)
}

/// `inline`: to be shown, and stored as `name` if at all.
#[must_use]
pub fn inline(name: &str) -> HeaderValue {
    disposition("inline", name)
}

fn disposition(kind: &str, name: &str) -> HeaderValue {
    let name = clean(name);
    // percent signs: some clients decode them here as well
    let is_plain = |c: char| matches!(c, ' '..='~') && !matches!(c, '"' | '%');
    let plain: String = name.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    let mut text = format!("{kind}; filename=\"{plain}\"");
    if plain != name {
        text.push_str("; filename*=UTF-8''");
        // a String takes everything
        let _ = percent::encode(&name, percent::is_unreserved, &mut text);
    }
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("attachment"))
}

/// One name of a file, without what means something to a file system, a terminal or the direction of writing.
fn clean(name: &str) -> String {
    let replaced = name.chars().map(|c| match c {
        '/' | '\\' | ':' | '*' | '?' | '<' | '>' | '|' => '_',
        c if c.is_control() => '_',
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => '_',
        c => c,
    });
    let replaced: String = replaced.collect();
    let mut name = replaced.trim_start_matches(['.', ' ']).trim_end();
    while name.len() > MAX_NAME {
        name = name.char_indices().next_back().map_or("", |(at, _)| &name[..at]);
    }
    if name.is_empty() { "download".into() } else { name.into() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::*;

    #[track_caller]
    fn check(name: &str, expected: &str) {
        assert_eq!(attachment(name), format!("attachment; filename={expected}"), "{name}");
    }

    #[test]
    fn names() {
        check("demo-1.0.tar.gz", r#""demo-1.0.tar.gz""#);
        check("two words.txt", r#""two words.txt""#);
        check("naïve 100%.txt", r#""na_ve 100_.txt"; filename*=UTF-8''na%C3%AFve%20100%25.txt"#);
        check("a\"b;c.txt", r#""a_b;c.txt"; filename*=UTF-8''a%22b%3Bc.txt"#);
        assert_eq!(inline("a.mp4"), r#"inline; filename="a.mp4""#);
    }

    #[test]
    fn attacks() {
        check("../../etc/passwd", r#""_.._etc_passwd""#);
        check(r"..\..\a.exe", r#""_.._a.exe""#);
        check("..", r#""download""#);
        check("", r#""download""#);
        check(".bashrc", r#""bashrc""#);
        check("a\r\nx: y", r#""a__x_ y""#);
        check("gpj\u{202e}exe.", r#""gpj_exe.""#);
        check(&"ä".repeat(200), &format!("\"{}\"; filename*=UTF-8''{}", "_".repeat(127), "%C3%A4".repeat(127)));
    }

    proptest! {
        #[test]
        fn any_name_has_a_header(name in any::<String>()) {
            let header = attachment(&name);
            let text = header.to_str().unwrap();
            assert!(text.starts_with("attachment; filename=\""), "{text}");
            assert!(!text.contains(['/', '\\']), "{text}");
        }
    }
}
