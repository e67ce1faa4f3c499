//! Dependencies, `Requires-Dist` (PEP 508): `name[extra] (>=1.0) ; marker` or `name @ URL ; marker`.
//!
//! Read to be shown and linked, so a marker is checked and kept as text, never evaluated. An own reader, since the ready-made
//! one panics on some texts and keeps every marker that it ever saw.

mod marker;

use crate::{BadMetadata, ProjectName};

/// What a distribution needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency<'a> {
    /// All of it as written.
    pub text: &'a str,
    /// Which project.
    pub name: ProjectName,
    /// Which of its extras.
    pub extras: Vec<&'a str>,
    /// Which versions, or from where; [`Source::Any`] if it does not matter.
    pub source: Source<'a>,
    /// When: `python_version < "3.9"`. None: always.
    pub marker: Option<&'a str>,
}

/// Where a dependency comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source<'a> {
    /// Any version from the index.
    Any,
    /// A version from the index that this specifier takes: `>=1.0,<2`.
    Versions(&'a str),
    /// Not from the index at all.
    Url(&'a str),
}

impl<'a> Dependency<'a> {
    /// Reads one dependency.
    ///
    /// # Errors
    /// [`BadMetadata::RequiresDist`] if it is none.
    pub fn parse(text: &'a str) -> Result<Dependency<'a>, BadMetadata> {
        read(text).ok_or_else(|| BadMetadata::RequiresDist(text.to_owned()))
    }

    /// Is it needed only with that extra, `; extra == "test"`? A hint for grouping: the first extra that the marker names.
    #[must_use]
    pub fn extra(&self) -> Option<&'a str> {
        let (_, after) = self.marker?.split_once("extra")?;
        let value = after.trim_start().strip_prefix("==")?.trim_start();
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        value.split(quote).nth(1)
    }
}

fn read(text: &str) -> Option<Dependency<'_>> {
    let bare = text.trim();
    let end = bare.find(|c: char| !c.is_ascii_alphanumeric() && !"._-".contains(c)).unwrap_or(bare.len());
    let (name, rest) = bare.split_at(end);
    let name = ProjectName::parse(name).ok()?;
    let (extras, rest) = extras(rest.trim_start())?;
    let (source, marker) = match rest.strip_prefix('@') {
        Some(url) => from_url(url.trim_start())?,
        None => match rest.split_once(';') {
            Some((versions, marker)) => (self::versions(versions.trim())?, Some(marker.trim())),
            None => (versions(rest.trim())?, None),
        },
    };
    marker.is_none_or(marker::is_valid).then_some(Dependency { text, name, extras, source, marker })
}

/// `[a, b]` in front of what follows.
fn extras(text: &str) -> Option<(Vec<&str>, &str)> {
    let Some(inside) = text.strip_prefix('[') else { return Some((Vec::new(), text)) };
    let (inside, rest) = inside.split_once(']')?;
    if inside.trim().is_empty() {
        return Some((Vec::new(), rest.trim_start()));
    }
    let extras: Vec<_> = inside.split(',').map(str::trim).collect();
    extras.iter().all(|extra| ProjectName::parse(extra).is_ok()).then_some((extras, rest.trim_start()))
}

/// A URL ends at white space.
fn from_url(text: &str) -> Option<(Source<'_>, Option<&str>)> {
    let (url, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let marker = match rest.trim() {
        "" => None,
        rest => Some(rest.strip_prefix(';')?.trim()),
    };
    url.contains(':').then_some((Source::Url(url), marker))
}

fn versions(text: &str) -> Option<Source<'_>> {
    let bare = text.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')).unwrap_or(text).trim();
    if bare.is_empty() {
        return Some(Source::Any);
    }
    bare.parse::<pep440_rs::VersionSpecifiers>().is_ok().then_some(Source::Versions(bare))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `said` is `name extras source marker extra`, or empty for no dependency.
    fn check(text: &str, said: &str) {
        let seen = match Dependency::parse(text) {
            Err(_) => String::new(),
            Ok(it) => {
                let (marker, extra) = (it.marker.unwrap_or("-"), it.extra().unwrap_or("-"));
                format!("{} {:?} {:?} {marker} {extra}", it.name.normalized(), it.extras, it.source)
            }
        };
        assert_eq!(seen, said, "{text}");
    }

    #[test]
    fn dependencies_have_a_grammar() {
        check("foo", "foo [] Any - -");
        check(" Foo.Bar >=1.0, <2 ", "foo-bar [] Versions(\">=1.0, <2\") - -");
        check("foo (>=1.0)", "foo [] Versions(\">=1.0\") - -");
        check("foo>=1.0,!=1.5.*;extra=='x'", "foo [] Versions(\">=1.0,!=1.5.*\") extra=='x' x");
        check("foo[a, b.c]~=2.0", "foo [\"a\", \"b.c\"] Versions(\"~=2.0\") - -");
        check("foo[]", "foo [] Any - -");
        check("foo @ https://e/a;b.zip", "foo [] Url(\"https://e/a;b.zip\") - -");
        check(
            "foo[x]@git+https://e/a@v1 ; os_name == 'nt'",
            "foo [\"x\"] Url(\"git+https://e/a@v1\") os_name == 'nt' -",
        );
        check(
            "foo ; python_version < '3' and extra == \"t-1\"",
            "foo [] Any python_version < '3' and extra == \"t-1\" t-1",
        );
    }

    #[test]
    fn what_is_no_dependency() {
        for text in [
            "",
            "?",
            "a.,",
            "-a",
            "foo bar",
            "foo >",
            "foo >=1 <2",
            "foo[a",
            "foo[a,,b]",
            "foo[/]",
            "foo (>=1",
            "foo @",
            "foo @ x",
            "foo @ https://e/a more",
            "foo;",
            "foo; x",
            "foo\n; os_name == 'a",
            "f\u{f6}o",
            "foo==\u{661}",
        ] {
            check(text, "");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_refused_or_read(text in prop_oneof![
            any::<String>(),
            "[a-z.-]{1,4}( ?\\[[a-z,]{0,4}\\])?( ?[<>=!~]{1,3}[0-9.*]{1,4},?){0,3}( ?@ ?[a-z:/;]{0,5})?( ?; ?[a-z_'\"<>=() ]{0,12})?",
        ]) {
            if let Ok(read) = Dependency::parse(&text) {
                prop_assert_eq!(read.text, &text);
                let _ = read.extra();
            }
        }
    }
}
