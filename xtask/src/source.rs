//! Rust text as the checks want it: the code without comments and literals, line by line.
//!
//! A scanner for telling code from prose, not a parser: it never judges the code.
use std::iter::Peekable;
use std::str::CharIndices;

/// `text` with every comment, and the inside of every string and character literal, replaced by spaces; the lines stay.
pub(crate) fn code(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut scanner = Scanner { text, chars: text.char_indices().peekable() };
    while let Some((at, c)) = scanner.chars.next() {
        let end = match c {
            '/' if text[at..].starts_with("//") => text[at..].find('\n').map_or(text.len(), |len| at + len),
            '/' if text[at..].starts_with("/*") => block_end(text, at),
            '"' => string_end(text, at + 1),
            'r' | 'b' | 'c' if !follows_a_word(&out) => match raw_end(text, at) {
                Some(end) => end,
                None => at,
            },
            '\'' => char_end(text, at).unwrap_or(at),
            _ => at,
        };
        if end == at {
            out.push(c);
        } else {
            out.extend(text[at..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            scanner.skip_to(end);
        }
    }
    out
}

struct Scanner<'a> {
    text: &'a str,
    chars: Peekable<CharIndices<'a>>,
}

impl Scanner<'_> {
    fn skip_to(&mut self, end: usize) {
        debug_assert!(end <= self.text.len());
        while self.chars.next_if(|(at, _)| *at < end).is_some() {}
    }
}

fn follows_a_word(before: &str) -> bool {
    before.chars().next_back().is_some_and(is_word)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Block comments nest.
fn block_end(text: &str, from: usize) -> usize {
    let (mut depth, mut at) = (0_usize, from);
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest.starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                break;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    at
}

fn string_end(text: &str, from: usize) -> usize {
    let mut escaped = false;
    for (at, c) in text[from..].char_indices() {
        match c {
            '"' if !escaped => return from + at + 1,
            _ => escaped = c == '\\' && !escaped,
        }
    }
    text.len()
}

/// The end of `r"…"`, `br#"…"#` and the like; `None` for a plain `r`, and for `b"…"`, whose string comes next.
fn raw_end(text: &str, from: usize) -> Option<usize> {
    let rest = text[from..].trim_start_matches(['b', 'c']);
    let hashes = rest.strip_prefix('r')?;
    let inside = hashes.trim_start_matches('#');
    let close = format!("\"{}", &hashes[..hashes.len() - inside.len()]);
    let inside = inside.strip_prefix('"')?;
    let end = inside.find(&close).map_or(inside.len(), |at| at + close.len());
    Some(text.len() - inside.len() + end)
}

/// The end of `'x'` or `'\n'`; `None` for a lifetime.
fn char_end(text: &str, from: usize) -> Option<usize> {
    let inside = &text[from + 1..];
    let mut chars = inside.char_indices();
    let (_, first) = chars.next()?;
    let (second_at, second) = chars.next()?;
    if first == '\\' {
        // the escaped character itself may be a quote
        let from_third = inside.len().min(second_at + second.len_utf8());
        return inside[from_third..].find('\'').map(|at| from + 1 + from_third + at + 1);
    }
    (second == '\'').then(|| from + 1 + second_at + 1)
}

/// How many lines hold code.
pub(crate) fn code_lines(text: &str) -> usize {
    // a literal over several lines is code as well, so that only comments are blanked: a line of a literal is not blank
    // in `text`, and does not begin as a comment
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//")).count()
}

/// Whether `line` of code names the crate `name` in a path: `name::x`, `use name`, `::name`.
pub(crate) fn names_crate(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + name.len()..]);
        let alone = !before.ends_with(is_word) && !after.starts_with(is_word);
        let inner = before.ends_with("::") && before.trim_end_matches("::").ends_with(|c: char| is_word(c) || c == '>');
        alone && !inner && (after.starts_with("::") || before.trim_end().ends_with("use") || before.ends_with("::"))
    })
}

/// Whether each line belongs to tests: the whole file if it lies in a tests' place, else what follows `#[cfg(test)]`
/// and a module's opening.
pub(crate) fn test_lines(path: &str, code: &str) -> Vec<bool> {
    let of_tests = path.split('/').any(|part| matches!(part, "tests" | "tests.rs"));
    let mut inside = of_tests;
    let mut announced = false;
    code.lines()
        .map(|line| {
            let opens = line.trim_start().starts_with("mod ") && line.trim_end().ends_with('{');
            inside = inside || (announced && opens);
            announced =
                line.trim_start().starts_with("#[cfg(test)]") || (announced && line.trim_start().starts_with("#["));
            inside
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(code(text).split_whitespace().collect::<Vec<_>>().join(" "), expected, "{text}");
        assert_eq!(code(text).lines().count(), text.lines().count(), "{text}");
    }

    #[test]
    fn prose_and_literals_are_blank() {
        check("a; // b\nc", "a; c");
        check("a /* b /* c */ d */ e", "a e");
        check("f(\"// x\", 1)", "f( , 1)");
        check("f(\"\\\"x\", y)", "f( , y)");
        check("f(r#\"a\" b\"#, c)", "f( , c)");
        check("f(br\"\\\", c)", "f( , c)");
        check("f(b\"x\", b'x', '\\'', '\"', d)", "f(b , b , , , d)");
        check("fn f<'a>(x: &'a str, c: char) {}", "fn f<'a>(x: &'a str, c: char) {}");
        check("let var = r; bar(\"ü\")", "let var = r; bar( )");
        check("\"open\nend", "");
    }

    #[test]
    fn crates_are_found_in_paths_only() {
        for line in
            ["axum::Router", "use axum;", "use axum::{Router}", "let x: axum::Router", "::axum::x", "use ::axum"]
        {
            assert!(names_crate(line, "axum"), "{line}");
        }
        for line in ["let axum = 1", "axum_extra::x", "my_axum::x", "crate::axum::x", "axum.x()", "self::axum"] {
            assert!(!names_crate(line, "axum"), "{line}");
        }
    }

    #[test]
    fn the_tests_of_a_file_are_known() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n  fn b() {}\n}";
        assert_eq!(test_lines("libs/a/src/lib.rs", text), [false, false, true, true, true]);
        assert_eq!(test_lines("libs/a/src/lib.rs", "#[cfg(test)]\nfn a() {}"), [false, false]);
        assert_eq!(test_lines("tests/finger.rs", "fn a() {}"), [true]);
        assert_eq!(test_lines("libs/a/src/x/tests.rs", "fn a() {}"), [true]);
    }

    #[test]
    fn blank_lines_and_comments_are_no_code() {
        assert_eq!(code_lines("//! a\n\nfn b() {\n    // c\n}\n"), 2);
    }
}
