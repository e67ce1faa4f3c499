//! What can be chosen: the place, the form, the filter.

use std::fmt;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Error, Filter};

/// Where systemd's journal listens (systemd.io, "Native Journal Protocol").
pub const JOURNALD_SOCKET: &str = "/run/systemd/journal/socket";

/// Where the syslog daemon listens (syslog(3)).
pub const SYSLOG_SOCKET: &str = "/dev/log";

/// Where events go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// A file, appended to, created with mode 640 (less the umask).
    File(PathBuf),
    /// The journal, by its socket: [`JOURNALD_SOCKET`], or a test's.
    Journald(PathBuf),
    /// The syslog daemon, by its datagram socket: [`SYSLOG_SOCKET`], or a test's.
    Syslog(PathBuf),
}

/// How an event is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// `2026-11-23T09:01:22.123Z  INFO finger: message key=value`
    Text,
    /// One JSON object a line.
    Json,
    /// The journal's native protocol, every field by itself.
    Journald,
    /// RFC 3164 as syslog(3) writes it, facility daemon.
    Syslog,
}

/// A log format that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no log format `{0}`: expected one of `text`, `json`, `journald`, `syslog`")]
pub struct UnknownFormat(String);

/// What [`crate::init`] sets up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogOptions {
    /// The place.
    pub target: Target,
    /// The form. Journal and syslog have their own, every other place takes text or JSON.
    pub format: Format,
    /// Whether text is coloured.
    pub color: bool,
    /// Which events.
    pub filter: Filter,
}

impl LogOptions {
    /// The options as a user gives them: a file (`-` is stdout; none is stderr) and a format (none is text on a
    /// terminal, JSON otherwise). Text on a terminal is coloured.
    ///
    /// # Errors
    /// A file together with a format that has a socket of its own.
    pub fn choose(file: Option<&Path>, format: Option<Format>, filter: Filter) -> Result<Self, Error> {
        let target = match (format, file) {
            (Some(format @ (Format::Journald | Format::Syslog)), Some(file)) => {
                return Err(Error::FormatWithFile { format, file: file.to_owned() });
            }
            (Some(Format::Journald), None) => Target::Journald(JOURNALD_SOCKET.into()),
            (Some(Format::Syslog), None) => Target::Syslog(SYSLOG_SOCKET.into()),
            (_, None) => Target::Stderr,
            (_, Some(file)) if file == Path::new("-") => Target::Stdout,
            (_, Some(file)) => Target::File(file.to_owned()),
        };
        let terminal = match target {
            Target::Stdout => io::stdout().is_terminal(),
            Target::Stderr => io::stderr().is_terminal(),
            Target::File(_) | Target::Journald(_) | Target::Syslog(_) => false,
        };
        let format = format.unwrap_or(if terminal { Format::Text } else { Format::Json });
        Ok(Self { target, format, color: terminal && format == Format::Text, filter })
    }
}

impl Format {
    const ALL: [Self; 4] = [Self::Text, Self::Json, Self::Journald, Self::Syslog];

    fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Journald => "journald",
            Self::Syslog => "syslog",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        Self::ALL.into_iter().find(|format| format.name() == text).ok_or_else(|| UnknownFormat(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(file: Option<&str>, format: Option<Format>, expected: Result<(Target, Option<Format>), &str>) {
        let result = LogOptions::choose(file.map(Path::new), format, Filter::default());
        match (result, expected) {
            (Ok(options), Ok((target, format))) => {
                assert_eq!(options.target, target);
                assert!(format.is_none_or(|format| format == options.format), "{:?}", options.format);
            }
            (result, expected) => assert_eq!(result.unwrap_err().to_string(), expected.unwrap_err()),
        }
    }

    #[test]
    fn places_follow_from_file_and_format() {
        check(None, None, Ok((Target::Stderr, None)));
        check(Some("-"), Some(Format::Text), Ok((Target::Stdout, Some(Format::Text))));
        check(Some("a.log"), None, Ok((Target::File("a.log".into()), Some(Format::Json))));
        check(Some("a.log"), Some(Format::Text), Ok((Target::File("a.log".into()), Some(Format::Text))));
        check(None, Some(Format::Journald), Ok((Target::Journald(JOURNALD_SOCKET.into()), Some(Format::Journald))));
        check(None, Some(Format::Syslog), Ok((Target::Syslog(SYSLOG_SOCKET.into()), Some(Format::Syslog))));
        let message = "log format `syslog` is not for a file, but the log file is `a.log`";
        check(Some("a.log"), Some(Format::Syslog), Err(message));
    }

    #[test]
    fn formats_have_names() {
        for format in Format::ALL {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
        let error = "xml".parse::<Format>().unwrap_err().to_string();
        assert_eq!(error, "there is no log format `xml`: expected one of `text`, `json`, `journald`, `syslog`");
    }
}
