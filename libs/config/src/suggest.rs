//! "Did you mean": of the names there are the one that a wrong one was likely meant to be.

/// At most so many names are listed where none is near.
const LISTED: usize = 12;

/// The likeliest of `known`, if any is near enough: one edit in a short name, one in three letters of a long one.
pub(crate) fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |name: &str| name.chars().take(64).collect::<String>().to_lowercase().replace('-', "_");
    let wrong = plain(wrong);
    let near = known.into_iter().map(|name| (strsim::osa_distance(&wrong, &plain(name)), name));
    let (distance, name) = near.min()?;
    (distance <= (name.chars().count() / 3).max(1)).then_some(name)
}

/// What to say of an unknown name.
pub(crate) fn help<'a>(wrong: &str, known: &[&'a str]) -> (Option<&'a str>, String) {
    let near = nearest(wrong, known.iter().copied());
    let text = match near {
        Some(name) => format!("did you mean `{name}`?"),
        None if known.is_empty() => "there are no keys here".to_owned(),
        None => format!("known are {}", list(known, "and")),
    };
    (near, text)
}

/// "`a`, `b` and `c`", or "`a`, `b` and 12 others".
pub(crate) fn list(names: &[&str], joint: &str) -> String {
    let mut names: Vec<_> = names.to_vec();
    names.sort_unstable();
    names.dedup();
    let shown = if names.len() > LISTED { LISTED - 1 } else { names.len() };
    let mut texts: Vec<_> = names.iter().take(shown).map(|name| format!("`{name}`")).collect();
    if names.len() > shown {
        texts.push(format!("{} others", names.len() - shown));
    }
    match texts.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} {joint} {last}", rest.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(wrong: &str, expected: &str) {
        assert_eq!(help(wrong, &["listen", "file", "timeout", "max_connections"]).1, expected);
    }

    #[test]
    fn texts() {
        check("lisen", "did you mean `listen`?");
        check("Listen", "did you mean `listen`?");
        check("max-conections", "did you mean `max_connections`?");
        check("flie", "did you mean `file`?");
        check("user", "known are `file`, `listen`, `max_connections` and `timeout`");
        assert_eq!(help("x", &[]).1, "there are no keys here");
        assert_eq!(help("xyz", &["a"]).1, "known are `a`");
        let many: Vec<_> = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m"].into();
        assert_eq!(list(&many, "and"), "`a`, `b`, `c`, `d`, `e`, `f`, `g`, `h`, `i`, `j`, `k` and 2 others");
    }
}
