//! What a query answers: a pure function of the query, the users and the policy.
//!
//! The bytes it makes are ready to be sent (printable ASCII, lines end with CR LF). It reads no file and opens no
//! connection: where one of these is needed, the answer says so.

use crate::audit::Outcome;
use crate::policy::{Field, Policy, Refusal};
use crate::query::{Malformed, Query};
use crate::remote::Remote;
use crate::text::push_line;
use crate::users::Users;

/// The tutorial's words, at every door.
pub(crate) const NO_SUCH_USER: &str = "No such user";

/// What is to be done for one query.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer<'p> {
    /// Send this.
    Text(Outcome, Vec<u8>),
    /// Send this with the plan of `user` put in at `at`.
    Plan { text: Vec<u8>, at: usize, user: String },
    /// Ask another server, and pass on what it says.
    Forward(&'p Remote, Query),
}

/// The answer to a parsed line.
pub(crate) fn answer<'p>(query: Result<Query, Malformed>, policy: &'p Policy, users: &Users) -> Answer<'p> {
    let query = match query {
        Ok(query) => query,
        Err(malformed) => return line(Outcome::Malformed, &format!("malformed query: {malformed}")),
    };
    if !query.hosts.is_empty() {
        return match policy.next_hop(query) {
            Ok((remote, query)) => Answer::Forward(remote, query),
            Err(refusal) => refused(refusal),
        };
    }
    let Query { verbose, user, hosts: _ } = query;
    match user {
        None => list(verbose, policy, users),
        Some(user) => match users.get(&user) {
            None => line(Outcome::Unknown, NO_SUCH_USER),
            Some(status) if verbose => detail(user, status, &policy.detail),
            Some(status) => line(Outcome::Answered, status),
        },
    }
}

fn line(outcome: Outcome, text: &str) -> Answer<'static> {
    let mut out = Vec::with_capacity(text.len() + 2);
    push_line(&mut out, text);
    Answer::Text(outcome, out)
}

fn refused(refusal: Refusal) -> Answer<'static> {
    line(Outcome::Refused, &refusal.to_string())
}

/// Names, one a line; with `/W` the status too, where that may be disclosed.
fn list(verbose: bool, policy: &Policy, users: &Users) -> Answer<'static> {
    let entries = match policy.list(users) {
        Ok(entries) => entries,
        Err(refusal) => return refused(refusal),
    };
    let verbose = verbose && policy.detail.contains(&Field::Status);
    let mut out = Vec::new();
    for (name, status) in entries {
        if verbose { push_line(&mut out, &format!("{name}: {status}")) } else { push_line(&mut out, name) }
    }
    if out.is_empty() { line(Outcome::Answered, "No users") } else { Answer::Text(Outcome::Answered, out) }
}

/// One user with `/W`. With every field closed that is no more than a plain query tells.
fn detail(user: String, status: &str, fields: &[Field]) -> Answer<'static> {
    let mut text = Vec::new();
    let mut plan = None;
    for field in fields {
        match field {
            Field::Name => push_line(&mut text, &format!("Login: {user}")),
            Field::Status => push_line(&mut text, &format!("Status: {status}")),
            Field::Plan => plan = Some(text.len()),
        }
    }
    match plan {
        _ if fields.is_empty() => line(Outcome::Answered, status),
        None => Answer::Text(Outcome::Answered, text),
        Some(at) => Answer::Plan { text, at, user },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const USERS: &str = "moshez: happy and well\nshawn: caf\u{e9}\nglyph:\n";

    fn policy() -> Policy {
        let detail = vec![Field::Name, Field::Status];
        Policy { list: true, detail, forward: vec!["h1".parse().unwrap()], hops: 2 }
    }

    fn check_with(policy: &Policy, query: &str, said: &str) {
        let users = Users::parse("users", USERS.as_bytes()).unwrap();
        let seen = match answer(Query::parse(query.as_bytes()), policy, &users) {
            Answer::Text(outcome, text) => format!("{outcome:?} {}", String::from_utf8(text).unwrap()),
            Answer::Plan { text, at, user } => format!("Plan {user} {at} {}", String::from_utf8(text).unwrap()),
            Answer::Forward(remote, query) => format!("Forward {remote} {query}"),
        };
        assert_eq!(seen, said, "{query}");
    }

    #[test]
    fn answers() {
        let check = |query, said| check_with(&policy(), query, said);
        check("moshez", "Answered happy and well\r\n");
        check("shawn", "Answered caf?\r\n");
        check("glyph", "Answered \r\n");
        check("/W moshez", "Answered Login: moshez\r\nStatus: happy and well\r\n");
        check("", "Answered moshez\r\nshawn\r\nglyph\r\n");
        check("/W", "Answered moshez: happy and well\r\nshawn: caf?\r\nglyph: \r\n");
        check("nobody", "Unknown No such user\r\n");
        check("a@", "Malformed malformed query: `@` without a host name\r\n");
        check("/W a@h1", "Forward h1 /W a");
        check("a@h2", "Refused Finger forwarding service denied\r\n");
    }

    #[test]
    fn what_is_closed_is_not_told() {
        let check = |query, said| check_with(&Policy::default(), query, said);
        check("", "Refused Finger online user list denied\r\n");
        check("/W", "Refused Finger online user list denied\r\n");
        check("/W moshez", "Answered happy and well\r\n");
        check("a@h1", "Refused Finger forwarding service denied\r\n");
        let names = Policy { list: true, ..Policy::default() };
        check_with(&names, "/W", "Answered moshez\r\nshawn\r\nglyph\r\n");
        let plan = Policy { detail: vec![Field::Name, Field::Plan, Field::Status], ..Policy::default() };
        check_with(&plan, "/W moshez", "Plan moshez 15 Login: moshez\r\nStatus: happy and well\r\n");
    }

    #[test]
    fn a_long_list_is_refused() {
        let file: String = (0..=crate::policy::LIST_MAX).map(|n| format!("user{n}:\n")).collect();
        let users = Users::parse("users", file.as_bytes()).unwrap();
        let Answer::Text(Outcome::Refused, text) = answer(Query::parse(b""), &policy(), &users) else { panic!() };
        assert_eq!(text, b"Finger online user list denied: more than 10000 users\r\n");
    }

    proptest! {
        #[test]
        fn every_answer_is_printable_lines(query in any::<Vec<u8>>(), status in "[^\n]{0,20}") {
            let file = format!("moshez: {status}\n");
            if let Ok(users) = Users::parse("users", file.as_bytes()) {
                for query in [&query[..], b"moshez", b"/W moshez", b"/W"] {
                    if let Answer::Text(_, text) = answer(Query::parse(query), &policy(), &users) {
                        prop_assert!(text.ends_with(b"\r\n"));
                        let text = String::from_utf8(text).unwrap().replace("\r\n", "\t");
                        prop_assert!(text.bytes().all(|b| b == b'\t' || (32..=126).contains(&b)));
                    }
                }
            }
        }
    }
}
