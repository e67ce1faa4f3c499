//! The finger query: one line of bytes to a typed [`Query`], and back (RFC 1288 section 2.3).
//!
//! ```text
//! {Q1} ::= [{W}|{W}{S}{U}]{C}         {U} username      {W} ::= /W
//! {Q2} ::= [{W}{S}][{U}]{H}{C}        {H} ::= @hostname | @hostname{H}
//! ```
//! A bit more is accepted than is specified, because clients send it: `/w`, spaces around, `/W ` before nothing (Debian's
//! `finger -l @host`), `/W@host`. Line ends are the reader's matter. What is parsed holds no control character, no
//! empty name and no malformed host: nobody after this module needs to look again.

use std::fmt;

use crate::text::decode;

/// Longest query in bytes, without its line end. The RFC names no limit; a name and a few hosts need far less.
pub(crate) const LINE_MAX: usize = 1024;

/// Longest host name: RFC 1035 section 2.3.4.
const HOST_MAX: usize = 253;

/// What somebody asks. `Display` prints the one canonical form, without line end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Query {
    /// `/W`: more detail, please.
    pub(crate) verbose: bool,
    /// Nobody: the list of users.
    pub(crate) user: Option<String>,
    /// As written: the right-most one is the next to be asked. None: the question is for us.
    pub(crate) hosts: Vec<String>,
}

/// Why a line is no query; the text is meant for the client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    #[error("a query has at most {LINE_MAX} bytes")]
    TooLong,
    #[error("control character in the query")]
    Control,
    #[error("`@` without a host name")]
    NoHost,
    #[error("`{0}` is no host name")]
    BadHost(String),
}

impl Query {
    /// Reads one line, its line end taken off.
    pub(crate) fn parse(line: &[u8]) -> Result<Query, Malformed> {
        if line.len() > LINE_MAX {
            return Err(Malformed::TooLong);
        }
        let line = decode(line);
        if line.chars().any(|c| c.is_control() && c != '\t') {
            return Err(Malformed::Control);
        }
        let (verbose, rest) = switch(line.trim());
        let (user, hosts) = match rest.split_once('@') {
            None => (rest, Vec::new()),
            Some((user, hosts)) => (user.trim(), hosts.split('@').map(host).collect::<Result<_, _>>()?),
        };
        Ok(Query { verbose, user: (!user.is_empty()).then(|| user.to_owned()), hosts })
    }
}

/// Takes a leading `/W` off: it ends at a space, an `@` or the line's end, so `/Wanda` is a name.
fn switch(line: &str) -> (bool, &str) {
    match line.strip_prefix("/W").or_else(|| line.strip_prefix("/w")) {
        Some(rest) if rest.is_empty() || rest.starts_with('@') || rest.starts_with(char::is_whitespace) => {
            (true, rest.trim_start())
        }
        _ => (false, line),
    }
}

/// A name, an IPv4 address or an IPv6 address in brackets.
pub(crate) fn host(text: &str) -> Result<String, Malformed> {
    let text = text.trim();
    let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let bare = match text.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')) {
        Some(inner) => inner.parse::<std::net::Ipv6Addr>().is_ok(),
        None => text.len() <= HOST_MAX && !text.starts_with(['.', '-']) && text.chars().all(named),
    };
    match (text.is_empty(), bare) {
        (true, _) => Err(Malformed::NoHost),
        (false, true) => Ok(text.to_owned()),
        (false, false) => Err(Malformed::BadHost(text.to_owned())),
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Query { verbose, user, hosts } = self;
        let user = user.as_deref().unwrap_or_default();
        f.write_str(match (verbose, user.is_empty() && hosts.is_empty()) {
            (false, _) => "",
            (true, true) => "/W",
            (true, false) => "/W ",
        })?;
        f.write_str(user)?;
        hosts.iter().try_for_each(|host| write!(f, "@{host}"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `said` is the parsed query as `verbose user hosts`, or the reason against it.
    fn check(line: &[u8], said: &str) {
        let seen = match Query::parse(line) {
            Ok(Query { verbose, user, hosts }) => format!("{verbose} {user:?} {hosts:?}"),
            Err(malformed) => malformed.to_string(),
        };
        assert_eq!(seen, said, "{:?}", line.escape_ascii().to_string());
    }

    #[test]
    fn the_grammar() {
        check(b"", "false None []");
        check(b"/W", "true None []");
        check(b"moshez", r#"false Some("moshez") []"#);
        check(b"/W moshez", r#"true Some("moshez") []"#);
        check(b"/W   moshez", r#"true Some("moshez") []"#);
        check(b"@h1", r#"false None ["h1"]"#);
        check(b"moshez@h1", r#"false Some("moshez") ["h1"]"#);
        check(b"/W moshez@h1.example.org@h2", r#"true Some("moshez") ["h1.example.org", "h2"]"#);
        check(b"/W @h1", r#"true None ["h1"]"#);
        check(b"a@127.0.0.1@[::1]", r#"false Some("a") ["127.0.0.1", "[::1]"]"#);
    }

    #[test]
    fn what_clients_send_besides() {
        check(b"/W ", "true None []");
        check(b"/w moshez", r#"true Some("moshez") []"#);
        check(b"  moshez \t", r#"false Some("moshez") []"#);
        check(b"/W@h1", r#"true None ["h1"]"#);
        check(b"/Wanda", r#"false Some("/Wanda") []"#);
        check(b"moshe zadka @ h1", r#"false Some("moshe zadka") ["h1"]"#);
        check(b"Andr\xe9", r#"false Some("André") []"#);
        check("André".as_bytes(), r#"false Some("André") []"#);
    }

    #[test]
    fn what_is_refused() {
        check(b"moshez\0", "control character in the query");
        check(b"\x1b[2Jmoshez", "control character in the query");
        check(b"moshez\rshawn", "control character in the query");
        check(b"moshez@", "`@` without a host name");
        check(b"moshez@@h1", "`@` without a host name");
        check(b"moshez@h 1", "`h 1` is no host name");
        check(b"moshez@[::1", "`[::1` is no host name");
        check(b"moshez@-oProxyCommand=x", "`-oProxyCommand=x` is no host name");
        check(&[b'x'; LINE_MAX + 1], "a query has at most 1024 bytes");
        check(&[b"x@".as_slice(), &[b'h'; HOST_MAX + 1]].concat(), &format!("`{}` is no host name", "h".repeat(254)));
    }

    fn query() -> impl Strategy<Value = Query> {
        let user = proptest::option::of("[a-z0-9_.é+-]{1,8}( [a-z]{1,5})?");
        let hosts = proptest::collection::vec(r"[a-z0-9][a-zA-Z0-9_.-]{0,10}|\[::1\]", 0..4);
        (any::<bool>(), user, hosts).prop_map(|(verbose, user, hosts)| Query { verbose, user, hosts })
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(query in query()) {
            prop_assert_eq!(Query::parse(query.to_string().as_bytes()), Ok(query));
        }

        #[test]
        fn any_line_is_refused_or_has_one_canonical_form(line in prop_oneof![
            any::<Vec<u8>>(),
            "[ -~]{0,40}".prop_map(String::into_bytes),
            "(/[Ww])?[ \t]{0,2}[a/W ]{0,4}(@[a.:\\[\\]-]{0,3}){0,3}".prop_map(String::into_bytes),
        ]) {
            if let Ok(query) = Query::parse(&line) {
                let again = Query::parse(query.to_string().as_bytes());
                prop_assert_eq!(again, Ok(query));
            }
        }
    }
}
