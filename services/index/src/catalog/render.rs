//! From what is served to the pages of the Simple API.

use std::collections::{BTreeSet, HashSet};

use opsctl_dist::simple::{self, CoreMetadata, Format, List, UploadTime, Yanked};
use opsctl_dist::{Digest, ProjectName, Version};

use super::file::{File, folder};
use super::project::Project;
use super::snapshot::Index;

/// From a project's page to the top of its index, where its files are.
const ABOVE_PROJECT: &str = "../../";
/// From the page of all files.
const ABOVE_LINKS: &str = "../";

/// The list of the projects of some indexes, as far as `may` says that they are to be seen.
pub(crate) fn list(indexes: &[&Index], format: Format, may: impl Fn(&str) -> bool) -> Vec<u8> {
    let projects: BTreeSet<&ProjectName> = indexes
        .iter()
        .flat_map(|index| index.projects())
        .filter(|project| !project.is_quarantined() && may(project.name.normalized()))
        .map(|project| &project.name)
        .collect();
    let list = List { projects: projects.into_iter().cloned().collect() };
    if format.is_html() { list.to_html() } else { list.to_json() }
}

/// A project's page. `base` is the index's address, if provenance can be had from there.
pub(crate) fn project(project: &Project, format: Format, base: Option<&str>) -> Vec<u8> {
    let name = project.name.normalized();
    let versioned = |file: &std::sync::Arc<File>| Some((Version::legacy(&file.version).ok()?, entry(file, name, base)));
    let files = project.files.iter().filter_map(versioned).collect();
    page(&simple::Page::new(project.name.normalized(), project.status.clone(), files), format)
}

/// A page that is put together already.
pub(crate) fn page(page: &simple::Page, format: Format) -> Vec<u8> {
    if format.is_html() { page.to_html() } else { page.to_json() }
}

/// The page of all files of some indexes; of one name the first.
pub(crate) fn links(indexes: &[&Index]) -> Vec<u8> {
    let files = indexes.iter().flat_map(|index| index.projects()).flat_map(|project| project.offered());
    let mut seen = HashSet::new();
    let files = files.filter(|file| seen.insert(&file.filename));
    let files: Vec<simple::File> = files.map(|file| link(file, ABOVE_LINKS)).collect();
    simple::find_links("Packages", &files)
}

/// A file as the page of `project` has it. `base` is the index's address, if provenance can be had from there.
pub(crate) fn entry(file: &File, project: &str, base: Option<&str>) -> simple::File {
    let provenance = base.filter(|_| file.attested).map(|base| {
        let (version, filename) = (opsctl_http::Segment(&file.version), opsctl_http::Segment(&file.filename));
        format!("{base}/integrity/{project}/{version}/{filename}/provenance")
    });
    simple::File { provenance, ..link(file, ABOVE_PROJECT) }
}

fn link(file: &File, top: &str) -> simple::File {
    simple::File {
        filename: file.filename.to_string(),
        url: format!("{top}{}/{}", folder(&file.sha256), file.filename),
        hashes: sha256(&file.sha256),
        requires_python: file.requires_python.as_deref().map(ToOwned::to_owned),
        core_metadata: file.metadata.map_or(CoreMetadata::Unknown, |digest| CoreMetadata::Hashes(sha256(&digest))),
        gpg_sig: None,
        yanked: match file.yanked.as_deref() {
            None => Yanked::No,
            Some("") => Yanked::Yes,
            Some(reason) => Yanked::Because(reason.to_owned()),
        },
        size: Some(file.size),
        upload_time: UploadTime::from_micros(file.first_seen).ok(),
        provenance: None,
    }
}

fn sha256(digest: &Digest<32>) -> Vec<(String, String)> {
    vec![("sha256".to_owned(), digest.to_string())]
}
