//! The table `[auth.oidc]`.

use std::collections::BTreeMap;

use opsctl_config::{ConfigPath, Many, Secret};
use opsctl_fetch::Url;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::rights::{Grant, RightsError};

/// The group that everybody is in whom the provider knows.
const EVERYBODY: &str = "*";
/// The role of who may do everything, which is a place of its own.
const ADMINISTRATOR: &str = "administrator";

/// A provider by which people can log in.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OidcSettings {
    /// Its address, as it writes it itself.
    pub issuer: String,
    /// What this program is called there.
    pub client_id: String,
    /// What it shows to the provider.
    pub client_secret: Option<Secret>,
    /// The file that holds it.
    pub client_secret_file: Option<ConfigPath>,
    /// What the button says.
    pub label: Option<String>,
    /// What is asked for besides `openid`.
    #[serde(default = "scopes")]
    pub scopes: Many<String>,
    /// The claim that a new user is named after.
    #[serde(default = "name")]
    pub name: String,
    /// Domains of verified addresses that are let in; any if there is none.
    #[serde(default)]
    pub domains: Vec<String>,
    /// The claim that tells groups.
    #[serde(default = "groups")]
    pub groups: String,
    /// What the members of a group may do; `*` is everybody. With it, who is in none of them is not let in.
    #[serde(default)]
    pub roles: BTreeMap<String, Many<String>>,
    /// Certificate authorities to believe besides the system's.
    pub authorities: Option<ConfigPath>,
}

fn scopes() -> Many<String> {
    Many(vec!["email".to_owned(), "profile".to_owned()])
}

fn name() -> String {
    "preferred_username".to_owned()
}

fn groups() -> String {
    "groups".to_owned()
}

/// What somebody may do.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Roles {
    pub(crate) administrator: bool,
    /// By place, one each.
    pub(crate) grants: Vec<Grant>,
}

impl OidcSettings {
    /// The provider's address.
    pub(crate) fn url(&self) -> Option<Url> {
        Url::parse(&self.issuer).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
    }

    /// What a member of these groups may do; None: nothing is known of them, and they are not let in.
    ///
    /// # Errors
    /// What stands in the configuration is no role.
    pub(crate) fn roles_of(&self, groups: &[&str]) -> Result<Option<Roles>, RightsError> {
        let mine = |group: &&String| *group == EVERYBODY || groups.contains(&group.as_str());
        let words: Vec<_> = self.roles.iter().filter(|(group, _)| mine(group)).collect();
        if words.is_empty() && !self.roles.is_empty() {
            return Ok(None);
        }
        let mut administrator = false;
        let mut grants: BTreeMap<String, Grant> = BTreeMap::new();
        for word in words.iter().flat_map(|(_, words)| &words.0) {
            if word == ADMINISTRATOR {
                administrator = true;
                continue;
            }
            let grant: Grant = word.parse()?;
            // of two roles at one place the greater one counts
            let known = grants.entry(grant.place.to_string()).or_insert_with(|| grant.clone());
            if rank(&grant) > rank(known) {
                *known = grant;
            }
        }
        Ok(Some(Roles { administrator, grants: grants.into_values().collect() }))
    }
}

fn rank(grant: &Grant) -> usize {
    crate::rights::Role::ALL.iter().position(|role| *role == grant.role).unwrap_or_default()
}
