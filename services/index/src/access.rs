//! Who may do what: the one place that every request goes through before anything is done for it.
//!
//! It asks the user base about objects of the service `index`: the resource is the index that the address names, also
//! for what it has from its bases; the name is the project, normalised, and empty for what shows all of them. The right to
//! all projects of an index is asked for first, so that reading where everybody may costs one comparison.

use opsctl_auth::{Action, Identity, Object, Refusal};
use opsctl_http::HttpError;

/// The service, in objects.
const SERVICE: &str = "index";

/// What is allowed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Access {
    /// Whether those who have not said who they are get anything at all.
    anonymous: bool,
}

impl Access {
    /// With `anonymous`, what the user base says of everybody holds for those as well who have not said who they are.
    pub(crate) fn new(anonymous: bool) -> Access {
        Access { anonymous }
    }

    /// Whether they may do `action` to a project of `index`; to all of it if `project` is empty.
    ///
    /// # Errors
    /// 401 if nobody has said who it is, 403 if that makes no difference.
    pub(crate) fn check(
        self,
        identity: &Identity,
        action: Action,
        index: &str,
        project: &str,
    ) -> Result<(), HttpError> {
        self.admits(identity)?;
        Ok(identity.check(action, Object::new(SERVICE, index, project))?)
    }

    /// Whether there can be a project of `index` to which they may do `action`: before it is known which it is.
    ///
    /// # Errors
    /// Those of [`Self::check`].
    pub(crate) fn check_somewhere(self, identity: &Identity, action: Action, index: &str) -> Result<(), HttpError> {
        self.admits(identity)?;
        match identity.may_somewhere(action, SERVICE, index) {
            true => Ok(()),
            false if identity.is_anonymous() => Err(Refusal::Unknown.into()),
            false => Err(Refusal::Forbidden.into()),
        }
    }

    /// One who may read something in `index`.
    ///
    /// # Errors
    /// Those of [`Self::check`].
    pub(crate) fn reader<'a>(self, identity: &'a Identity, index: &'a str) -> Result<Reader<'a>, HttpError> {
        self.admits(identity)?;
        let everything = identity.may(Action::Read, Object::new(SERVICE, index, ""));
        if !everything {
            self.check_somewhere(identity, Action::Read, index)?;
        }
        Ok(Reader { identity, index, everything })
    }

    fn admits(self, identity: &Identity) -> Result<(), Refusal> {
        if self.anonymous || !identity.is_anonymous() { Ok(()) } else { Err(Refusal::Unknown) }
    }
}

/// One who may read something in an index.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    identity: &'a Identity,
    index: &'a str,
    everything: bool,
}

impl Reader<'_> {
    /// Whether there is nothing in the index that they may not read.
    pub(crate) fn reads_everything(self) -> bool {
        self.everything
    }

    /// Whether they may read a project.
    pub(crate) fn may(self, project: &str) -> bool {
        self.everything || self.identity.may(Action::Read, Object::new(SERVICE, self.index, project))
    }

    /// [`Self::may`], with the refusal.
    ///
    /// # Errors
    /// Those of [`Access::check`].
    pub(crate) fn check(self, project: &str) -> Result<(), HttpError> {
        match self.everything {
            true => Ok(()),
            false => Ok(self.identity.check(Action::Read, Object::new(SERVICE, self.index, project))?),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use opsctl_auth::{Scope, Via};

    use super::*;

    fn scopes(texts: &[&str]) -> Vec<Scope> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    /// A publisher of everything by a token with these `scopes`; nobody in particular without any.
    fn identity(everybody: &[&str], token: &[&str]) -> Identity {
        let everybody: Arc<[Scope]> = scopes(everybody).into();
        if token.is_empty() {
            return Identity::anonymous(everybody);
        }
        let grants = vec!["publisher@index".parse().unwrap()];
        Identity::user("ci".parse().unwrap(), Via::Token(1), false, grants, everybody).limited_to(scopes(token))
    }

    const OPEN: &[&str] = &["*:read"];

    /// Of doing `action` to the project `demo` of `main`: what is said before the project is known, and after.
    #[track_caller]
    fn check(anonymous: bool, who: &Identity, action: Action, expected: [Option<u16>; 2]) {
        let access = Access::new(anonymous);
        let status = |outcome: Result<(), HttpError>| outcome.err().map(|error| error.status().as_u16());
        let before = status(access.check_somewhere(who, action, "main"));
        let after = status(access.check(who, action, "main", "demo"));
        assert_eq!([before, after], expected, "{who:?} {action}");
        if action == Action::Read {
            let reader = access.reader(who, "main").map(|reader| (reader.may("demo"), reader.check("demo").is_ok()));
            assert_eq!(reader.as_ref().err().map(|error| error.status().as_u16()), before);
            if let Ok(may) = reader {
                assert_eq!(may, (after.is_none(), after.is_none()));
            }
        }
    }

    #[test]
    fn who_has_not_said_who_it_is() {
        check(true, &identity(OPEN, &[]), Action::Read, [None, None]);
        check(true, &identity(OPEN, &[]), Action::Upload, [Some(401), Some(401)]);
        check(true, &identity(&["index/dev:read"], &[]), Action::Read, [Some(401), Some(401)]);
        check(true, &identity(&["index/main/acme-*:read"], &[]), Action::Read, [None, Some(401)]);
        check(true, &identity(&["index/main:upload"], &[]), Action::Upload, [None, None]);
        check(false, &identity(OPEN, &[]), Action::Read, [Some(401), Some(401)]);
        check(false, &identity(&["index/main:upload"], &[]), Action::Upload, [Some(401), Some(401)]);
    }

    #[test]
    fn who_has() {
        check(false, &identity(OPEN, &["index:upload"]), Action::Read, [None, None]);
        check(false, &identity(&[], &["index:upload"]), Action::Read, [Some(403), Some(403)]);
        check(false, &identity(&[], &["index/main/demo:read"]), Action::Read, [None, None]);
        check(false, &identity(&[], &["index/main/acme-*:read"]), Action::Read, [None, Some(403)]);
        check(true, &identity(OPEN, &["index/main/demo:upload"]), Action::Upload, [None, None]);
        check(true, &identity(OPEN, &["index/main/acme-*:upload"]), Action::Upload, [None, Some(403)]);
        check(true, &identity(OPEN, &["index/dev:upload"]), Action::Upload, [Some(403), Some(403)]);
        check(true, &identity(OPEN, &["index:read"]), Action::Upload, [Some(403), Some(403)]);
        check(true, &identity(OPEN, &["index:admin"]), Action::Admin, [Some(403), Some(403)]);
    }

    #[test]
    fn a_part_is_not_the_whole() {
        let access = Access::new(true);
        let part = identity(&[], &["index/main/demo:read"]);
        assert!(access.check(&part, Action::Read, "main", "").is_err());
        assert!(!access.reader(&part, "main").unwrap().reads_everything());
        assert!(access.reader(&identity(OPEN, &[]), "main").unwrap().reads_everything());
    }
}
