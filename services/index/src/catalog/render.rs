//! From what is served to the pages of the Simple API.

use opsctl_dist::simple::{self, CoreMetadata, Format, List, UploadTime, Yanked};
use opsctl_dist::{Digest, Version};

use super::file::{File, folder};
use super::project::Project;
use super::snapshot::Index;

/// The list of projects.
pub(crate) fn list(index: &Index, format: Format) -> Vec<u8> {
    let projects = index.projects().into_iter().map(|project| project.name.clone()).collect();
    let list = List { projects };
    if format.is_html() { list.to_html() } else { list.to_json() }
}

/// A project's page; `top` leads from it to the top.
pub(crate) fn project(project: &Project, top: &str, format: Format) -> Vec<u8> {
    let entry = |file: &std::sync::Arc<File>| Some((Version::legacy(&file.version).ok()?, link(file, top)));
    let files = project.files.iter().filter_map(entry).collect();
    let page = simple::Page::new(project.name.normalized(), None, files);
    if format.is_html() { page.to_html() } else { page.to_json() }
}

/// The page of all files; `top` leads from it to the top.
pub(crate) fn links(index: &Index, top: &str) -> Vec<u8> {
    let files = index.projects().into_iter().flat_map(|project| &project.files);
    let files: Vec<simple::File> = files.map(|file| link(file, top)).collect();
    simple::find_links("Packages", &files)
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
