//! Text of SQL statements: what stands in the source, or what somebody vouches for.

use std::borrow::Cow;

/// A statement. Literals are one by themselves; a text that is put together at run time must say [`Sql::built`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sql(Cow<'static, str>);

impl Sql {
    /// A text that was put together from literals. Never put input into it: input goes into parameters.
    #[must_use]
    pub fn built(text: String) -> Self {
        Self(Cow::Owned(text))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn text(&self) -> Cow<'static, str> {
        self.0.clone()
    }

    /// Whether it only reads, so that a read-only connection will do. A doubtful one does not.
    pub(crate) fn reads(&self) -> bool {
        let text = self.0.trim_ascii_start();
        let word = text.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
        if word.eq_ignore_ascii_case("with") {
            // WITH x AS (…) INSERT …
            let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let writes = |word: &str| {
                ["insert", "update", "delete", "replace"].iter().any(|verb| word.eq_ignore_ascii_case(verb))
            };
            return !words.into_iter().any(writes);
        }
        ["select", "values", "explain"].iter().any(|verb| word.eq_ignore_ascii_case(verb))
    }

    /// Its beginning in one line, for messages.
    pub(crate) fn brief(&self) -> String {
        const LONGEST: usize = 80;
        let mut brief = String::new();
        for word in self.0.split_whitespace() {
            if brief.len() + word.len() > LONGEST {
                brief.push_str(" …");
                break;
            }
            if !brief.is_empty() {
                brief.push(' ');
            }
            brief.push_str(word);
        }
        brief
    }
}

impl From<&'static str> for Sql {
    fn from(text: &'static str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_reads(text: &'static str, reads: bool) {
        assert_eq!(Sql::from(text).reads(), reads, "{text}");
    }

    #[test]
    fn what_only_reads() {
        check_reads("SELECT 1", true);
        check_reads("  \n select name FROM file", true);
        check_reads("VALUES (1)", true);
        check_reads("WITH a AS (SELECT 1) SELECT * FROM a", true);
        check_reads("WITH a AS (SELECT 1) INSERT INTO b SELECT * FROM a", false);
        check_reads("with a as (delete from b returning x) select * from a", false);
        check_reads("INSERT INTO a VALUES (1) RETURNING id", false);
        check_reads("PRAGMA user_version = 2", false);
        check_reads("/* hint */ SELECT 1", false);
        check_reads("selection", false);
        check_reads("", false);
    }

    #[test]
    fn messages_show_the_beginning() {
        assert_eq!(Sql::from("SELECT\n    name\nFROM file").brief(), "SELECT name FROM file");
        let long = Sql::built(format!("SELECT {}", "a, ".repeat(100)));
        assert!(long.brief().len() < 90 && long.brief().ends_with(" …"), "{}", long.brief());
    }
}
