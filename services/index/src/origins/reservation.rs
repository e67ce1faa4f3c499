//! Names that are ours before anything has them: the rule of PEP 752, under which `acme-*` is acme and all names that
//! begin with `acme-`, but not acmesoft.

use std::fmt;
use std::str::FromStr;

use opsctl_dist::ProjectName;

/// One name, or a name and all below it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Reservation {
    name: Box<str>,
    below: bool,
}

/// A text reserves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` reserves nothing: expected a name, or `name-*` for it and all that begin with `name-`", .0.escape_debug())]
pub(crate) struct BadReservation(String);

impl Reservation {
    /// Whether it covers the normalised name `project`.
    pub(crate) fn covers(&self, project: &str) -> bool {
        let rest = project.strip_prefix(&*self.name);
        rest.is_some_and(|rest| rest.is_empty() || self.below && rest.starts_with('-'))
    }
}

impl FromStr for Reservation {
    type Err = BadReservation;

    fn from_str(text: &str) -> Result<Reservation, BadReservation> {
        let (name, below) = text.strip_suffix("-*").map_or((text, false), |name| (name, true));
        let name = ProjectName::parse(name).map_err(|_| BadReservation(text.to_owned()))?;
        Ok(Reservation { name: name.normalized().into(), below })
    }
}

impl fmt::Display for Reservation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.name, if self.below { "-*" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, covered: &str, free: &str) {
        let reservation: Reservation = pattern.parse().unwrap();
        covered.split(' ').for_each(|name| assert!(reservation.covers(name), "{pattern} {name}"));
        free.split(' ').for_each(|name| assert!(!reservation.covers(name), "{pattern} {name}"));
        assert_eq!(reservation.to_string().parse(), Ok(reservation));
    }

    #[test]
    fn what_is_covered() {
        check("acme", "acme", "acme-x acmesoft x-acme");
        check("acme-*", "acme acme-x acme-x-y", "acmesoft x-acme acm");
        check("Acme_Corp-*", "acme-corp acme-corp-x", "acme acme-corps");
        for bad in ["", "*", "-*", "acme*", "a b", "acme-*-*", "acme\n"] {
            assert!(bad.parse::<Reservation>().is_err(), "{bad}");
        }
    }
}
