//! What several pages of a project have: texts cut to what a page can bear, addresses as seen from it, what the reader
//! may do.

use opsctl_auth::{Action, Identity};
use opsctl_dist::{Metadata, ProjectName, Version, simple};
use opsctl_web::web_address;
use serde::Serialize;

use crate::http::Site;
use crate::http::about::yanked;

/// Links that are shown, and characters of a short text.
const LINKS_MAX: usize = 50;
const TEXT_MAX: usize = 1000;
/// Lines of a list.
const LIST_MAX: usize = 500;

/// What the reader may do to what a page shows.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(super) struct May {
    /// Withdraw and remove.
    pub(super) yank: bool,
    /// Say how the project is.
    pub(super) admin: bool,
}

impl May {
    /// To a project, or a version of it; nothing where this index has none of its files.
    pub(super) fn of(
        site: &Site,
        identity: &Identity,
        index: &str,
        name: &ProjectName,
        version: Option<&Version>,
    ) -> May {
        let snapshot = site.catalog.snapshot();
        let project = snapshot.index(index).and_then(|index| index.project(name.normalized()));
        let Some(project) = project else { return May::default() };
        let may = |action| site.access.check(identity, action, index, name.normalized()).is_ok();
        let own = version.is_none_or(|version| {
            project.files.iter().any(|file| Version::legacy(&file.version).ok().as_ref() == Some(version))
        });
        May { yank: own && may(Action::Yank), admin: may(Action::Admin) }
    }
}

/// A text of one line or a few; none if it is empty.
pub(super) fn short(text: Option<&str>) -> Option<String> {
    text.map(|text| text.trim().chars().take(TEXT_MAX).collect()).filter(|text: &String| !text.is_empty())
}

/// Texts of one line each.
pub(super) fn list(texts: &[String]) -> Vec<String> {
    texts.iter().take(LIST_MAX).filter_map(|text| short(Some(text))).collect()
}

/// The first reason that anybody gave.
pub(super) fn reason(files: &[simple::File]) -> String {
    files.iter().filter_map(yanked).find(|reason| !reason.is_empty()).unwrap_or_default().to_owned()
}

/// Where a project says that more can be found, as far as that is on the web.
pub(super) fn links(metadata: &Metadata) -> Vec<(String, String)> {
    let own = [("Home page", &metadata.home_page), ("Download", &metadata.download_url)];
    let own = own.into_iter().filter_map(|(label, url)| Some((label, url.as_deref()?)));
    let all = own.chain(metadata.project_urls.iter().map(|(label, url)| (&**label, &**url)));
    let on_the_web = all.filter_map(|(label, url)| {
        let url = web_address(url)?;
        let scheme = url.split(':').next().unwrap_or_default();
        (!scheme.eq_ignore_ascii_case("mailto")).then(|| (label.trim().to_owned(), url.to_owned()))
    });
    on_the_web.take(LINKS_MAX).collect()
}

/// The address of a file, from a page that is `up` from the top of the index; empty if there is none to follow.
pub(super) fn address(file: &simple::File, up: &str) -> String {
    follow(&file.url, up).unwrap_or_default()
}

/// An address on a page of the Simple API, from a page that is `up` from the top of the index. Ours are relative, and as
/// deep as from there.
pub(super) fn follow(url: &str, up: &str) -> Option<String> {
    match url.strip_prefix("../../") {
        Some(rest) => Some(format!("{up}{rest}")),
        None => web_address(url).map(ToOwned::to_owned),
    }
}
