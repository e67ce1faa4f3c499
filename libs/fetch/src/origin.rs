//! Who is trusted: the origins that the administrator named. All others have to be public, and https.

use std::net::IpAddr;

use url::{Host, Url};

use crate::{Error, is_public};

/// Scheme, host and port of a URL (RFC 6454 section 4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    scheme: String,
    host: Host<String>,
    port: u16,
}

impl Origin {
    /// The origin of an http or https URL; none of another one.
    #[must_use]
    pub fn of(url: &Url) -> Option<Self> {
        let (host, port) = (url.host()?.to_owned(), url.port_or_known_default()?);
        matches!(url.scheme(), "http" | "https").then(|| Self { scheme: url.scheme().to_owned(), host, port })
    }

    /// The host, without brackets.
    pub(crate) fn is_host(&self, name: &str) -> bool {
        match &self.host {
            Host::Domain(domain) => domain.eq_ignore_ascii_case(name),
            Host::Ipv4(address) => name == address.to_string(),
            Host::Ipv6(address) => name.trim_matches(['[', ']']) == address.to_string(),
        }
    }
}

/// Where requests may go.
#[derive(Debug, Clone, Default)]
pub struct Reach {
    /// Origins that are taken as they are: http, private addresses and all.
    pub trusted: Vec<Origin>,
    /// Hosts besides that may be gone to, `files.example.org` or `*.example.org`; empty means any public one.
    pub hosts: Vec<String>,
}

impl Reach {
    /// Trusts the origin of `url`, and any public https server.
    #[must_use]
    pub fn trusting(url: &Url) -> Self {
        Self { trusted: Origin::of(url).into_iter().collect(), hosts: Vec::new() }
    }

    /// Whether the administrator named the origin of `url`.
    #[must_use]
    pub fn trusts(&self, url: &Url) -> bool {
        Origin::of(url).is_some_and(|origin| self.trusted.contains(&origin))
    }

    /// Whether addresses of `name` need not be public.
    pub(crate) fn trusts_host(&self, name: &str) -> bool {
        self.trusted.iter().any(|origin| origin.is_host(name))
    }

    /// Judges a URL by what it says; a name's addresses are judged when they are known.
    pub(crate) fn judge(&self, url: &Url) -> Result<(), Error> {
        if self.trusts(url) {
            return Ok(());
        }
        let refuse = |why| Err(Error::Refused { url: shown(url), why });
        if url.scheme() != "https" {
            return refuse("it is not https");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("it carries credentials");
        }
        let address = match url.host() {
            None => return refuse("it names no host"),
            // trusted under another scheme or port: the name alone says nothing of what listens there
            Some(Host::Domain(name)) if self.trusts_host(name) => return refuse("only another port of it is trusted"),
            Some(Host::Domain(name)) => {
                return if self.lists(name) { Ok(()) } else { refuse("its host is not listed") };
            }
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
        };
        match (is_public(address), self.hosts.is_empty()) {
            (true, true) => Ok(()),
            (true, false) => refuse("its host is not listed"),
            (false, _) => refuse("its address is not public"),
        }
    }

    fn lists(&self, name: &str) -> bool {
        let name = name.trim_end_matches('.');
        let matches = |pattern: &String| match pattern.strip_prefix("*.") {
            Some(domain) => {
                name.len() > domain.len() + 1
                    && name.get(name.len() - domain.len()..).is_some_and(|end| end.eq_ignore_ascii_case(domain))
                    && name.as_bytes().get(name.len() - domain.len() - 1) == Some(&b'.')
            }
            None => name.eq_ignore_ascii_case(pattern),
        };
        self.hosts.is_empty() || self.hosts.iter().any(matches)
    }
}

/// A URL as it may stand in a log: without credentials, query and fragment.
pub(crate) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    // a URL that cannot have them has none
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(hosts: &str, url: &str, refused: Option<&str>) {
        let mut reach = Reach::trusting(&"http://127.0.0.1:3141/simple/".parse().unwrap());
        reach.trusted.extend(Origin::of(&"https://index.internal/".parse().unwrap()));
        reach.hosts = hosts.split_whitespace().map(str::to_owned).collect();
        let said = reach.judge(&url.parse().unwrap()).err().map(|error| error.to_string());
        match (&said, refused) {
            (None, None) => {}
            (Some(said), Some(why)) if said.contains(why) => {}
            _ => panic!("{url}: {said:?}, expected {refused:?}"),
        }
    }

    #[test]
    fn what_may_be_fetched() {
        check("", "http://127.0.0.1:3141/x", None);
        check("", "http://127.0.0.1:3142/x", Some("not https"));
        check("", "https://127.0.0.1:3141/x", Some("not public"));
        check("", "https://index.internal/x", None);
        check("", "https://index.internal:8443/x", Some("another port"));
        check("", "https://files.example.org/x", None);
        check("", "https://[::1]/x", Some("not public"));
        check("", "https://169.254.169.254/latest", Some("not public"));
        check("", "https://0x7f000001/", Some("not public"));
        check("", "https://2130706433/", Some("not public"));
        check("", "file:///etc/passwd", Some("not https"));
        check("", "https://me:secret@example.org/", Some("credentials"));
        check("", "ftp://example.org/", Some("not https"));
    }

    #[test]
    fn a_list_of_hosts_closes_the_rest() {
        let hosts = "files.example.org *.cdn.example";
        check(hosts, "https://files.example.org/x", None);
        check(hosts, "https://FILES.example.org./x", None);
        check(hosts, "https://a.b.cdn.example/x", None);
        check(hosts, "https://cdn.example/x", Some("not listed"));
        check(hosts, "https://evilcdn.example/x", Some("not listed"));
        check(hosts, "https://1.1.1.1/x", Some("not listed"));
        check(hosts, "http://127.0.0.1:3141/x", None);
    }

    #[test]
    fn a_log_tells_no_secret() {
        assert_eq!(shown(&"https://me:pw@h.org/a?sig=1#f".parse().unwrap()), "https://h.org/a");
    }
}
