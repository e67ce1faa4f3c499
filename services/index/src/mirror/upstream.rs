//! What an upstream has of one project, as of the last time that it was asked.

use opsctl_dist::simple::{File, Page};
use opsctl_fetch::files;

use crate::catalog::Digest;

/// A page of an upstream; addresses in it are the upstream's own.
#[derive(Debug)]
pub(crate) struct Upstream {
    mark: files::Digest,
    page: Page,
    /// In microseconds.
    min_age: i64,
}

impl Upstream {
    pub(super) fn new(mark: files::Digest, page: Page, min_age: i64) -> Upstream {
        Upstream { mark, page, min_age }
    }

    /// Differs when the page does.
    pub(crate) fn mark(&self) -> &files::Digest {
        &self.mark
    }

    pub(super) fn len(&self) -> usize {
        self.page.files.len()
    }

    /// Whether every file may be seen.
    pub(crate) fn hides_nothing(&self) -> bool {
        self.min_age == 0
    }

    /// The page's own words on the project.
    pub(crate) fn page(&self) -> &Page {
        &self.page
    }

    /// The files that may be seen at the time `now`, microseconds since 1970.
    pub(crate) fn files(&self, now: i64) -> impl Iterator<Item = &File> {
        self.page.files.iter().filter(move |file| self.is_old_enough(file, now))
    }

    /// When the next file will be old enough after `now`; what is made of the page is good until then.
    pub(crate) fn next_change(&self, now: i64) -> Option<i64> {
        let times = self.page.files.iter().filter_map(|file| file.upload_time);
        times.map(|time| time.micros().saturating_add(self.min_age)).filter(|time| *time > now).min()
    }

    /// The file of this name, and of this digest if it is known.
    pub(crate) fn file(&self, filename: &str, sha256: Option<&Digest>, now: i64) -> Option<&File> {
        self.files(now)
            .find(|file| file.filename == filename && sha256.is_none_or(|wanted| digest(file) == Some(*wanted)))
    }

    fn is_old_enough(&self, file: &File, now: i64) -> bool {
        self.min_age == 0 || file.upload_time.is_some_and(|time| now.saturating_sub(time.micros()) >= self.min_age)
    }
}

/// The SHA-256 of a file, if its page tells it.
pub(super) fn digest(file: &File) -> Option<Digest> {
    file.hash("sha256")?.parse().ok()
}
