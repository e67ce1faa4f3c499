//! `opsctl user`: users, their passwords, roles and invitations.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{ArgMatches, Args, Command, FromArgMatches, Subcommand, ValueHint};
use opsctl_auth::{Grant, InviteText, Name, NewUser, Place, User};
use serde::Serialize;

use super::accounts::{Accounts, password, table};
use crate::args::ConfigOptions;

/// What can be done with users.
#[derive(Debug, Subcommand)]
enum Verb {
    /// Add a user
    Add {
        /// Letters, digits and ._-+@
        name: Name,
        #[command(flatten)]
        rights: Rights,
        #[command(flatten)]
        password: PasswordFile,
        /// Without a password: the user has tokens only, or gets an invitation
        #[arg(long, conflicts_with = "password_file")]
        no_password: bool,
    },
    /// List users
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Set a user's password; ends all sessions of theirs
    Passwd {
        /// Whose
        name: Name,
        #[command(flatten)]
        password: PasswordFile,
        /// Take the password away
        #[arg(long, conflicts_with = "password_file")]
        remove: bool,
    },
    /// Lock a user out, with all sessions and tokens
    Disable {
        /// Whom
        name: Name,
    },
    /// Let a user in again
    Enable {
        /// Whom
        name: Name,
    },
    /// Show, give or take away what a user may do
    Role {
        /// Whose
        name: Name,
        #[command(flatten)]
        rights: Rights,
        /// Take away the role at a place: SERVICE/RESOURCE/NAME
        #[arg(long, value_name = "PLACE")]
        take: Vec<Place>,
        /// No administrator any more
        #[arg(long, conflicts_with = "admin")]
        no_admin: bool,
    },
    /// Print a link by which a user sets a password, once; adds the user if need be
    ///
    /// Without a name: the link by which the first administrator is made, as the first start prints it.
    Invite {
        /// Whom
        name: Option<Name>,
        #[command(flatten)]
        rights: Rights,
    },
    /// Remove a user, with all tokens
    Remove {
        /// Whom
        name: Name,
    },
}

/// What a user may do.
#[derive(Debug, Args)]
struct Rights {
    /// A role, everywhere or at a place: reader, publisher or admin, as in publisher@index/main; may be repeated
    #[arg(long = "role", value_name = "ROLE[@PLACE]")]
    roles: Vec<Grant>,
    /// Administrator of everything
    #[arg(long)]
    admin: bool,
}

/// Where the password comes from.
#[derive(Debug, Args)]
struct PasswordFile {
    /// File whose first line is the password, `-` for standard input [default: asks on the terminal]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    password_file: Option<PathBuf>,
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
        Verb::Add { name, rights: Rights { roles, admin }, password: PasswordFile { password_file }, no_password } => {
            let password = match no_password {
                true => None,
                false => Some(password::new(password_file.as_deref(), name.as_str())?),
            };
            accounts.run(auth.add_user(by, NewUser { name, password, administrator: admin, grants: roles }))?;
        }
        Verb::List { json } => list(&accounts, json)?,
        Verb::Passwd { name, password: PasswordFile { password_file }, remove } => {
            // said before somebody thinks of a password
            existing(&accounts, &name)?;
            let password = match remove {
                true => None,
                false => Some(password::new(password_file.as_deref(), name.as_str())?),
            };
            accounts.run(auth.set_password(by, &name, password.as_deref()))?;
        }
        Verb::Disable { name } => accounts.run(auth.set_disabled(by, &name, true))?,
        Verb::Enable { name } => accounts.run(auth.set_disabled(by, &name, false))?,
        Verb::Role { name, rights, take, no_admin } => role(&accounts, &name, &rights, &take, no_admin)?,
        Verb::Invite { name, rights } => invite(&accounts, name, rights)?,
        Verb::Remove { name } => accounts.run(auth.remove_user(by, &name))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// One of a list, for programs.
#[derive(Serialize)]
struct Listed {
    name: String,
    administrator: bool,
    disabled: bool,
    has_password: bool,
    roles: Vec<String>,
    created: String,
    last_login: Option<String>,
}

impl From<&User> for Listed {
    fn from(user: &User) -> Self {
        Self {
            name: user.name.to_string(),
            administrator: user.administrator,
            disabled: user.disabled.is_some(),
            has_password: user.has_password,
            roles: user.grants.iter().map(ToString::to_string).collect(),
            created: user.created.to_string(),
            last_login: user.seen.map(|seen| seen.to_string()),
        }
    }
}

impl Listed {
    fn state(&self) -> &'static str {
        match (self.disabled, self.administrator, self.has_password) {
            (true, ..) => "disabled",
            (_, true, _) => "administrator",
            (_, _, false) => "no password",
            _ => "user",
        }
    }
}

fn list(accounts: &Accounts, json: bool) -> anyhow::Result<()> {
    let mut users: Vec<Listed> = Vec::new();
    let mut last: Option<Name> = None;
    loop {
        let page = accounts.run(accounts.auth.users(last.as_ref()))?;
        let Some(end) = page.last() else { break };
        last = Some(end.name.clone());
        for user in &page {
            // only one by one are they read with their roles
            let user = accounts.run(accounts.auth.user(&user.name))?;
            users.extend(user.iter().map(Listed::from));
        }
    }
    let mut out = std::io::stdout().lock();
    if json {
        return table::json(&mut out, &users);
    }
    let rows = users.iter().map(|user| {
        let seen = user.last_login.as_deref().map_or("never", |seen| seen.get(..10).unwrap_or(seen));
        [user.name.clone(), user.state().to_owned(), seen.to_owned(), user.roles.join(" ")]
    });
    Ok(table::print(&mut out, ["name", "state", "last login", "roles"], &rows.collect::<Vec<_>>())?)
}

fn existing(accounts: &Accounts, name: &Name) -> anyhow::Result<User> {
    accounts.run(accounts.auth.user(name))?.with_context(|| format!("there is no user `{name}`"))
}

fn role(accounts: &Accounts, name: &Name, rights: &Rights, take: &[Place], no_admin: bool) -> anyhow::Result<()> {
    let Accounts { auth, by, .. } = accounts;
    for place in take {
        accounts.run(auth.revoke(by, name, place))?;
    }
    give(accounts, name, rights)?;
    if no_admin {
        accounts.run(auth.set_administrator(by, name, false))?;
    }
    let user = existing(accounts, name)?;
    let mut out = std::io::stdout().lock();
    if user.administrator {
        writeln!(out, "administrator")?;
    }
    user.grants.iter().try_for_each(|grant| writeln!(out, "{grant}"))?;
    Ok(())
}

fn give(accounts: &Accounts, name: &Name, Rights { roles, admin }: &Rights) -> anyhow::Result<()> {
    let Accounts { auth, by, .. } = accounts;
    for grant in roles {
        accounts.run(auth.grant(by, name, grant))?;
    }
    if *admin {
        accounts.run(auth.set_administrator(by, name, true))?;
    }
    Ok(())
}

fn invite(accounts: &Accounts, name: Option<Name>, rights: Rights) -> anyhow::Result<()> {
    let Accounts { auth, by, .. } = accounts;
    let text = match name {
        None => match accounts.run(auth.invite_first(by))? {
            Some(text) => text,
            None => bail!("there are users already: name one to invite"),
        },
        Some(name) => {
            if accounts.run(auth.user(&name))?.is_none() {
                let Rights { roles, admin } = rights;
                let new = NewUser { administrator: admin, grants: roles, ..NewUser::new(name.clone()) };
                accounts.run(auth.add_user(by, new))?;
            } else {
                give(accounts, &name, &rights)?;
            }
            accounts.run(auth.invite(by, &name))?
        }
    };
    show_link(accounts, &text)
}

fn show_link(accounts: &Accounts, text: &InviteText) -> anyhow::Result<()> {
    let auth = &accounts.auth;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", auth.link(text))?;
    if auth.settings().url.is_none() {
        eprintln!("open this path on any service's pages (`auth.url` says where they are)");
    }
    Ok(())
}
