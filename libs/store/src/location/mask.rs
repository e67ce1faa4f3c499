//! URLs without what is secret in them.

/// A URL without what may be secret in it: the password before the host, and the value of any parameter that sounds so.
pub(super) fn masked(url: &str) -> String {
    const MASK: &str = "********";
    const SECRET: &[&str] = &["password", "secret", "key", "token"];
    let (front, query) = url.split_once('?').map_or((url, None), |(front, query)| (front, Some(query)));
    let (scheme, rest) = front.split_once("://").unwrap_or(("", front));
    // a password may hold anything, also what ought to have been escaped: everything up to the last `@`
    let front = match rest.rsplit_once('@') {
        Some((account, host)) => match account.split_once(':') {
            Some((user, _)) => format!("{scheme}://{user}:{MASK}@{host}"),
            None => front.to_owned(),
        },
        None => front.to_owned(),
    };
    let Some(query) = query else { return front };
    let mask = |pair: &str| match pair.split_once('=') {
        Some((key, _)) if SECRET.iter().any(|secret| key.to_ascii_lowercase().contains(secret)) => {
            format!("{key}={MASK}")
        }
        _ => pair.to_owned(),
    };
    format!("{front}?{}", query.split('&').map(mask).collect::<Vec<_>>().join("&"))
}
