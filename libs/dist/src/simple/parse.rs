//! Pages of an upstream, in JSON or HTML, into the model.
//!
//! Somebody else wrote them. A page is read as far as it makes sense: a link that is no HTTP URL and a file name that could
//! harm are left out, a value of the wrong kind counts as absent. Only a page that is no page at all is an error, and one of
//! a major version that nobody knows yet.

mod html;
mod json;
mod tokens;

use url::Url;

use super::{CoreMetadata, File, List, Page};
use crate::filename::is_harmless;

/// Longest page that is read. The longest on the public index has about a tenth of that.
pub const PAGE_MAX: usize = 64 << 20;

/// Most files of one page. The longest on the public index has some ten thousands.
const FILES_MAX: usize = 200_000;

/// Most projects of one list. The public index is about to have a million.
const PROJECTS_MAX: usize = 3_000_000;

/// Why a page cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BadPage {
    /// More than [`PAGE_MAX`] bytes.
    #[error("the page has more than {PAGE_MAX} bytes")]
    TooLong,
    /// More files or projects than anybody has.
    #[error("the page has more than {0} links")]
    TooMany(usize),
    /// Of a type that no page of the Simple API has.
    #[error("`{}` is no type of pages of the Simple API", .0.escape_debug())]
    Type(String),
    /// No JSON, or JSON that is no page.
    #[error("the page is no JSON of the Simple API")]
    Json(#[source] serde_json::Error),
    /// No HTML at all.
    #[error("the page is not UTF-8")]
    NotUtf8,
    /// Of a later major version.
    #[error("the page has version `{}` of the Simple API; 1 is known", .0.escape_debug())]
    Version(String),
    /// The URL of the page is none that has relative URLs.
    #[error("`{}` is no URL of a page", .0.escape_debug())]
    Url(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Json,
    Html,
}

impl Page {
    /// Reads the page of a project. `content_type` is the header of that name, `url` where the page came from in the end:
    /// all URLs of files are made absolute. `name` is the project that was asked for, normalised.
    ///
    /// # Errors
    /// If it is no page.
    pub fn parse(body: &[u8], content_type: &str, url: &str, name: &str) -> Result<Page, BadPage> {
        let (form, base) = prepare(body, content_type, url)?;
        match form {
            Form::Json => json::page(body, &base, name),
            Form::Html => html::page(body, &base, name),
        }
    }
}

impl List {
    /// Reads the list of projects; names that are none are left out.
    ///
    /// # Errors
    /// If it is no list.
    pub fn parse(body: &[u8], content_type: &str, url: &str) -> Result<List, BadPage> {
        let (form, _) = prepare(body, content_type, url)?;
        match form {
            Form::Json => json::list(body),
            Form::Html => html::list(body),
        }
    }
}

fn prepare(body: &[u8], content_type: &str, url: &str) -> Result<(Form, Url), BadPage> {
    if body.len() > PAGE_MAX {
        return Err(BadPage::TooLong);
    }
    let bare = content_type.split(';').next().unwrap_or_default().trim();
    let form = match bare.to_ascii_lowercase().as_str() {
        super::JSON => Form::Json,
        // plain files behind a web server
        "application/json" => Form::Json,
        super::HTML | super::TEXT | "application/xhtml+xml" => Form::Html,
        _ => return Err(BadPage::Type(content_type.to_owned())),
    };
    let base = Url::parse(url).ok().filter(|url| !url.cannot_be_a_base());
    Ok((form, base.ok_or_else(|| BadPage::Url(url.to_owned()))?))
}

/// Is it a version of the API that can be read? A page that says nothing is 1.0.
fn check_version(version: Option<&str>) -> Result<(), BadPage> {
    match version {
        Some(text) if text.trim() != "1" && !text.trim().starts_with("1.") => Err(BadPage::Version(text.to_owned())),
        _ => Ok(()),
    }
}

/// The absolute URL of a file and its fragment; None if no file can be fetched from there.
fn resolve(base: &Url, reference: &str) -> Option<(Url, Option<String>)> {
    // an empty reference is the page itself
    let reference = Some(reference.trim()).filter(|reference| !reference.is_empty())?;
    let mut url = base.join(reference).ok()?;
    let fetchable = matches!(url.scheme(), "http" | "https") && url.has_host();
    let fragment = url.fragment().map(ToOwned::to_owned);
    url.set_fragment(None);
    fetchable.then_some((url, fragment))
}

/// A digest as pages have it: an algorithm's name and hexadecimal digits.
fn hash(algorithm: &str, digest: &str) -> Option<(String, String)> {
    let algorithm = algorithm.to_ascii_lowercase();
    let named = !algorithm.is_empty() && algorithm.len() <= 20 && algorithm.bytes().all(is_algorithm);
    let digits = (8..=256).contains(&digest.len()) && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
    (named && digits).then(|| (algorithm, digest.to_ascii_lowercase()))
}

fn is_algorithm(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-')
}

/// `sha256=0123…`, `true`, or something else.
fn core_metadata(value: &str) -> CoreMetadata {
    match value.split_once('=').and_then(|(algorithm, digest)| hash(algorithm, digest)) {
        Some(hash) => CoreMetadata::Hashes(vec![hash]),
        None if value.eq_ignore_ascii_case("false") => CoreMetadata::Absent,
        None => CoreMetadata::Present,
    }
}

/// A file on the way to a page: without a name that can be used it is left out.
fn keep(file: File) -> Option<File> {
    is_harmless(&file.filename).then_some(file)
}

/// Text of people or of specifiers; an empty one says nothing.
fn said(text: String) -> Option<String> {
    (!text.trim().is_empty()).then_some(text)
}
