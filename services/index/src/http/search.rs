//! Finding projects by name and summary; and `POST /RPC2`, where `pip search` of pip before 21 asks for them by XML-RPC.
//!
//! The only method is `search`. Every answer is a document, a `<fault>` where something is wrong. A document type is
//! refused unread: it is where entities are defined, and with them bombs and files.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use opsctl_auth::{Action, Identity};
use opsctl_dist::{Version, normalize};
use opsctl_http::HttpError;
use quick_xml::Reader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::Event;

use super::simple::no_index;
use super::xml::text;
use super::{InIndex, Site};
use crate::catalog::{File, Project};

/// Largest request in bytes.
pub(super) const REQUEST_MAX: usize = 64 * 1024;
/// Most that is found.
const FOUND_MAX: usize = 100;
/// Words that are looked for, and characters of each.
const WORDS_MAX: usize = 16;
const WORD_MAX: usize = 100;
/// Deepest nesting of elements; `pip search` has ten.
const DEPTH_MAX: usize = 32;

/// A project that was found.
pub(super) struct Found {
    pub(super) project: Arc<Project>,
    /// One file of its newest version.
    pub(super) file: Arc<File>,
}

/// Projects in whose name or summary all of `words` are, or any of them; best first.
pub(super) fn find(site: &Site, index: &str, words: &[String], all: bool) -> Result<Vec<Found>, HttpError> {
    let chain = site.routes.chain(index).ok_or_else(no_index)?;
    let short = words.iter().take(WORDS_MAX).map(|word| word.chars().take(WORD_MAX).collect::<String>());
    // as names are written, and as people write
    let words: Vec<(String, String)> = short.map(|word| (normalize(&word), word.to_lowercase())).collect();
    let words: Vec<_> = words.into_iter().filter(|(name, _)| !name.is_empty()).collect();
    let snapshot = site.catalog.snapshot();
    let mut seen = std::collections::BTreeMap::new();
    for index in chain.folders().filter_map(|name| snapshot.index(name)).filter(|_| !words.is_empty()) {
        for project in index.projects() {
            let Some(file) = newest(project) else { continue };
            if let Some(rank) = rank(&words, all, project.name.normalized(), file.summary.as_deref()) {
                let found = Found { project: Arc::clone(project), file: Arc::clone(file) };
                seen.entry(project.name.normalized().to_owned()).or_insert((rank, found));
            }
        }
    }
    let mut found: Vec<(String, (u8, Found))> = seen.into_iter().collect();
    found.sort_by_cached_key(|(name, (rank, _))| (*rank, name.len(), name.clone()));
    found.truncate(FOUND_MAX);
    Ok(found.into_iter().map(|(_, (_, found))| found).collect())
}

/// How well a project fits: 0 is its name, 3 something in its summary. None: it does not.
fn rank(words: &[(String, String)], all: bool, name: &str, summary: Option<&str>) -> Option<u8> {
    let summary = summary.unwrap_or_default().to_lowercase();
    let ranks = words.iter().map(|(of_name, of_summary)| match name.strip_prefix(&**of_name) {
        Some("") => Some(0),
        Some(_) => Some(1),
        None if name.contains(&**of_name) => Some(2),
        None => summary.contains(&**of_summary).then_some(3),
    });
    let ranks: Vec<Option<u8>> = ranks.collect();
    if all && ranks.iter().any(Option::is_none) { None } else { ranks.into_iter().flatten().min() }
}

/// A file of the version that an installer would take.
fn newest(project: &Project) -> Option<&Arc<File>> {
    let files = || project.offered().iter().rev();
    let final_one = |file: &&Arc<File>| Version::parse(&file.version).is_ok_and(|version| !version.is_prerelease());
    let mut final_ones = files().filter(final_one);
    final_ones
        .find(|file| file.yanked.is_none())
        .or_else(|| files().find(|file| file.yanked.is_none()))
        .or(files().next())
}

/// What went wrong: a code as of the specification for fault code interoperability, and words.
#[derive(Debug, PartialEq, Eq)]
struct Fault(i32, String);

/// A call, as far as it is of interest: texts in fields of the first parameter, and other texts.
#[derive(Debug, Default, PartialEq, Eq)]
struct Call {
    method: String,
    fields: Vec<(String, String)>,
    texts: Vec<String>,
}

pub(super) async fn rpc(
    State(site): State<Arc<Site>>,
    InIndex(index): InIndex,
    identity: Identity,
    body: Bytes,
) -> Result<Response, HttpError> {
    site.access.check(&identity, Action::Read, &index, "")?;
    let mut answer = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<methodResponse>");
    match read(&String::from_utf8_lossy(&body)) {
        Ok(call) if call.method == "search" => {
            let wanted = call.fields.into_iter().filter(|(name, _)| matches!(&**name, "name" | "summary"));
            let words = wanted.flat_map(|(_, text)| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
            let all = call.texts.iter().all(|text| text != "or");
            let found = find(&site, &index, &words.collect::<Vec<_>>(), all)?;
            answer.push_str("<params><param><value><array><data>");
            for (at, found) in found.iter().enumerate() {
                write_found(&mut answer, at, found, found.file.summary.as_deref().unwrap_or_default());
            }
            answer.push_str("</data></array></value></param></params>");
        }
        Ok(call) => write_fault(&mut answer, &Fault(-32601, format!("no such method: `{}`", call.method))),
        Err(fault) => write_fault(&mut answer, &fault),
    }
    answer.push_str("</methodResponse>\n");
    Ok(([(CONTENT_TYPE, "text/xml; charset=utf-8")], answer).into_response())
}

fn write_found(out: &mut String, at: usize, found: &Found, summary: &str) {
    let name = found.project.name.display();
    let _ = write!(out, "<value><struct>");
    for (field, value) in [("name", name), ("version", &*found.file.version), ("summary", summary)] {
        let value = text(value);
        let _ = write!(out, "<member><name>{field}</name><value><string>{value}</string></value></member>");
    }
    let _ = write!(out, "<member><name>_pypi_ordering</name><value><int>{at}</int></value></member></struct></value>");
}

fn write_fault(out: &mut String, Fault(code, words): &Fault) {
    let _ = write!(
        out,
        "<fault><value><struct><member><name>faultCode</name><value><int>{code}</int></value></member>\
         <member><name>faultString</name><value><string>{}</string></value></member></struct></value></fault>",
        text(words)
    );
}

/// Takes a request apart.
fn read(document: &str) -> Result<Call, Fault> {
    let wrong = |words: String| Fault(-32700, words);
    let mut reader = Reader::from_str(document);
    reader.config_mut().expand_empty_elements = true;
    let (mut path, mut text, mut field, mut typed) = (Vec::new(), String::new(), String::new(), false);
    let (mut call, mut named) = (Call::default(), false);
    loop {
        match reader.read_event().map_err(|error| wrong(format!("not well formed: {error}")))? {
            Event::Start(tag) => {
                path.push(String::from_utf8_lossy(tag.name().as_ref()).into_owned());
                text.clear();
                typed = false;
                if path.len() > DEPTH_MAX {
                    return Err(wrong(format!("elements nested deeper than {DEPTH_MAX}")));
                }
            }
            Event::End(_) => {
                let ended = path.pop().unwrap_or_default();
                let said = std::mem::take(&mut text);
                match &*ended {
                    "methodName" => (call.method, named) = (said.trim().to_owned(), true),
                    "name" => field = said.trim().to_owned(),
                    "string" | "value" if !typed => {
                        typed = true;
                        match path.iter().any(|part| part == "struct") {
                            true => call.fields.push((field.clone(), said)),
                            false => call.texts.push(said),
                        }
                    }
                    // the value around it has been told
                    _ => typed = true,
                }
            }
            Event::Text(part) => text.push_str(&part.xml10_content().map_err(|error| wrong(error.to_string()))?),
            Event::CData(part) => text.push_str(&part.xml10_content().map_err(|error| wrong(error.to_string()))?),
            Event::GeneralRef(name) => {
                let unknown = || wrong("unknown entity".to_owned());
                match name.resolve_char_ref().map_err(|_| unknown())? {
                    Some(c) => text.push(c),
                    None => text.push_str(resolve_xml_entity(&String::from_utf8_lossy(&name)).ok_or_else(unknown)?),
                }
            }
            Event::DocType(_) => return Err(wrong("a document type is not accepted".to_owned())),
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => break,
        }
    }
    match named {
        true if path.is_empty() => Ok(call),
        true => Err(wrong("not well formed: the document ends early".to_owned())),
        false => Err(Fault(-32600, "no <methodName> in a <methodCall>".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(params: &str, fields: &[(&str, &str)], texts: &[&str]) {
        let body = format!("<?xml version='1.0'?>\n<methodCall><methodName>search</methodName>{params}</methodCall>");
        let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
        let fields = fields.iter().map(owned).collect();
        let texts = texts.iter().map(|text| (*text).to_owned()).collect();
        assert_eq!(read(&body), Ok(Call { method: "search".to_owned(), fields, texts }));
    }

    #[test]
    fn what_pip_sends() {
        let list = |name: &str, word: &str| {
            format!(
                "<member>\n<name>{name}</name>\n<value><array><data>\n<value><string>{word}</string></value>\n\
                 </data></array></value>\n</member>\n"
            )
        };
        let [name, summary] = ["name", "summary"].map(|field| list(field, "a&amp;b"));
        let operator = "<param>\n<value><string>or</string></value>\n</param>\n";
        let params =
            format!("<params>\n<param>\n<value><struct>\n{name}{summary}</struct></value>\n</param>\n{operator}");
        check(&format!("{params}</params>"), &[("name", "a&b"), ("summary", "a&b")], &["or"]);
        check("<params><param><value>plain</value></param></params>", &[], &["plain"]);
    }

    #[test]
    fn what_is_refused() {
        let check = |body: &str, code: i32| assert_eq!(read(body).unwrap_err().0, code, "{body}");
        check("<!DOCTYPE x [<!ENTITY a 'b'>]><methodCall><methodName>search</methodName></methodCall>", -32700);
        check("<methodCall><methodName>&a;</methodName></methodCall>", -32700);
        check("<methodCall><methodName>search</methodName>", -32700);
        check(&"<a>".repeat(40), -32700);
        check("<methodCall/>", -32600);
        check("", -32600);
    }

    proptest! {
        #[test]
        fn nothing_breaks_it(body in "(<(/?(methodCall|methodName|struct|value|string|name)|!DOCTYPE)>|&[a-z#0-9]{0,3};|.){0,40}") {
            let _ = read(&body);
        }
    }
}
