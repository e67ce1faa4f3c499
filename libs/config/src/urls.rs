//! URLs without what is secret in them.

use crate::MASK;
use crate::secrets::sounds_secret;

/// The URL with its password masked, and the value of every parameter whose name sounds secret. What is no URL stays
/// as it is.
#[must_use]
pub fn mask_url(url: &str) -> String {
    let (front, query) = url.split_once('?').map_or((url, None), |(front, query)| (front, Some(query)));
    let Some((scheme, rest)) = front.split_once("://") else { return url.to_owned() };
    // a password may hold anything, also what ought to have been escaped: everything up to the last `@`
    let front = match rest.rsplit_once('@').map(|(account, host)| (account.split_once(':'), host)) {
        Some((Some((user, _)), host)) => format!("{scheme}://{user}:{MASK}@{host}"),
        _ => front.to_owned(),
    };
    let Some(query) = query else { return front };
    // a password with `?` in it: what looks like a query is still in front of the host
    if let Some((_, host)) = query.rsplit_once('@').filter(|_| !front.contains('@')) {
        return format!("{scheme}://{MASK}@{host}");
    }
    let mask = |pair: &str| match pair.split_once('=') {
        Some((key, _)) if sounds_secret(key) => format!("{key}={MASK}"),
        _ => pair.to_owned(),
    };
    format!("{front}?{}", query.split('&').map(mask).collect::<Vec<_>>().join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, shown: &str) {
        assert_eq!(mask_url(url), shown);
        assert!(!mask_url(url).contains("hunter"), "{url}");
    }

    #[test]
    fn passwords_go() {
        check("sqlite", "sqlite");
        check("postgres://h/d", "postgres://h/d");
        check("postgres://u@h/d", "postgres://u@h/d");
        check("postgres://u:hunter2@h:5433/d", "postgres://u:********@h:5433/d");
        check("postgres://u:hunter@2@h/d", "postgres://u:********@h/d");
        check("postgres://u:hunter?2@h/d", "postgres://********@h/d");
        check("postgres:///d?host=/run/pg&password=hunter2", "postgres:///d?host=/run/pg&password=********");
        check("s3://bucket/prefix?endpoint=https://h", "s3://bucket/prefix?endpoint=https://h");
    }

    proptest::proptest! {
        #[test]
        fn no_password_is_shown(password in "hunter[a-z0-9:/?#@&=%+.]{0,12}", query in "(\\?sslmode=require)?") {
            let shown = mask_url(&format!("postgres://user:{password}@host/db{query}"));
            assert!(!shown.contains("hunter"), "{password}: {shown}");
            assert!(shown.contains("@host/db"), "{shown}");
        }
    }
}
