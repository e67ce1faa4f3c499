//! `opsctl token`: tokens of users, for programs.

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{ArgMatches, Args, Command, FromArgMatches, Subcommand};
use jiff::Timestamp;
use opsctl_auth::{Name, NewToken, Scope, Token};
use opsctl_config::Duration;
use serde::Serialize;

use super::accounts::{Accounts, table};
use crate::args::ConfigOptions;

/// What can be done with tokens.
#[derive(Debug, Subcommand)]
enum Verb {
    /// Make a token and print it, for the only time
    Create {
        /// Whose
        user: Name,
        /// What it allows, of what its user may: SERVICE/RESOURCE/NAME:ACTIONS, as in index/main/acme-*:read,upload; may be
        /// repeated
        #[arg(long = "scope", value_name = "SCOPE", required = true)]
        scopes: Vec<Scope>,
        /// What it is for
        #[arg(long = "for", value_name = "TEXT", default_value = "made on the command line")]
        label: String,
        /// How long it lasts, as in 90d, or never
        #[arg(long, value_name = "DURATION", default_value = "90d")]
        expires: String,
        /// Good for one request that changes something, and for nothing afterwards
        #[arg(long)]
        single_use: bool,
    },
    /// List tokens, of one user or all
    List {
        /// Whose
        user: Option<Name>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Revoke tokens; whatever uses them stops working
    Revoke {
        /// Their numbers, as `opsctl token list` shows them
        #[arg(required = true)]
        numbers: Vec<i64>,
    },
}

pub(crate) fn args(command: Command) -> Command {
    let command = Verb::augment_subcommands(command).subcommand_required(true).arg_required_else_help(true);
    ConfigOptions::augment_args(command)
}

pub(crate) fn run(matches: &ArgMatches) -> anyhow::Result<ExitCode> {
    let verb = Verb::from_arg_matches(matches)?;
    let (_, inner) = matches.subcommand().context("which verb?")?;
    let accounts = Accounts::open(inner)?;
    let Accounts { auth, by, .. } = &accounts;
    match verb {
        Verb::Create { user, scopes, label, expires, single_use } => {
            let new = NewToken { label, scopes, expires: expiry(&expires, by.now())?, single_use };
            let (_, text) = accounts.run(auth.create_token(by, &user, &new))?;
            writeln!(std::io::stdout().lock(), "{}", text.expose())?;
        }
        Verb::List { user, json } => list(&accounts, user.as_ref(), json)?,
        Verb::Revoke { numbers } => {
            let mut missing = Vec::new();
            for number in numbers {
                if !accounts.run(auth.revoke_token(by, None, number))? {
                    missing.push(number.to_string());
                }
            }
            if !missing.is_empty() {
                bail!("there is no token {}", missing.join(", "));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn expiry(text: &str, now: Timestamp) -> anyhow::Result<Option<Timestamp>> {
    if text == "never" {
        return Ok(None);
    }
    let span: Duration = text.parse()?;
    Ok(Some(now.checked_add(span.get()).context("the token would outlast time")?))
}

/// One of a list, for programs.
#[derive(Serialize)]
struct Listed {
    number: i64,
    user: String,
    label: String,
    scopes: Vec<String>,
    state: &'static str,
    created: String,
    expires: Option<String>,
    used: Option<String>,
}

impl Listed {
    fn new(token: &Token, now: Timestamp) -> Self {
        let state = match (token.spent.is_some(), token.is_live(now), token.single_use) {
            (true, ..) => "used up",
            (_, false, _) => "expired",
            (_, _, true) => "single use",
            _ => "live",
        };
        Self {
            number: token.id,
            user: token.owner.to_string(),
            label: token.label.clone(),
            scopes: token.scopes.iter().map(ToString::to_string).collect(),
            state,
            created: token.created.to_string(),
            expires: token.expires.map(|expires| expires.to_string()),
            used: token.used.map(|used| used.to_string()),
        }
    }
}

fn list(accounts: &Accounts, user: Option<&Name>, json: bool) -> anyhow::Result<()> {
    let now = accounts.by.now();
    let tokens: Vec<_> = accounts.run(accounts.auth.tokens(user))?.iter().map(|t| Listed::new(t, now)).collect();
    let mut out = std::io::stdout().lock();
    if json {
        return table::json(&mut out, &tokens);
    }
    let day = |time: &Option<String>| time.as_deref().map_or("never", |time| time.get(..10).unwrap_or(time)).to_owned();
    let rows = tokens.iter().map(|token| {
        let Listed { number, user, label, scopes, state, expires, used, .. } = token;
        let (number, scopes) = (number.to_string(), scopes.join(" "));
        [number, user.clone(), (*state).to_owned(), day(expires), day(used), scopes, label.clone()]
    });
    let head = ["number", "user", "state", "expires", "used", "allows", "for"];
    Ok(table::print(&mut out, head, &rows.collect::<Vec<_>>())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expiries() {
        let now: Timestamp = "2026-08-01T12:00:00Z".parse().unwrap();
        let check = |text: &str, expected: Option<&str>| {
            let found = expiry(text, now).unwrap().map(|time| time.to_string());
            assert_eq!(found.as_deref(), expected, "{text}");
        };
        check("never", None);
        check("1d", Some("2026-08-02T12:00:00Z"));
        check("90m", Some("2026-08-01T13:30:00Z"));
        for text in ["", "soon", "90", "1000000000d"] {
            assert!(expiry(text, now).is_err(), "{text}");
        }
    }
}
