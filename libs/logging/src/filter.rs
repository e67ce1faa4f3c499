//! Which events are wanted: `info,finger=debug,hyper=warn`.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;

const LEVELS: [(&str, LevelFilter); 6] = [
    ("off", LevelFilter::OFF),
    ("error", LevelFilter::ERROR),
    ("warn", LevelFilter::WARN),
    ("info", LevelFilter::INFO),
    ("debug", LevelFilter::DEBUG),
    ("trace", LevelFilter::TRACE),
];

/// Where ours begin: `finger` means the crate `opsctl_finger` too.
const OURS: &str = "opsctl_";

/// A level for everything (`info` if none is given) and levels for targets.
///
/// Pieces are separated by commas: `LEVEL`, or `TARGET=LEVEL`. A target is the beginning of a module path; the longest
/// that fits an event decides. A service's name stands for its crate. Of two pieces for the same target the later wins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct Filter {
    level: LevelFilter,
    targets: Vec<(String, LevelFilter)>,
}

/// A piece of a filter that means nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// Neither `LEVEL` nor `TARGET=LEVEL` with a level that exists.
    #[error(
        "`{piece}` has no log level: expected one of `off`, `error`, `warn`, `info`, `debug`, `trace`, or `TARGET=LEVEL`"
    )]
    Level {
        /// As given.
        piece: String,
    },
    /// `=LEVEL`, or a target with characters that no module path has.
    #[error("`{piece}` has no target that could be a module or a service")]
    Target {
        /// As given.
        piece: String,
    },
    /// Nothing between two commas, or nothing at all.
    #[error("an empty log level")]
    Empty,
}

impl Filter {
    pub(crate) fn targets(&self) -> Targets {
        self.targets.iter().fold(Targets::new().with_default(self.level), |targets, (target, level)| {
            let targets = targets.with_target(target.clone(), *level);
            if target.starts_with(OURS) { targets } else { targets.with_target(format!("{OURS}{target}"), *level) }
        })
    }
}

impl Default for Filter {
    fn default() -> Self {
        Self { level: LevelFilter::INFO, targets: Vec::new() }
    }
}

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        let mut filter = Self::default();
        for piece in text.split(',').map(str::trim) {
            let fail = || FilterError::Level { piece: piece.to_owned() };
            match piece.split_once('=') {
                None if piece.is_empty() => return Err(FilterError::Empty),
                None => filter.level = level(piece).ok_or_else(fail)?,
                Some((name, text)) => {
                    let target = target(name).ok_or_else(|| FilterError::Target { piece: piece.to_owned() })?;
                    let level = level(text).ok_or_else(fail)?;
                    filter.targets.retain(|(other, _)| *other != target);
                    filter.targets.push((target, level));
                }
            }
        }
        Ok(filter)
    }
}

fn level(text: &str) -> Option<LevelFilter> {
    LEVELS.iter().find(|(name, _)| name.eq_ignore_ascii_case(text.trim())).map(|&(_, level)| level)
}

/// A module path; a package's name is taken for its crate's.
fn target(text: &str) -> Option<String> {
    let target = text.trim().replace('-', "_");
    let sound = target.chars().all(|c| c.is_alphanumeric() || c == '_' || c == ':');
    (sound && !target.is_empty()).then_some(target)
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.level)?;
        self.targets.iter().try_for_each(|(target, level)| write!(f, ",{target}={level}"))
    }
}

impl TryFrom<String> for Filter {
    type Error = FilterError;

    fn try_from(text: String) -> Result<Self, FilterError> {
        text.parse()
    }
}

impl From<Filter> for String {
    fn from(filter: Filter) -> Self {
        filter.to_string()
    }
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    fn check(text: &str, expected: Result<&str, &str>) {
        let result = text.parse::<Filter>().map(|filter| filter.to_string()).map_err(|error| error.to_string());
        assert_eq!(result, expected.map(str::to_owned).map_err(str::to_owned), "{text}");
        if let Ok(canonical) = result {
            assert_eq!(canonical.parse::<Filter>(), text.parse(), "what is displayed reads as the same");
        }
    }

    #[test]
    fn filters_are_read() {
        check("info", Ok("info"));
        check("WARN", Ok("warn"));
        check("info,opsctl_finger=debug,hyper=warn", Ok("info,opsctl_finger=debug,hyper=warn"));
        check(" hyper = warn , opsctl-finger=trace ", Ok("info,hyper=warn,opsctl_finger=trace"));
        check("a=debug,error,a=off,a::b=info", Ok("error,a=off,a::b=info"));
    }

    #[test]
    fn what_means_nothing_is_named() {
        let levels = "expected one of `off`, `error`, `warn`, `info`, `debug`, `trace`, or `TARGET=LEVEL`";
        check("info,hyper=loud", Err(&format!("`hyper=loud` has no log level: {levels}")));
        check("verbose", Err(&format!("`verbose` has no log level: {levels}")));
        check("info,=debug", Err("`=debug` has no target that could be a module or a service"));
        check("a b=debug", Err("`a b=debug` has no target that could be a module or a service"));
        check("info,", Err("an empty log level"));
        check("", Err("an empty log level"));
    }

    #[test]
    fn a_service_is_its_crate() {
        let targets = "warn,finger=debug,opsctl_host=error,hyper=off".parse::<Filter>().unwrap().targets();
        for (target, level, expected) in [
            ("opsctl_finger::query", Level::DEBUG, true),
            ("finger", Level::DEBUG, true),
            ("opsctl_finger", Level::TRACE, false),
            ("opsctl_host", Level::WARN, false),
            ("hyper::proto", Level::ERROR, false),
            ("anything", Level::WARN, true),
            ("anything", Level::INFO, false),
        ] {
            assert_eq!(targets.would_enable(target, &level), expected, "{target} {level}");
        }
    }
}
