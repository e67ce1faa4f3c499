//! A mirror: another index seen through this one. Its pages are asked for when somebody asks here, and kept; its files
//! come in when somebody wants them, and are kept up to a limit of bytes.
//!
//! Nothing of an upstream is believed twice: the digest of a file name is written down when it is first seen, and a page
//! that later says another one loses that file. What comes is compared with its digest before the end of it is sent on.
//! A file younger than the configured age does not exist yet, on no page and under no address; one of unknown age is
//! young. Only names that are allowed to come from here are ever asked for: whoever calls has decided that.

mod file;
mod pip;
mod recent;
mod settings;
mod upstream;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use opsctl_dist::simple::{BadPage, Page};
use opsctl_fetch::documents::{Documents, Rules};
use opsctl_fetch::files::{Files, Problem};
use opsctl_fetch::{Credentials, Fetch, Origin, Reach, Url};
use tracing::warn;

pub(crate) use self::file::Bytes;
use self::recent::Recent;
pub(crate) use self::settings::MirrorConfig;
pub use self::settings::{HttpUrl, Mode, UpstreamUrl};
pub(crate) use self::upstream::Upstream;
use crate::config::IndexName;
use crate::records::Records;

/// What is asked for: JSON says most, HTML is what every index has.
const ACCEPT: &str = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1";

/// Why an upstream has no answer.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Trouble {
    /// It is away, or what it sends is not what it should be.
    #[error("failed to ask the upstream `{index}`")]
    Upstream {
        index: IndexName,
        #[source]
        source: Arc<Problem>,
    },
    /// What it sends is no page.
    #[error("the upstream `{index}` sends no page for `{project}`")]
    Page {
        index: IndexName,
        project: Box<str>,
        #[source]
        source: Arc<BadPage>,
    },
    /// What is written down about it cannot be read.
    #[error("failed to look up the digests that `{index}` had before")]
    Pins {
        index: IndexName,
        #[source]
        source: Arc<opsctl_store::Error>,
    },
}

/// One upstream.
#[derive(Debug)]
pub(crate) struct Mirror {
    index: IndexName,
    /// Of its simple pages, with a `/` at the end.
    url: Url,
    mode: Mode,
    fetch: Fetch,
    pages: Documents,
    files: Files,
    rules: Rules,
    /// In microseconds; 0 takes everything.
    min_age: i64,
    /// Bytes of a file.
    max_file: u64,
    records: Records,
    recent: Mutex<Recent>,
}

impl Mirror {
    /// Opens the caches in `folder`. Asks pip for the upstream's address where the configuration says so; asks nobody
    /// else anything. Blocks.
    ///
    /// # Errors
    /// The folder, the certificates, or that there is no pip.
    pub(crate) fn open(
        index: IndexName,
        config: MirrorConfig,
        max_file: u64,
        folder: &Path,
        records: Records,
    ) -> anyhow::Result<Mirror> {
        let MirrorConfig { url, mode, rules, min_release_age, page_cache, cache, hosts, origins, authorities, proxy } =
            config;
        let mut url = match url.get() {
            Some(url) => url.clone(),
            None => pip::index_url().context("failed to find out which index pip uses")?,
        };
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        let credentials = Credentials::take(&mut url);
        let trusted = std::iter::once(&url).chain(&origins).filter_map(Origin::of).collect();
        let settings = opsctl_fetch::Settings {
            reach: Reach { trusted, hosts },
            authorities,
            proxy,
            credentials,
            ..opsctl_fetch::Settings::default()
        };
        let failed = || format!("failed to open the cache in `{}`", folder.display());
        Ok(Mirror {
            fetch: Fetch::new(settings)?,
            pages: Documents::open(&folder.join("pages"), page_cache).with_context(failed)?,
            files: Files::open(&folder.join("files"), cache).with_context(failed)?,
            rules,
            min_age: i64::try_from(min_release_age.as_micros()).unwrap_or(i64::MAX),
            mode,
            index,
            url,
            max_file,
            records,
            recent: Mutex::default(),
        })
    }

    /// The index that it is.
    pub(crate) fn index(&self) -> &IndexName {
        &self.index
    }

    /// What is done with files.
    pub(crate) fn mode(&self) -> Mode {
        self.mode
    }

    /// What it has of a project, by its normalised name; None if it has none.
    ///
    /// # Errors
    /// It is away and nothing good enough is kept, or sends nonsense.
    pub(crate) async fn project(&self, project: &str) -> Result<Option<Arc<Upstream>>, Trouble> {
        let failed = |source| Trouble::Upstream { index: self.index.clone(), source };
        // a normalised name is a segment of a path as it is
        let Ok(url) = self.url.join(&format!("{project}/")) else { return Ok(None) };
        let document = self.pages.get(&self.fetch, &url, ACCEPT, self.rules).await.map_err(failed)?;
        if let Some(problem) = &document.stale {
            warn!(index = %self.index, project, error = %opsctl_logging::chain(&**problem), "serving an old page");
        }
        if !document.exists() {
            return Ok(None);
        }
        if let Some(known) = self.recent(|recent| recent.get(project, &document.mark())) {
            return Ok(Some(known));
        }
        let body = document.body().await.map_err(|problem| failed(Arc::new(problem)))?;
        let (kind, url, name) = (document.content_type().to_owned(), document.url().clone(), project.to_owned());
        // the largest pages take longer than others should wait
        let parsed = tokio::task::spawn_blocking(move || Page::parse(&body, &kind, url.as_str(), &name)).await;
        let parsed = parsed.map_err(|_| failed(Arc::new(Problem::CutOff)))?;
        let page = parsed.map_err(|source| Trouble::Page {
            index: self.index.clone(),
            project: project.into(),
            source: Arc::new(source),
        })?;
        let upstream = Arc::new(Upstream::new(document.mark(), self.pinned(project, page).await?, self.min_age));
        self.recent(|recent| recent.put(project, Arc::clone(&upstream)));
        Ok(Some(upstream))
    }

    /// The page without files whose digests are not those of the first time; new ones are written down.
    async fn pinned(&self, project: &str, mut page: Page) -> Result<Page, Trouble> {
        let failed = |source| Trouble::Pins { index: self.index.clone(), source: Arc::new(source) };
        let pins = self.records.pins(&self.index, project).await.map_err(failed)?;
        let mut new = Vec::new();
        page.files.retain(|file| {
            let Some(digest) = upstream::digest(file) else { return !pins.contains_key(&*file.filename) };
            match pins.get(&*file.filename) {
                None => new.push((file.filename.clone(), digest)),
                Some(pinned) if *pinned == digest => {}
                Some(pinned) => {
                    let (index, filename) = (&self.index, &file.filename);
                    warn!(%index, project, filename, %pinned, %digest, "a file has other bytes than before, it is left out");
                    return false;
                }
            }
            true
        });
        self.records.pin(&self.index, project, &new).await.map_err(failed)?;
        Ok(page)
    }

    fn recent<T>(&self, act: impl FnOnce(&mut Recent) -> T) -> T {
        act(&mut self.recent.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
