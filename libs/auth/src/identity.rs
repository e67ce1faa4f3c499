//! Who a request comes from, and what they may do: the one place that decides.

use std::fmt;
use std::sync::Arc;

use crate::name::Name;
use crate::rights::{Action, Grant, Object, Scope};

/// Who somebody is, as far as this program knows. Cheap to clone; a request's own, never kept beyond it.
#[derive(Clone)]
pub struct Identity(Arc<Inner>);

struct Inner {
    who: Who,
    /// What everybody may do, known or not.
    everybody: Arc<[Scope]>,
}

#[derive(Clone)]
enum Who {
    Anonymous,
    /// Somebody at the machine itself, who could as well change the files.
    Console(String),
    User {
        name: Name,
        via: Via,
        rights: Rights,
        limit: Option<Vec<Scope>>,
    },
}

#[derive(Debug, Clone)]
enum Rights {
    /// An administrator of everything.
    All,
    Granted(Vec<Grant>),
}

/// How somebody showed who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Via {
    /// By a browser's session: what it changes needs a CSRF token.
    Session,
    /// By name and password, with the request itself.
    Password,
    /// By a token, whose number this is.
    Token(i64),
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Session => f.write_str("session"),
            Self::Password => f.write_str("password"),
            Self::Token(number) => write!(f, "token {number}"),
        }
    }
}

/// Why something is not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nobody knows who asks: 401, so that a client looks for its credentials.
    #[error("this needs a user or a token")]
    Unknown,
    /// It is known who asks, and they may not: 403.
    #[error("you may not do this")]
    Forbidden,
}

impl Identity {
    /// Nobody in particular, who may do what `everybody` may.
    #[must_use]
    pub fn anonymous(everybody: Arc<[Scope]>) -> Self {
        Self(Arc::new(Inner { who: Who::Anonymous, everybody }))
    }

    /// Who runs a command on the machine itself, as the system calls them. May do everything.
    #[must_use]
    pub fn console(account: impl Into<String>) -> Self {
        Self(Arc::new(Inner { who: Who::Console(account.into()), everybody: Arc::default() }))
    }

    /// A user with these grants, or with all rights as an `administrator` of everything.
    #[must_use]
    pub fn user(name: Name, via: Via, administrator: bool, grants: Vec<Grant>, everybody: Arc<[Scope]>) -> Self {
        let rights = if administrator { Rights::All } else { Rights::Granted(grants) };
        Self(Arc::new(Inner { who: Who::User { name, via, rights, limit: None }, everybody }))
    }

    /// The same user, but no more than `scopes` say: what a token makes of its owner. Nobody else is changed.
    #[must_use]
    pub fn limited_to(self, scopes: Vec<Scope>) -> Self {
        let Who::User { name, via, rights, .. } = &self.0.who else { return self };
        let rights = match rights {
            Rights::All => Rights::All,
            Rights::Granted(grants) => Rights::Granted(grants.clone()),
        };
        let who = Who::User { name: name.clone(), via: via.clone(), rights, limit: Some(scopes) };
        Self(Arc::new(Inner { who, everybody: Arc::clone(&self.0.everybody) }))
    }

    /// The same user without what everybody may: for what is its owners' alone, whatever is open to everybody besides.
    #[must_use]
    pub fn by_own_rights(&self) -> Self {
        Self(Arc::new(Inner { who: self.0.who.clone(), everybody: Arc::default() }))
    }

    /// Whether they may do `action` to `object`: what everybody may, or what one of their grants allows and, with a
    /// token, one of its scopes as well.
    #[must_use]
    pub fn may(&self, action: Action, object: Object<'_>) -> bool {
        let Inner { who, everybody } = &*self.0;
        if everybody.iter().any(|scope| scope.allows(action, object)) {
            return true;
        }
        match who {
            Who::Anonymous => false,
            Who::Console(_) => true,
            Who::User { rights, limit, .. } => {
                let granted = match rights {
                    Rights::All => true,
                    Rights::Granted(grants) => grants.iter().any(|grant| grant.allows(action, object)),
                };
                let within = |scopes: &Vec<Scope>| scopes.iter().any(|scope| scope.allows(action, object));
                granted && limit.as_ref().is_none_or(within)
            }
        }
    }

    /// Whether there can be something in `resource` of `service` to which they may do `action`: for showing a form or a
    /// link, never in place of [`Self::may`]. With an empty `resource`, something in the service.
    #[must_use]
    pub fn may_somewhere(&self, action: Action, service: &str, resource: &str) -> bool {
        let Inner { who, everybody } = &*self.0;
        let scope = |scope: &Scope| scope.actions.contains(action) && scope.place.touches(service, resource);
        if everybody.iter().any(scope) {
            return true;
        }
        match who {
            Who::Anonymous => false,
            Who::Console(_) => true,
            Who::User { rights, limit, .. } => {
                let grant =
                    |grant: &Grant| grant.role.actions().contains(action) && grant.place.touches(service, resource);
                let granted = match rights {
                    Rights::All => true,
                    Rights::Granted(grants) => grants.iter().any(grant),
                };
                granted && limit.as_ref().is_none_or(|limit| limit.iter().any(scope))
            }
        }
    }

    /// [`Self::may`], with the refusal that a client understands: the way in for one that has shown nothing, a plain no
    /// for one that has.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn check(&self, action: Action, object: Object<'_>) -> Result<(), Refusal> {
        match &self.0.who {
            _ if self.may(action, object) => Ok(()),
            Who::Anonymous => Err(Refusal::Unknown),
            Who::Console(_) | Who::User { .. } => Err(Refusal::Forbidden),
        }
    }

    /// The user's name, if it is a user.
    #[must_use]
    pub fn name(&self) -> Option<&Name> {
        match &self.0.who {
            Who::User { name, .. } => Some(name),
            Who::Anonymous | Who::Console(_) => None,
        }
    }

    /// How the user showed who they are, if it is a user.
    #[must_use]
    pub fn via(&self) -> Option<&Via> {
        match &self.0.who {
            Who::User { via, .. } => Some(via),
            Who::Anonymous | Who::Console(_) => None,
        }
    }

    /// Whether this is nobody in particular.
    #[must_use]
    pub fn is_anonymous(&self) -> bool {
        matches!(self.0.who, Who::Anonymous)
    }

    /// Whether they may manage users and read every audit trail. Never by a token, however wide its scopes are: what it
    /// could do with that is make itself wider.
    #[must_use]
    pub fn is_administrator(&self) -> bool {
        match &self.0.who {
            Who::Console(_) => true,
            Who::User { rights: Rights::All, limit: None, .. } => true,
            Who::User { .. } | Who::Anonymous => false,
        }
    }

    /// Who it is, for the audit trail: a user's name, or a word in brackets, which no name can be.
    #[must_use]
    pub fn actor(&self) -> String {
        match &self.0.who {
            Who::Anonymous => "(anonymous)".to_owned(),
            Who::Console(account) => format!("(console {account})"),
            Who::User { name, via: Via::Token(number), .. } => format!("{name} (token {number})"),
            Who::User { name, .. } => name.to_string(),
        }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Identity").field(&self.actor()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scopes(texts: &[&str]) -> Vec<Scope> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn everybody() -> Arc<[Scope]> {
        scopes(&["index/main:read"]).into()
    }

    /// `admin` for an administrator of everything, else grants.
    fn user(grants: &[&str]) -> Identity {
        let administrator = grants == ["everything"];
        let grants = grants.iter().filter(|_| !administrator).map(|text| text.parse().unwrap()).collect();
        Identity::user("alice".parse().unwrap(), Via::Password, administrator, grants, everybody())
    }

    #[track_caller]
    fn check(identity: &Identity, action: Action, object: (&str, &str, &str), expected: Result<(), Refusal>) {
        let (service, resource, name) = object;
        let object = Object::new(service, resource, name);
        assert_eq!(identity.check(action, object), expected, "{identity:?}: {action} {object}");
        assert_eq!(identity.may(action, object), expected.is_ok());
        if expected.is_ok() {
            assert!(identity.may_somewhere(action, service, resource));
            assert!(identity.may_somewhere(action, service, ""));
        }
    }

    const DEMO: (&str, &str, &str) = ("index", "main", "demo");
    const STAGED: (&str, &str, &str) = ("index", "stage", "demo");

    #[test]
    fn anonymous() {
        let nobody = Identity::anonymous(everybody());
        check(&nobody, Action::Read, DEMO, Ok(()));
        check(&nobody, Action::Read, STAGED, Err(Refusal::Unknown));
        check(&nobody, Action::Upload, DEMO, Err(Refusal::Unknown));
        check(&Identity::anonymous([].into()), Action::Read, DEMO, Err(Refusal::Unknown));
    }

    #[test]
    fn what_everybody_may_can_be_left_out() {
        check(&Identity::anonymous(everybody()).by_own_rights(), Action::Read, DEMO, Err(Refusal::Unknown));
        check(&user(&["reader@encoder"]).by_own_rights(), Action::Read, DEMO, Err(Refusal::Forbidden));
        check(&user(&["reader@index"]).by_own_rights(), Action::Read, DEMO, Ok(()));
        let limited = user(&["everything"]).limited_to(scopes(&["index:upload"])).by_own_rights();
        check(&limited, Action::Read, DEMO, Err(Refusal::Forbidden));
    }

    #[test]
    fn users() {
        check(&user(&[]), Action::Read, DEMO, Ok(()));
        check(&user(&[]), Action::Read, STAGED, Err(Refusal::Forbidden));
        check(&user(&["publisher@index/main"]), Action::Upload, DEMO, Ok(()));
        check(&user(&["publisher@index/main"]), Action::Admin, DEMO, Err(Refusal::Forbidden));
        check(&user(&["reader@index", "publisher@index/stage/demo"]), Action::Upload, STAGED, Ok(()));
        check(&user(&["admin@index"]), Action::Admin, ("index", "", ""), Ok(()));
        check(&user(&["admin@index"]), Action::Admin, ("encoder", "", ""), Err(Refusal::Forbidden));
        check(&user(&["everything"]), Action::Admin, ("encoder", "", ""), Ok(()));
        check(&Identity::console("root"), Action::Admin, ("encoder", "", ""), Ok(()));
    }

    #[test]
    fn a_token_takes_away_and_never_gives() {
        let limited = |grants: &[&str], limit: &[&str]| user(grants).limited_to(scopes(limit));
        check(&limited(&["publisher@index"], &["index/main:upload"]), Action::Upload, DEMO, Ok(()));
        let upload = Action::Upload;
        check(&limited(&["publisher@index"], &["index/main:upload"]), upload, STAGED, Err(Refusal::Forbidden));
        check(&limited(&["reader@index"], &["index:upload"]), upload, DEMO, Err(Refusal::Forbidden));
        check(&limited(&["everything"], &["index:upload"]), upload, STAGED, Ok(()));
        check(&limited(&["everything"], &["index:upload"]), Action::Read, STAGED, Err(Refusal::Forbidden));
        check(&limited(&["everything"], &[]), upload, DEMO, Err(Refusal::Forbidden));
        // what everybody may is no secret
        check(&limited(&["everything"], &["index:upload"]), Action::Read, DEMO, Ok(()));
        assert!(!Identity::anonymous(everybody()).limited_to(scopes(&["*:admin"])).may_somewhere(upload, "index", ""));
    }

    #[test]
    fn somewhere() {
        let some = user(&["publisher@index/main/acme-*"]);
        assert!(some.may_somewhere(Action::Upload, "index", "main"));
        assert!(some.may_somewhere(Action::Upload, "index", ""));
        assert!(!some.may_somewhere(Action::Upload, "index", "stage"));
        assert!(!some.may_somewhere(Action::Admin, "index", ""));
        assert!(!some.may(Action::Upload, Object::new("index", "main", "")));
        assert!(!some.limited_to(scopes(&["index/stage:upload"])).may_somewhere(Action::Upload, "index", "main"));
    }

    #[test]
    fn administrators() {
        assert!(user(&["everything"]).is_administrator());
        assert!(Identity::console("root").is_administrator());
        assert!(!user(&["admin"]).is_administrator(), "a grant is for services");
        assert!(!user(&["everything"]).limited_to(scopes(&["*:read,upload,yank,admin"])).is_administrator());
        assert!(!Identity::anonymous(scopes(&["*:admin"]).into()).is_administrator());
    }

    #[test]
    fn actors() {
        assert_eq!(Identity::anonymous([].into()).actor(), "(anonymous)");
        assert_eq!(Identity::console("root").actor(), "(console root)");
        assert_eq!(user(&[]).actor(), "alice");
        let by_token = Identity::user("ci".parse().unwrap(), Via::Token(7), false, vec![], everybody());
        assert_eq!(by_token.actor(), "ci (token 7)");
        assert_eq!(by_token.via().map(ToString::to_string).as_deref(), Some("token 7"));
    }
}
