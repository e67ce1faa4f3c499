//! What the configuration says of accounts: profiles and bounds.

use std::collections::BTreeMap;

use crate::config::{AccountConfig, Config};
use crate::error::Error;
use crate::ingest::Wishes;
use crate::profile::{Output, Profile, Profiles};

/// All of them.
#[derive(Debug)]
pub(crate) struct Accounts {
    profiles: Profiles,
    profile: String,
    quota: u64,
    max_upload: u64,
    accounts: BTreeMap<String, AccountConfig>,
}

impl Accounts {
    /// # Errors
    /// A profile is not there.
    pub(crate) fn new(config: &Config) -> anyhow::Result<Accounts> {
        Ok(Accounts {
            profiles: config.all_profiles()?,
            profile: config.profile.clone(),
            quota: config.quota.bytes(),
            max_upload: config.max_upload.bytes(),
            accounts: config.accounts.clone(),
        })
    }

    /// Names of profiles.
    pub(crate) fn profiles(&self) -> impl Iterator<Item = &str> {
        self.profiles.keys().map(String::as_str)
    }

    /// Profiles by name.
    pub(crate) fn all(&self) -> &Profiles {
        &self.profiles
    }

    /// The one that an account's uploads get that say nothing else.
    pub(crate) fn profile_of(&self, account: &str) -> &str {
        self.accounts.get(account).and_then(|account| account.profile.as_deref()).unwrap_or(&self.profile)
    }

    /// Whether what an account publishes is shown at signed addresses only.
    pub(crate) fn is_signed(&self, account: &str) -> bool {
        self.accounts.get(account).is_some_and(|account| account.signed)
    }

    /// Bytes of an upload.
    pub(crate) fn max_upload(&self) -> u64 {
        self.max_upload
    }

    /// Bytes that an account may keep, if there is a bound.
    pub(crate) fn quota(&self, account: &str) -> Option<u64> {
        let own = self.accounts.get(account).and_then(|account| account.quota);
        Some(own.map_or(self.quota, opsctl_config::Size::bytes)).filter(|quota| *quota > 0)
    }

    /// What is to be made of an upload: a profile's name, and the profile as JSON.
    ///
    /// # Errors
    /// There is no such profile.
    pub(crate) fn order(&self, account: &str, wishes: &Wishes) -> Result<(String, String), Error> {
        let name = wishes.profile.as_deref().unwrap_or(self.profile_of(account));
        let Some(profile) = self.profiles.get(name) else {
            let there = self.profiles().collect::<Vec<_>>().join(", ");
            return Err(Error::NoProfile { name: name.chars().take(80).collect(), there });
        };
        let profile = wishes.size.map_or_else(|| profile.clone(), |size| bounded(profile.clone(), size));
        let body = serde_json::to_string(&profile).map_err(|error| Error::Io(error.into()))?;
        Ok((name.to_owned(), body))
    }
}

/// A profile with no video that is larger.
fn bounded(mut profile: Profile, size: u32) -> Profile {
    for output in profile.output.values_mut() {
        match output {
            Output::Mp4(rendition) => rendition.short_side = rendition.short_side.min(size),
            Output::Flv(flv) => flv.short_side = flv.short_side.min(size),
            Output::Poster(picture) => picture.short_side = picture.short_side.min(size),
            Output::M4a { .. } | Output::Hls { .. } | Output::Thumbs { .. } | Output::Storyboard { .. } => {}
        }
    }
    profile
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::config;

    #[test]
    fn accounts_have_their_own() {
        let set = "quota=1KiB\naccounts.acme.quota=2KiB\naccounts.acme.profile=plain";
        let accounts = Accounts::new(&config(set).unwrap()).unwrap();
        assert_eq!((accounts.quota("acme"), accounts.quota("other")), (Some(2048), Some(1024)));
        assert_eq!((accounts.profile_of("acme"), accounts.profile_of("other")), ("plain", "web"));
        assert_eq!(Accounts::new(&config("").unwrap()).unwrap().quota("acme"), None);
    }

    #[test]
    fn orders() {
        let accounts = Accounts::new(&config("").unwrap()).unwrap();
        let order = |wishes: &Wishes| accounts.order("acme", wishes);
        assert_eq!(order(&Wishes::default()).unwrap().0, "web");
        let (_, body) = order(&Wishes { size: Some(240), ..Wishes::default() }).unwrap();
        let profile: Profile = serde_json::from_str(&body).unwrap();
        assert!(matches!(&profile.output["h264"], Output::Mp4(rendition) if rendition.short_side == 240));
        assert!(matches!(&profile.output["flv"], Output::Flv(flv) if flv.short_side == 240));
        let error = order(&Wishes { profile: Some("nothing".into()), ..Wishes::default() }).unwrap_err();
        assert_eq!(error.to_string(), "there is no profile `nothing`; there are plain, web");
    }
}
