//! Pages in HTML (PEP 503 with the attributes that came later, frozen at 1.4 by PEP 833).

pub(super) mod escape;

use super::{API_VERSION, CoreMetadata, File, List, Page, ProjectStatus, Yanked, best_hash};

/// Bytes per file that a page is expected to need; only saves growing.
const FILE_HINT: usize = 512;

impl List {
    /// The page in HTML. Links are relative: the page stands at a URL that ends in a slash.
    #[must_use]
    pub fn to_html(&self) -> Vec<u8> {
        let mut page = head("Simple index", None, self.projects.len() * 64);
        for name in &self.projects {
            page.push_str("<a");
            attribute(&mut page, "href", &[name.normalized(), "/"]);
            page.push('>');
            escape::push(&mut page, name.display());
            page.push_str("</a><br>\n");
        }
        tail(page)
    }
}

impl Page {
    /// The page in HTML.
    #[must_use]
    pub fn to_html(&self) -> Vec<u8> {
        let files = self.offered();
        let title = format!("Links for {}", self.name);
        let mut page = head(&title, self.status.as_ref(), files.len() * FILE_HINT);
        page.push_str("<h1>");
        escape::push(&mut page, &title);
        page.push_str("</h1>\n");
        files.iter().for_each(|file| anchor(&mut page, file));
        tail(page)
    }
}

/// One page with a link for each file, for `--find-links` and for easy_install, which know nothing of projects.
#[must_use]
pub fn find_links<'f>(title: &str, files: impl IntoIterator<Item = &'f File>) -> Vec<u8> {
    let mut page = head(title, None, FILE_HINT);
    files.into_iter().for_each(|file| anchor(&mut page, file));
    tail(page)
}

fn head(title: &str, status: Option<&ProjectStatus>, expected: usize) -> String {
    let mut page = String::with_capacity(expected + 512);
    page.push_str("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    meta(&mut page, "pypi:repository-version", API_VERSION);
    if let Some(ProjectStatus { state, reason }) = status {
        meta(&mut page, "pypi:project-status", state.marker());
        if let Some(reason) = reason {
            meta(&mut page, "pypi:project-status-reason", reason);
        }
    }
    page.push_str("<title>");
    escape::push(&mut page, title);
    page.push_str("</title>\n</head>\n<body>\n");
    page
}

fn tail(mut page: String) -> Vec<u8> {
    page.push_str("</body>\n</html>\n");
    page.into_bytes()
}

fn meta(page: &mut String, name: &str, content: &str) {
    page.push_str("<meta");
    attribute(page, "name", &[name]);
    attribute(page, "content", &[content]);
    page.push_str(">\n");
}

fn anchor(page: &mut String, file: &File) {
    page.push_str("<a");
    match file.link_hash() {
        Some((algorithm, digest)) => attribute(page, "href", &[&file.url, "#", algorithm, "=", digest]),
        None => attribute(page, "href", &[&file.url]),
    }
    if let Some(specifier) = &file.requires_python {
        attribute(page, "data-requires-python", &[specifier]);
    }
    core_metadata(page, &file.core_metadata);
    match &file.yanked {
        Yanked::No => {}
        Yanked::Yes => attribute(page, "data-yanked", &[""]),
        Yanked::Because(reason) => attribute(page, "data-yanked", &[reason]),
    }
    if let Some(signed) = file.gpg_sig {
        attribute(page, "data-gpg-sig", &[if signed { "true" } else { "false" }]);
    }
    if let Some(url) = &file.provenance {
        attribute(page, "data-provenance", &[url]);
    }
    page.push('>');
    escape::push(page, &file.filename);
    page.push_str("</a><br>\n");
}

/// Under both names: clients from before PEP 714 know the longer one only.
fn core_metadata(page: &mut String, metadata: &CoreMetadata) {
    let hash = match metadata {
        CoreMetadata::Unknown | CoreMetadata::Absent => return,
        CoreMetadata::Present => None,
        CoreMetadata::Hashes(hashes) => best_hash(hashes),
    };
    for name in ["data-core-metadata", "data-dist-info-metadata"] {
        match hash {
            Some((algorithm, digest)) => attribute(page, name, &[algorithm, "=", digest]),
            None => attribute(page, name, &["true"]),
        }
    }
}

fn attribute(page: &mut String, name: &str, parts: &[&str]) {
    page.push(' ');
    page.push_str(name);
    page.push_str("=\"");
    parts.iter().for_each(|part| escape::push(page, part));
    page.push('"');
}
