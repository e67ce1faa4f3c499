//! What may be done, where: the vocabulary of rights, and its text.
//!
//! A right is a [`Place`] and what may be done there. A place is `SERVICE/RESOURCE/NAME`, each a pattern: for the package
//! index `index/main/acme-*` are the projects `acme-…` of the index `main`. What a resource and a name are is each
//! service's own to say; the actions are the same four everywhere.

use std::fmt;
use std::str::FromStr;

use crate::pattern::{Pattern, PatternError};

/// What somebody wants to do. Four for all services, so that a role or a token means the same everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Look: download, list, watch.
    Read,
    /// Bring in or change content: upload a file, publish a video, edit a zone.
    Upload,
    /// Take content away from users: yank, unpublish, delete, roll back.
    Yank,
    /// Decide how the thing itself behaves: origins, retention, promotion, settings.
    Admin,
}

impl Action {
    /// All of them, in the order in which they are written.
    pub const ALL: [Self; 4] = [Self::Read, Self::Upload, Self::Yank, Self::Admin];

    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Upload => "upload",
            Self::Yank => "yank",
            Self::Admin => "admin",
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::Read => 1,
            Self::Upload => 2,
            Self::Yank => 4,
            Self::Admin => 8,
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A set of actions, written `read,upload`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Actions(u8);

impl Actions {
    /// All four.
    pub const ALL: Self = Self(15);

    /// These.
    #[must_use]
    pub fn of(actions: &[Action]) -> Self {
        Self(actions.iter().fold(0, |bits, action| bits | action.bit()))
    }

    /// Whether `action` is one of them.
    #[must_use]
    pub const fn contains(self, action: Action) -> bool {
        self.0 & action.bit() != 0
    }

    /// Those that there are, in order.
    pub fn iter(self) -> impl Iterator<Item = Action> {
        Action::ALL.into_iter().filter(move |action| self.contains(*action))
    }
}

impl fmt::Display for Actions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, action) in self.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{action}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Actions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Actions({self})")
    }
}

impl FromStr for Actions {
    type Err = RightsError;

    fn from_str(text: &str) -> Result<Self, RightsError> {
        let action = |word: &str| {
            let found = Action::ALL.into_iter().find(|action| action.word() == word);
            found.ok_or_else(|| RightsError::Action(word.chars().take(40).collect()))
        };
        Ok(Self::of(&text.split(',').map(action).collect::<Result<Vec<_>, _>>()?))
    }
}

/// What a user may do at a place, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// May read.
    Reader,
    /// May read, upload and yank.
    Publisher,
    /// May do everything there.
    Admin,
}

impl Role {
    /// All of them, the least first.
    pub const ALL: [Self; 3] = [Self::Reader, Self::Publisher, Self::Admin];

    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Publisher => "publisher",
            Self::Admin => "admin",
        }
    }

    /// What it allows.
    #[must_use]
    pub fn actions(self) -> Actions {
        match self {
            Self::Reader => Actions::of(&[Action::Read]),
            Self::Publisher => Actions::of(&[Action::Read, Action::Upload, Action::Yank]),
            Self::Admin => Actions::ALL,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Role {
    type Err = RightsError;

    fn from_str(text: &str) -> Result<Self, RightsError> {
        let found = Self::ALL.into_iter().find(|role| role.word() == text);
        found.ok_or_else(|| RightsError::Role(text.chars().take(40).collect()))
    }
}

/// The one thing that an action is about: `demo` in the index `main` of the service `index`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Object<'a> {
    /// The service's word.
    pub service: &'a str,
    /// What the service divides itself into, an index for example; empty for the whole service.
    pub resource: &'a str,
    /// The thing in it; empty for the whole resource. Only `*` matches what is empty.
    pub name: &'a str,
}

impl<'a> Object<'a> {
    /// The thing `name` in `resource` of `service`.
    #[must_use]
    pub const fn new(service: &'a str, resource: &'a str, name: &'a str) -> Self {
        Self { service, resource, name }
    }
}

/// `index/main/demo`, with what is empty left out: the text of an object in the audit trail.
impl fmt::Display for Object<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service, resource, name } = self;
        match (resource.is_empty(), name.is_empty()) {
            (true, true) => f.write_str(service),
            (false, true) => write!(f, "{service}/{resource}"),
            _ => write!(f, "{service}/{resource}/{name}"),
        }
    }
}

/// Where a right holds: patterns for service, resource and name. Written `index/main/acme-*`; what is left out at the end
/// is `*`. A name may hold slashes, the others not.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    service: Pattern,
    resource: Pattern,
    name: Pattern,
}

impl Place {
    /// Everywhere.
    #[must_use]
    pub fn anywhere() -> Self {
        Self { service: Pattern::any(), resource: Pattern::any(), name: Pattern::any() }
    }

    /// Whether `object` lies in it.
    #[must_use]
    pub fn covers(&self, object: Object<'_>) -> bool {
        let Object { service, resource, name } = object;
        self.service.matches(service) && self.resource.matches(resource) && self.name.matches(name)
    }

    /// Whether something in `resource` of `service` lies in it; with an empty `resource`, something in the service.
    #[must_use]
    pub fn touches(&self, service: &str, resource: &str) -> bool {
        self.service.matches(service) && (resource.is_empty() || self.resource.matches(resource))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service, resource, name } = self;
        // two or more stars are another text for the same pattern, and kept
        let plain = |pattern: &Pattern| *pattern == Pattern::any();
        match (plain(resource), plain(name)) {
            (true, true) => write!(f, "{service}"),
            (_, true) => write!(f, "{service}/{resource}"),
            _ => write!(f, "{service}/{resource}/{name}"),
        }
    }
}

impl FromStr for Place {
    type Err = RightsError;

    fn from_str(text: &str) -> Result<Self, RightsError> {
        let mut parts = text.splitn(3, '/');
        let mut next = || parts.next().map_or_else(|| Ok(Pattern::any()), str::parse);
        Ok(Self { service: next()?, resource: next()?, name: next()? })
    }
}

/// What a token allows: a place, and what may be done there. Written `index/main/acme-*:read,upload`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Scope {
    /// Where.
    pub place: Place,
    /// What.
    pub actions: Actions,
}

impl Scope {
    /// Whether it allows `action` on `object`.
    #[must_use]
    pub fn allows(&self, action: Action, object: Object<'_>) -> bool {
        self.actions.contains(action) && self.place.covers(object)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.place, self.actions)
    }
}

impl FromStr for Scope {
    type Err = RightsError;

    fn from_str(text: &str) -> Result<Self, RightsError> {
        let (place, actions) = text.rsplit_once(':').ok_or(RightsError::NoActions)?;
        Ok(Self { place: place.parse()?, actions: actions.parse()? })
    }
}

/// What a user has been given: a role at a place. Written `publisher@index/main/acme-*`; without a place everywhere.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Grant {
    /// What may be done.
    pub role: Role,
    /// Where.
    pub place: Place,
}

impl Grant {
    /// Whether it allows `action` on `object`.
    #[must_use]
    pub fn allows(&self, action: Action, object: Object<'_>) -> bool {
        self.role.actions().contains(action) && self.place.covers(object)
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.role, self.place)
    }
}

impl FromStr for Grant {
    type Err = RightsError;

    fn from_str(text: &str) -> Result<Self, RightsError> {
        let (role, place) = text.split_once('@').unwrap_or((text, "*"));
        Ok(Self { role: role.parse()?, place: place.parse()? })
    }
}

/// Why a text is no right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RightsError {
    /// A word that is no action.
    #[error("`{0}` is no action, expected some of read,upload,yank,admin")]
    Action(String),
    /// A word that is no role.
    #[error("`{0}` is no role, expected reader, publisher or admin")]
    Role(String),
    /// A scope without actions.
    #[error("expected a scope such as `index/main/acme-*:read,upload`")]
    NoActions,
    /// A part of a place.
    #[error(transparent)]
    Pattern(#[from] PatternError),
}

#[cfg(test)]
mod tests;
