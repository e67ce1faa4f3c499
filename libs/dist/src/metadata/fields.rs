//! From header fields to [`Metadata`]: which field goes where, once or repeated, and how folded lines are read.

use super::message::{Field, Message};
use super::{BadMetadata, Metadata};
use crate::Fault;
use crate::level::Findings;

/// What old tools wrote for "nothing".
const UNKNOWN: &str = "UNKNOWN";

/// Where a field goes.
enum Place<'a> {
    Required(&'a mut String),
    Once(&'a mut Option<String>),
    /// Folded lines are lines of a text.
    Text(&'a mut Option<String>),
    Repeated(&'a mut Vec<String>),
    Keywords(&'a mut Vec<String>),
    Urls(&'a mut Vec<(String, String)>),
    Unknown,
}

pub(super) fn collect(message: Message, findings: &mut Findings) -> Result<Metadata, Fault> {
    let mut metadata = Metadata::default();
    for Field { name, value } in message.fields {
        let single = match place(&mut metadata, &name) {
            Place::Required(text) => set(text, String::is_empty, one_line(&value)),
            Place::Once(text) => set_known(text, one_line(&value)),
            Place::Text(text) => set_known(text, dedent(&value)),
            Place::Keywords(words) => set(words, Vec::is_empty, keywords(&one_line(&value))),
            Place::Repeated(texts) => {
                let text = one_line(&value);
                if known(&text) {
                    texts.push(text);
                }
                true
            }
            Place::Urls(urls) => {
                let text = one_line(&value);
                let (label, url) = text.split_once(',').unwrap_or(("", &text));
                urls.push((label.trim().to_owned(), url.trim().to_owned()));
                true
            }
            Place::Unknown => true,
        };
        if !single {
            findings.object(BadMetadata::Repeated(name))?;
        }
    }
    metadata.dynamic.iter_mut().for_each(|field| field.make_ascii_lowercase());
    if known(message.body.trim()) {
        if metadata.description.is_some() {
            findings.object(BadMetadata::Repeated("description".to_owned()))?;
        }
        metadata.description = Some(message.body);
    }
    Ok(metadata)
}

/// `name` is in lower case.
fn place<'a>(metadata: &'a mut Metadata, name: &str) -> Place<'a> {
    match name {
        "metadata-version" => Place::Required(&mut metadata.metadata_version),
        "name" => Place::Required(&mut metadata.name),
        "version" => Place::Required(&mut metadata.version),
        "dynamic" => Place::Repeated(&mut metadata.dynamic),
        "platform" => Place::Repeated(&mut metadata.platforms),
        "supported-platform" => Place::Repeated(&mut metadata.supported_platforms),
        "summary" => Place::Once(&mut metadata.summary),
        "description" => Place::Text(&mut metadata.description),
        "description-content-type" => Place::Once(&mut metadata.description_content_type),
        "keywords" => Place::Keywords(&mut metadata.keywords),
        "home-page" => Place::Once(&mut metadata.home_page),
        "download-url" => Place::Once(&mut metadata.download_url),
        "author" => Place::Once(&mut metadata.author),
        "author-email" => Place::Once(&mut metadata.author_email),
        "maintainer" => Place::Once(&mut metadata.maintainer),
        "maintainer-email" => Place::Once(&mut metadata.maintainer_email),
        "license" => Place::Text(&mut metadata.license),
        "license-expression" => Place::Once(&mut metadata.license_expression),
        "license-file" => Place::Repeated(&mut metadata.license_files),
        "classifier" => Place::Repeated(&mut metadata.classifiers),
        "requires-dist" => Place::Repeated(&mut metadata.requires_dist),
        "requires-python" => Place::Once(&mut metadata.requires_python),
        "requires-external" => Place::Repeated(&mut metadata.requires_external),
        "project-url" => Place::Urls(&mut metadata.project_urls),
        "provides-extra" => Place::Repeated(&mut metadata.provides_extra),
        "provides-dist" => Place::Repeated(&mut metadata.provides_dist),
        "obsoletes-dist" => Place::Repeated(&mut metadata.obsoletes_dist),
        "import-name" => Place::Repeated(&mut metadata.import_names),
        "import-namespace" => Place::Repeated(&mut metadata.import_namespaces),
        "requires" => Place::Repeated(&mut metadata.requires),
        "provides" => Place::Repeated(&mut metadata.provides),
        "obsoletes" => Place::Repeated(&mut metadata.obsoletes),
        _ => Place::Unknown,
    }
}

/// The first of a repeated field counts; false for a second.
fn set<T>(place: &mut T, is_free: impl Fn(&T) -> bool, value: T) -> bool {
    let free = is_free(place);
    if free {
        *place = value;
    }
    free
}

fn set_known(place: &mut Option<String>, value: String) -> bool {
    !known(&value) || set(place, Option::is_none, Some(value))
}

fn known(text: &str) -> bool {
    !text.is_empty() && text != UNKNOWN
}

/// Folded lines become one.
fn one_line(value: &str) -> String {
    if value.contains('\n') {
        value.split('\n').map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
    } else {
        value.to_owned()
    }
}

/// Takes off what header lines of a text are indented by: seven spaces and a `|`, or eight spaces.
fn dedent(value: &str) -> String {
    let line = |line: &str| {
        let stripped = line.strip_prefix("       |").or_else(|| line.strip_prefix("        "));
        stripped.unwrap_or_else(|| line.trim_start()).to_owned()
    };
    let mut lines = value.split('\n');
    let first = lines.next().unwrap_or_default().to_owned();
    let text = std::iter::once(first).chain(lines.map(line)).collect::<Vec<_>>().join("\n");
    text.trim_end().to_owned()
}

fn keywords(text: &str) -> Vec<String> {
    let words = |separator: fn(char) -> bool| text.split(separator).map(str::trim).filter(|word| known(word));
    let separator: fn(char) -> bool = if text.contains(',') { |c| c == ',' } else { char::is_whitespace };
    words(separator).map(ToOwned::to_owned).collect()
}
