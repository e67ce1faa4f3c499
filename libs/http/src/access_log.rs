//! One line for each answer, in the combined format that every tool reads.

use std::fmt::{self, Write as _};
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::header::{REFERER, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, Version};
use tracing::warn;

use crate::{Client, HttpDate};

/// How often it is looked whether the file was moved away.
const PAUSE: Duration = Duration::from_secs(1);
/// Bytes of a request's line, a referrer, a program's name: what a client may fill a disk with.
const MAX_FIELD: usize = 2048;

/// Where the lines go.
#[derive(Clone)]
pub struct AccessLog(Arc<dyn Fn(&str) + Send + Sync>);

/// Who a request was made by; a handler that knows puts it among the answer's extensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteUser(pub String);

impl AccessLog {
    /// Each line, its end included, is given to `sink` when an answer is sent or given up. It must not take long.
    pub fn new(sink: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(sink))
    }

    /// Adds lines to a file. When it is moved away, as those do that rotate logs, a new one is begun within a second.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn file(path: &Path) -> io::Result<Self> {
        let log = Mutex::new(LogFile::open(path)?);
        Ok(Self::new(move |line| log.lock().unwrap_or_else(PoisonError::into_inner).write(line)))
    }
}

impl fmt::Debug for AccessLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessLog").finish_non_exhaustive()
    }
}

struct LogFile {
    path: PathBuf,
    file: File,
    /// When to look for it again.
    due: Instant,
    /// A failure was logged.
    failed: bool,
}

impl LogFile {
    fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        Ok(Self { path: path.into(), file, due: Instant::now() + PAUSE, failed: false })
    }

    fn write(&mut self, line: &str) {
        let result = self.follow().and_then(|()| self.file.write_all(line.as_bytes()));
        match result {
            Ok(()) => self.failed = false,
            Err(error) if !self.failed => {
                self.failed = true;
                warn!(path = %self.path.display(), %error, "failed to write the access log");
            }
            Err(_) => {}
        }
    }

    /// Opens the file anew if another one, or none, is at its place.
    fn follow(&mut self) -> io::Result<()> {
        let now = Instant::now();
        if now < self.due {
            return Ok(());
        }
        self.due = now + PAUSE;
        let (ours, there) = (self.file.metadata()?, std::fs::metadata(&self.path));
        match there {
            Ok(there) if (there.dev(), there.ino()) == (ours.dev(), ours.ino()) => Ok(()),
            _ => {
                self.file = Self::open(&self.path)?.file;
                Ok(())
            }
        }
    }
}

/// What is known of a request before it is handled.
#[derive(Debug)]
pub(crate) struct Received {
    time: HttpDate,
    client: Client,
    method: Method,
    uri: Uri,
    version: Version,
    referer: Option<HeaderValue>,
    user_agent: Option<HeaderValue>,
}

impl Received {
    pub(crate) fn new(client: Client, method: &Method, uri: &Uri, version: Version, headers: &HeaderMap) -> Self {
        Self {
            time: HttpDate::now(),
            client,
            method: method.clone(),
            uri: uri.clone(),
            version,
            referer: headers.get(REFERER).cloned(),
            user_agent: headers.get(USER_AGENT).cloned(),
        }
    }
}

/// A line that is written when it is dropped, with the answer.
#[derive(Debug)]
pub(crate) struct Line {
    log: AccessLog,
    received: Received,
    user: Option<RemoteUser>,
    status: StatusCode,
    /// Bytes of the body that were handed on.
    pub(crate) sent: u64,
}

impl Line {
    pub(crate) fn new(log: AccessLog, received: Received, user: Option<RemoteUser>, status: StatusCode) -> Self {
        Self { log, received, user, status, sent: 0 }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        (self.log.0)(&self.to_string());
    }
}

/// `192.0.2.1 - user [06/Nov/1994:08:49:37 +0000] "GET / HTTP/1.1" 200 12 "-" "curl/8.0"`.
impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { log: _, received, user, status, sent } = self;
        let Received { time, client, method, uri, version, referer, user_agent } = received;
        match client.address {
            Some(address) => write!(f, "{address}")?,
            None => f.write_char('-')?,
        }
        let user = user.as_ref().map_or("-", |RemoteUser(user)| user);
        // of a fixed form: `Sun, 06 Nov 1994 08:49:37 GMT`
        let date = time.to_string();
        let at = |from: usize, to: usize| date.get(from..to).unwrap_or_default();
        let (day, month, year, clock) = (at(5, 7), at(8, 11), at(12, 16), at(17, 25));
        let user = user.replace(|c: char| c.is_whitespace(), "_");
        write!(f, " - {} [{day}/{month}/{year}:{clock} +0000] \"", Escaped(user.as_bytes()))?;
        let path = uri.path_and_query().map_or_else(|| uri.path(), |path| path.as_str());
        write!(f, "{method} {} {version:?}\" {}", Escaped(path.as_bytes()), status.as_u16())?;
        match sent {
            0 => f.write_str(" -")?,
            sent => write!(f, " {sent}")?,
        }
        for field in [referer, user_agent] {
            let field = field.as_ref().map_or(&b"-"[..], HeaderValue::as_bytes);
            write!(f, " \"{}\"", Escaped(field))?;
        }
        f.write_char('\n')
    }
}

/// A field within quotes: no line, quote or terminal's sequence can be made up.
struct Escaped<'a>(&'a [u8]);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(MAX_FIELD).try_for_each(|byte| match byte {
            b'"' | b'\\' => write!(f, "\\{}", char::from(*byte)),
            b' '..=b'~' => f.write_char(char::from(*byte)),
            _ => write!(f, "\\x{byte:02X}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The line of a request with these headers; without its time.
    fn line(uri: &str, headers: &[(http::HeaderName, &[u8])], user: Option<&str>, sent: u64) -> String {
        let client = Client { address: Some([192, 0, 2, 1].into()), secure: false };
        let headers = headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_bytes(value).unwrap()));
        let headers: HeaderMap = headers.collect();
        let mut received = Received::new(client, &Method::GET, &uri.parse().unwrap(), Version::HTTP_11, &headers);
        received.time = HttpDate::from_seconds(784_111_777);
        let log = AccessLog::new(|_| {});
        let mut line = Line::new(log, received, user.map(|user| RemoteUser(user.into())), StatusCode::OK);
        line.sent = sent;
        line.to_string()
    }

    #[test]
    fn combined() {
        assert_eq!(
            line("/a?b=c", &[(REFERER, b"/x"), (USER_AGENT, b"curl/8.0")], Some("ann"), 12),
            "192.0.2.1 - ann [06/Nov/1994:08:49:37 +0000] \"GET /a?b=c HTTP/1.1\" 200 12 \"/x\" \"curl/8.0\"\n",
        );
        assert_eq!(
            line("/", &[], None, 0),
            "192.0.2.1 - - [06/Nov/1994:08:49:37 +0000] \"GET / HTTP/1.1\" 200 - \"-\" \"-\"\n"
        );
    }

    #[test]
    fn nothing_is_made_up() {
        let hostile = b"\" 200 1\\\t\xff\x1b[0m";
        let said = line("/%22", &[(USER_AGENT, b"\" 200 1\\\t\xff")], Some("a \"b\n"), 1);
        assert!(said.contains(" - a_\\\"b_ ["), "{said}");
        assert!(said.ends_with("\"\\\" 200 1\\\\\\x09\\xFF\"\n"), "{said}");
        assert_eq!(said.lines().count(), 1);
        assert_eq!(Escaped(hostile).to_string(), "\\\" 200 1\\\\\\x09\\xFF\\x1B[0m");
        assert_eq!(Escaped(&[b'x'; 9999]).to_string().len(), MAX_FIELD);
    }

    #[test]
    fn the_file_may_move() {
        let folder = tempfile::tempdir().unwrap();
        let (path, moved) = (folder.path().join("access.log"), folder.path().join("access.log.1"));
        let mut log = LogFile::open(&path).unwrap();
        log.write("one\n");
        std::fs::rename(&path, &moved).unwrap();
        log.write("two\n");
        log.due = Instant::now();
        log.write("three\n");
        assert_eq!(std::fs::read_to_string(&moved).unwrap(), "one\ntwo\n");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "three\n");
        AccessLog::file(&path).unwrap().0("four\n");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "three\nfour\n");
        assert!(AccessLog::file(&folder.path().join("no/where")).is_err());
    }
}
