//! A cache of documents that change: pages of an upstream, asked for again when they are no longer fresh.
//!
//! One request however many ask. What was there once is good for a while when the server is away (stale-if-error,
//! RFC 5861 section 4), and a server that is away is not asked again at once. That something is missing is remembered
//! too, for a shorter while. All of it outlives the program; losing the folder loses nothing.

mod kept;

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{ACCEPT, ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use sha2::{Digest as _, Sha256};
use tokio::sync::Mutex as Turn;
use url::Url;

use self::kept::{Body, Kept, Sheet};
use crate::files::{Digest, Problem};
use crate::origin::shown;
use crate::{Error, Fetch};

/// Documents of which is known in memory how fresh they are.
const KNOWN_MAX: usize = 8192;

/// For how long what is good.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// For which a document is used without asking.
    pub fresh: Duration,
    /// For which it is believed that there is none.
    pub missing: Duration,
    /// For which, counted from the last time it was fresh, a document is used when the server is away.
    pub stale: Duration,
    /// For which a server that failed is not asked for the same again.
    pub retry: Duration,
    /// Most bytes of a document.
    pub limit: u64,
}

/// What there is under a URL.
#[derive(Debug, Clone)]
pub struct Document {
    kept: Arc<Kept>,
    /// Why it could not be asked for again, if it is older than it should be.
    pub stale: Option<Arc<Problem>>,
}

impl Document {
    /// Whether there is one; a server that says 404 or 410 has none.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.kept.sheet.found
    }

    /// Its media type as the server named it.
    #[must_use]
    pub fn content_type(&self) -> &str {
        &self.kept.sheet.content_type
    }

    /// Where it was found in the end: relative links are relative to this.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.kept.sheet.url
    }

    /// Differs when the document does.
    #[must_use]
    pub fn mark(&self) -> Digest {
        self.kept.sheet.mark
    }

    /// Its bytes; empty if there is none.
    ///
    /// # Errors
    /// [`Problem::Read`]: it was thrown out meanwhile, ask again.
    pub async fn body(&self) -> Result<Bytes, Problem> {
        match &self.kept.body {
            Body::Here(bytes) => Ok(bytes.clone()),
            Body::File(path) => {
                let path = path.clone();
                let read = tokio::task::spawn_blocking(move || kept::read_body(&path)).await;
                read.map_err(|_| Problem::CutOff)?.map_err(Problem::Read)
            }
        }
    }
}

/// The cache. Cheap to clone.
#[derive(Clone)]
pub struct Documents(Arc<Inner>);

struct Inner {
    shelf: kept::Folder,
    known: Mutex<HashMap<Digest, Known>>,
}

/// What is known of one document.
#[derive(Default)]
struct Known {
    /// Who has it asks for the document; the others wait for their turn and find the answer.
    turn: Arc<Turn<()>>,
    kept: Option<Arc<Kept>>,
    /// When the server said so the last time.
    checked: Option<SystemTime>,
    failed: Option<(SystemTime, Arc<Problem>)>,
}

impl Documents {
    /// Opens the cache in the folder `root`, for `limit` bytes. Call it where it may block.
    ///
    /// # Errors
    /// The folder cannot be made or read.
    pub fn open(root: &Path, limit: u64) -> io::Result<Self> {
        Ok(Self(Arc::new(Inner { shelf: kept::Folder::open(root, limit)?, known: Mutex::default() })))
    }

    /// The document under `url` in the form that `accept` asks for.
    ///
    /// # Errors
    /// The server is away or answers nonsense, and nothing that is good enough is here.
    pub async fn get(&self, fetch: &Fetch, url: &Url, accept: &str, rules: Rules) -> Result<Document, Arc<Problem>> {
        let key = key(url, accept);
        if let Some(answer) = self.known(&key, |known| known.answer(rules)) {
            return answer;
        }
        let turn = self.known(&key, |known| Arc::clone(&known.turn));
        let _turn = turn.lock().await;
        self.recall(&key).await;
        if let Some(answer) = self.known(&key, |known| known.answer(rules)) {
            return answer;
        }
        let before = self.known(&key, |known| known.kept.clone());
        match self.ask(fetch, &key, url, accept, before.as_deref(), rules).await {
            Ok(kept) => self.known(&key, |known| known.learn(kept.map(Arc::new))),
            Err(problem) => self.known(&key, |known| known.failed = Some((SystemTime::now(), Arc::new(problem)))),
        }
        self.known(&key, |known| known.settled(rules))
    }

    /// Forgets when the document under `url` was fresh, so that it is asked for again.
    pub fn expire(&self, url: &Url, accept: &str) {
        self.known(&key(url, accept), |known| {
            known.checked = known.checked.map(|_| SystemTime::UNIX_EPOCH);
            known.failed = None;
        });
    }

    /// What an earlier run of the program kept.
    async fn recall(&self, key: &Digest) {
        if self.known(key, |known| known.kept.is_some()) {
            return;
        }
        let (shelf, key) = (self.0.shelf.clone(), *key);
        if let Ok(Some(kept)) = tokio::task::spawn_blocking(move || shelf.find(&key)).await {
            self.known(&key, |known| {
                known.checked.get_or_insert(kept.sheet.fetched);
                known.kept = Some(Arc::new(kept));
            });
        }
    }

    /// Asks the server. None: what was there before is still right.
    async fn ask(
        &self,
        fetch: &Fetch,
        key: &Digest,
        url: &Url,
        accept: &str,
        before: Option<&Kept>,
        rules: Rules,
    ) -> Result<Option<Kept>, Problem> {
        let mut headers = HeaderMap::new();
        let mut set = |name: HeaderName, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        };
        set(ACCEPT, accept);
        if let Some(Kept { sheet, .. }) = before.filter(|kept| kept.sheet.found) {
            sheet.etag.iter().for_each(|etag| set(IF_NONE_MATCH, etag));
            sheet.modified.iter().for_each(|date| set(IF_MODIFIED_SINCE, date));
        }
        let answer = fetch.get(url, headers).await?;
        let status = answer.status();
        let text = |name| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let mut sheet = Sheet {
            found: status == StatusCode::OK,
            fetched: SystemTime::now(),
            url: answer.url().clone(),
            content_type: text(http::header::CONTENT_TYPE).unwrap_or_default(),
            etag: text(ETAG),
            modified: text(LAST_MODIFIED),
            mark: Digest::default(),
        };
        let body = match status {
            StatusCode::OK => answer.bytes(rules.limit).await?,
            StatusCode::NOT_MODIFIED if before.is_some() => return Ok(None),
            StatusCode::NOT_FOUND | StatusCode::GONE => Bytes::new(),
            status => return Err(Problem::Status { url: shown(url), status }),
        };
        sheet.mark = Sha256::digest(&body).into();
        let (shelf, key) = (self.0.shelf.clone(), *key);
        let kept = tokio::task::spawn_blocking(move || shelf.keep(&key, sheet, body)).await;
        kept.map(Some).map_err(|_| Problem::CutOff)
    }

    fn known<T>(&self, key: &Digest, act: impl FnOnce(&mut Known) -> T) -> T {
        let mut known = self.0.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() > KNOWN_MAX && !known.contains_key(key) {
            // what is forgotten here is found again on the disk; what somebody waits for stays
            known.retain(|_, known| Arc::strong_count(&known.turn) > 1);
        }
        act(known.entry(*key).or_default())
    }
}

impl Known {
    fn learn(&mut self, kept: Option<Arc<Kept>>) {
        (self.checked, self.failed) = (Some(SystemTime::now()), None);
        if let Some(kept) = kept {
            self.kept = Some(kept);
        }
    }

    /// What can be said without asking.
    fn answer(&self, rules: Rules) -> Option<Result<Document, Arc<Problem>>> {
        let good = match &self.failed {
            Some((at, _)) => age(*at) < rules.retry,
            None => self.kept.as_ref().zip(self.checked).is_some_and(|(kept, checked)| {
                age(checked) < if kept.sheet.found { rules.fresh } else { rules.missing }
            }),
        };
        good.then(|| self.settled(rules))
    }

    /// What is to be said when the server has been asked.
    fn settled(&self, rules: Rules) -> Result<Document, Arc<Problem>> {
        let problem = self.failed.as_ref().map(|(_, problem)| Arc::clone(problem));
        let known = self.kept.as_ref().zip(self.checked);
        let good = |(kept, checked): &(&Arc<Kept>, SystemTime)| {
            problem.is_none() || kept.sheet.found && age(*checked) < rules.stale
        };
        match known.filter(good) {
            Some((kept, _)) => Ok(Document { kept: Arc::clone(kept), stale: problem }),
            None => Err(problem.unwrap_or_else(|| Arc::new(Problem::CutOff))),
        }
    }
}

fn age(since: SystemTime) -> Duration {
    SystemTime::now().duration_since(since).unwrap_or_default()
}

fn key(url: &Url, accept: &str) -> Digest {
    Sha256::new().chain_update(url.as_str()).chain_update("\n").chain_update(accept).finalize().into()
}

impl fmt::Debug for Documents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Documents").finish_non_exhaustive()
    }
}

/// Whether a later try may go better, also for who looks through an [`Arc`].
impl Problem {
    /// Whether the same request may succeed later.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Fetch(error) => Error::is_temporary(error),
            Self::Status { status, .. } => status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS,
            Self::CutOff | Self::Read(_) | Self::Write { .. } => true,
            Self::Digest { .. } => false,
        }
    }
}
