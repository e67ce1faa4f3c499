//! Pages in HTML.

use std::borrow::Cow;

use url::Url;

use super::tokens::{Tag, Token, Tokens};
use super::{BadPage, FILES_MAX, PROJECTS_MAX, check_version, core_metadata, hash, keep, resolve, said};
use crate::ProjectName;
use crate::simple::{CoreMetadata, File, List, Page, ProjectStatus, State, Yanked};

/// What a page says of itself in `<meta>` and `<base>`.
#[derive(Default)]
struct Head<'p> {
    version: Option<Cow<'p, str>>,
    status: Option<State>,
    reason: Option<Cow<'p, str>>,
    base: Option<Cow<'p, str>>,
}

impl<'p> Head<'p> {
    fn take(&mut self, tag: &Tag<'p>) {
        if tag.is("base") {
            // the first one counts
            self.base = self.base.take().or_else(|| tag.attribute("href"));
        }
        let Some(content) = tag.is("meta").then(|| tag.attribute("content")).flatten() else { return };
        match tag.attribute("name").as_deref() {
            Some("pypi:repository-version") => self.version = Some(content),
            Some("pypi:project-status") => self.status = State::from_marker(&content),
            Some("pypi:project-status-reason") => self.reason = Some(content),
            _ => {}
        }
    }
}

pub(super) fn page(body: &[u8], base: &Url, name: &str) -> Result<Page, BadPage> {
    let mut head = Head::default();
    let mut anchors = Vec::new();
    for token in Tokens::new(text(body)?) {
        let Token::Open(tag) = token else { continue };
        match tag.is("a") {
            true if anchors.len() == FILES_MAX => return Err(BadPage::TooMany(FILES_MAX)),
            true => anchors.push(tag),
            false => head.take(&tag),
        }
    }
    check_version(head.version.as_deref())?;
    let base = head.base.and_then(|href| base.join(href.trim()).ok()).unwrap_or_else(|| base.clone());
    let files = anchors.iter().filter_map(|anchor| file(anchor, &base)).collect();
    let status =
        head.status.map(|state| ProjectStatus { state, reason: head.reason.map(Cow::into_owned).and_then(said) });
    Ok(Page { name: name.to_owned(), status, versions: Vec::new(), files })
}

pub(super) fn list(body: &[u8]) -> Result<List, BadPage> {
    let mut head = Head::default();
    let mut projects = Vec::new();
    let mut anchor: Option<String> = None;
    for token in Tokens::new(text(body)?) {
        match token {
            Token::Open(tag) if tag.is("a") => anchor = Some(String::new()),
            Token::Open(tag) => head.take(&tag),
            Token::Text(text) => {
                if let Some(name) = &mut anchor {
                    name.push_str(&text);
                }
            }
            Token::Close("a" | "A") => {
                let name = anchor.take().and_then(|name| ProjectName::parse(name.trim()).ok());
                projects.extend(name);
                if projects.len() > PROJECTS_MAX {
                    return Err(BadPage::TooMany(PROJECTS_MAX));
                }
            }
            Token::Close(_) => {}
        }
    }
    check_version(head.version.as_deref())?;
    Ok(List { projects })
}

fn text(body: &[u8]) -> Result<&str, BadPage> {
    let text = std::str::from_utf8(body).map_err(|_| BadPage::NotUtf8)?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

fn file(anchor: &Tag<'_>, base: &Url) -> Option<File> {
    let (url, fragment) = resolve(base, &anchor.attribute("href")?)?;
    let fragment = fragment.as_deref().and_then(|fragment| fragment.split('&').find_map(|part| part.split_once('=')));
    let metadata = anchor.attribute("data-core-metadata").or_else(|| anchor.attribute("data-dist-info-metadata"));
    keep(File {
        filename: last_part(&url)?,
        url: url.into(),
        hashes: fragment.and_then(|(algorithm, digest)| hash(algorithm, digest)).into_iter().collect(),
        requires_python: anchor.attribute("data-requires-python").map(Cow::into_owned).and_then(said),
        core_metadata: metadata.map_or(CoreMetadata::Unknown, |value| core_metadata(&value)),
        gpg_sig: match anchor.attribute("data-gpg-sig").as_deref() {
            Some("true") => Some(true),
            Some("false") => Some(false),
            _ => None,
        },
        yanked: match anchor.attribute("data-yanked") {
            None => Yanked::No,
            Some(reason) => said(reason.into_owned()).map_or(Yanked::Yes, Yanked::Because),
        },
        size: None,
        upload_time: None,
        provenance: anchor.attribute("data-provenance").map(Cow::into_owned).and_then(said),
    })
}

/// The file's name as installers see it: the last part of the URL's path, decoded once.
fn last_part(url: &Url) -> Option<String> {
    let part = url.path_segments()?.next_back()?;
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|digits| first == b'%' && digits.iter().all(u8::is_ascii_hexdigit));
        let code =
            digits.and_then(|digits| std::str::from_utf8(digits).ok()).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        bytes.push(code.unwrap_or(first));
        rest = after.get(if code.is_some() { 2 } else { 0 }..).unwrap_or_default();
    }
    String::from_utf8(bytes).ok()
}
