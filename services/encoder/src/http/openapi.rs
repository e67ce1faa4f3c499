//! `GET /openapi.json`: what programs can ask, as OpenAPI 3.1.
//!
//! Schemas come from the types of the answers. The table of operations is kept by hand, as headers and fields that an
//! upload may have stand in no type; a test compares its paths with the router's.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::account::Account;
use super::jobs::Jobs;
use super::list::List;
use super::sign::SignedAssets;
use super::view::{AssetView, CaptionView, ItemView, JobView};

type MakeSchema = fn(&mut SchemaGenerator) -> Schema;

/// One operation.
struct Operation {
    method: &'static str,
    path: &'static str,
    name: &'static str,
    summary: &'static str,
    query: &'static [(&'static str, &'static str)],
    headers: &'static [(&'static str, &'static str)],
    takes: Takes,
    /// Statuses of success.
    done: &'static [u16],
    gives: Gives,
    /// Whether it minds `If-Match`.
    is_guarded: bool,
}

/// What it reads.
enum Takes {
    Nothing,
    /// The upload itself; [`WISHES`] as headers.
    Bytes,
    /// Some of the upload.
    Piece,
    /// Captions.
    WebVtt,
    /// A form with a file and [`WISHES`].
    Upload,
    /// A form with these fields.
    Fields(&'static [(&'static str, &'static str)]),
}

/// What it answers with.
enum Gives {
    Nothing,
    /// JSON, or a page of the same.
    Value(MakeSchema),
    /// A file of this media type.
    File(&'static str),
}

/// Words that come with an upload: `X-Flvio-Title: A party`, `title=A+party`.
const WISHES: &[(&str, &str)] = &[
    ("filename", "What the file is called where it comes from"),
    ("title", "A line of text"),
    ("profile", "What is to be made of it: the name of a profile"),
    ("size", "Pixels of the shorter side of videos, at most: 16 to 4320"),
    ("publish", "Whether results are shown as soon as they are there: yes or no"),
    ("priority", "-10 to 10; what is urgent comes first among an account's own"),
];
const FILTERS: &[(&str, &str)] = &[
    ("q", "A part of the ID, the title or the file's name"),
    ("status", "queued, running, done, failed or cancelled"),
    ("published", "yes or no"),
    ("page", "From 1"),
    ("rows", "How many on a page, up to 1000"),
];
const OPEN: &[(&str, &str)] =
    &[("open", "`yes` for those that wait or run"), ("page", "From 1"), ("rows", "How many on a page, up to 1000")];
const CHANGES: &[(&str, &str)] = &[("title", "A line of text"), ("published", "yes or no")];
const SIGN: &[(&str, &str)] = &[("expires", "A duration: `90s`, `1h`, `7d`"), ("asset", "One result alone")];
const ORDER: &[(&str, &str)] = &[WISHES[2], WISHES[3], WISHES[5]];

const SEEK: &[(&str, &str)] = &[
    ("start", "Seconds of an MP4 file, a byte of an FLV file: what follows, as a file of its own"),
    ("end", "Seconds of an MP4 file"),
    ("exp", "Of a signed address: seconds since 1970"),
    ("kid", "Of a signed address: which key"),
    ("sig", "Of a signed address"),
];
const TUS: &[(&str, &str)] = &[("Tus-Resumable", "1.0.0")];
const BEGIN: &[(&str, &str)] = &[
    TUS[0],
    ("Upload-Length", "Bytes of all of it"),
    ("Upload-Defer-Length", "1 if they are said later"),
    ("Upload-Metadata", "The words of other uploads, and `id`: `id cGFydHk=,title QSBwYXJ0eQ==`"),
    ("Upload-Concat", "`partial`, or `final;` and the addresses of parts"),
    ("Upload-Checksum", "`sha1`, `sha256` or `md5`, and the digest of this request's bytes in base64"),
];
const APPEND: &[(&str, &str)] = &[TUS[0], ("Upload-Offset", "Bytes that are there"), BEGIN[1], BEGIN[5]];

/// Parts of paths.
const PARTS: &[(&str, &str)] = &[
    ("account", "The name of an account: that of its user"),
    ("id", "What its owner calls it: letters, digits, `-`, `_`, and `.` but at the ends"),
    ("asset", "The name of a result, as the profile has it"),
    ("language", "A tag of BCP 47: `en`, `pt-BR`"),
    ("upload", "What the address ends with that `Location` has said"),
    ("file", "The ID and what follows it: `party.mp4`, `party/1.jpg`"),
];

/// Paths that are pages for people alone.
#[cfg(test)]
const FOR_PEOPLE: &[&str] = &["/media/{id}/delete"];

/// Not below the base, and open to everybody for what is published.
const DELIVERY: &str = "/media/{account}/{asset}/{file}";

const ITEM: MakeSchema = SchemaGenerator::subschema_for::<ItemView>;
const JOB: MakeSchema = SchemaGenerator::subschema_for::<JobView>;

const OPERATIONS: &[Operation] = &[
    get("/account", "getAccount", "What an account keeps and may keep, and its profiles")
        .value(SchemaGenerator::subschema_for::<Account<'static>>),
    get("/media", "listMedia", "Items, the newest first; the header `Link` leads on")
        .query(FILTERS)
        .value(SchemaGenerator::subschema_for::<List<'static>>),
    new("post", "/media", "uploadForm", "Uploads by a form; without `id` one is made of the file's name and digest")
        .takes(Takes::Upload)
        .done(&[201, 200])
        .value(ITEM),
    get("/media/{id}", "getMedia", "An item, its job and its results").value(ITEM),
    new(
        "put",
        "/media/{id}",
        "upload",
        "Uploads: creates an item, or replaces its upload; the same bytes change nothing",
    )
    .takes(Takes::Bytes)
    .done(&[201, 200])
    .value(ITEM)
    .guarded(),
    new("patch", "/media/{id}", "changeMedia", "Changes what is given")
        .takes(Takes::Fields(CHANGES))
        .value(ITEM)
        .guarded(),
    new("delete", "/media/{id}", "deleteMedia", "Removes an item, its upload and all results").done(&[204]).guarded(),
    new("put", "/media/{id}/published", "publish", "Shows results to everybody").value(ITEM).guarded(),
    new("delete", "/media/{id}/published", "unpublish", "Shows them no more, from the answer on").value(ITEM).guarded(),
    get("/media/{id}/source", "getSource", "The upload as it came; takes ranges").file("application/octet-stream"),
    new("post", "/media/{id}/sign", "sign", "Makes addresses of results that are good for a while")
        .takes(Takes::Fields(SIGN))
        .value(SchemaGenerator::subschema_for::<SignedAssets>),
    get("/media/{id}/assets", "listAssets", "Results").value(SchemaGenerator::subschema_for::<Vec<AssetView>>),
    get("/media/{id}/assets/{asset}", "getAsset", "A result and its files")
        .value(SchemaGenerator::subschema_for::<AssetView>),
    get("/media/{id}/captions/{language}", "getCaptions", "Captions as they came: WebVTT").file("text/vtt"),
    new("put", "/media/{id}/captions/{language}", "putCaptions", "Takes captions in a language, which are checked")
        .takes(Takes::WebVtt)
        .done(&[201, 200])
        .value(SchemaGenerator::subschema_for::<CaptionView>),
    new("delete", "/media/{id}/captions/{language}", "deleteCaptions", "Removes captions").done(&[204]),
    get("/media/{id}/job", "getJob", "The newest job; `Retry-After` says when to ask again").value(JOB),
    new("post", "/media/{id}/job", "encode", "Encodes once more").takes(Takes::Fields(ORDER)).done(&[202]).value(JOB),
    new("delete", "/media/{id}/job", "cancel", "Ends the job; what was made before stays").done(&[204]),
    get("/jobs", "listJobs", "Jobs, the newest first")
        .query(OPEN)
        .value(SchemaGenerator::subschema_for::<Jobs<'static>>),
    new("post", "/tus", "beginUpload", "Begins an upload in pieces (tus 1.0.0); its address is `Location`")
        .headers(BEGIN)
        .takes(Takes::Piece)
        .done(&[201]),
    new("options", "/tus", "describeTus", "What of tus there is").done(&[204]),
    new("head", "/tus/{upload}", "getOffset", "How far it is: `Upload-Offset`").headers(TUS),
    new("patch", "/tus/{upload}", "append", "Brings the next bytes; the last one makes it an item")
        .headers(APPEND)
        .takes(Takes::Piece)
        .done(&[204]),
    new("delete", "/tus/{upload}", "giveUp", "Gives an upload up").headers(TUS).done(&[204]),
    new("options", "/tus/{upload}", "describeTusUpload", "What of tus there is").done(&[204]),
    get(DELIVERY, "deliver", "A file of a result; takes ranges").query(SEEK).file("*/*"),
    new("options", DELIVERY, "mayDeliver", "For scripts on other sites: they may").done(&[204]),
];

const fn new(method: &'static str, path: &'static str, name: &'static str, summary: &'static str) -> Operation {
    let (takes, gives) = (Takes::Nothing, Gives::Nothing);
    Operation { method, path, name, summary, query: &[], headers: &[], takes, done: &[200], gives, is_guarded: false }
}

const fn get(path: &'static str, name: &'static str, summary: &'static str) -> Operation {
    new("get", path, name, summary)
}

impl Operation {
    const fn query(mut self, query: &'static [(&'static str, &'static str)]) -> Operation {
        self.query = query;
        self
    }

    const fn headers(mut self, headers: &'static [(&'static str, &'static str)]) -> Operation {
        self.headers = headers;
        self
    }

    const fn takes(mut self, takes: Takes) -> Operation {
        self.takes = takes;
        self
    }

    const fn done(mut self, done: &'static [u16]) -> Operation {
        self.done = done;
        self
    }

    const fn value(mut self, schema: MakeSchema) -> Operation {
        self.gives = Gives::Value(schema);
        self
    }

    const fn file(mut self, media_type: &'static str) -> Operation {
        self.gives = Gives::File(media_type);
        self
    }

    const fn guarded(mut self) -> Operation {
        self.is_guarded = true;
        self
    }

    fn describe(&self, schemas: &mut SchemaGenerator) -> Value {
        let mut parameters: Vec<Value> = self.query.iter().map(|(name, text)| parameter("query", name, text)).collect();
        parameters.extend(self.headers.iter().map(|(name, text)| parameter("header", name, text)));
        if matches!(self.takes, Takes::Bytes) {
            parameters.extend(WISHES.iter().map(|(name, text)| parameter("header", &format!("X-Flvio-{name}"), text)));
        }
        if self.is_guarded {
            parameters.push(parameter("header", "If-Match", "A tag: nothing is done if something was changed since"));
        }
        if matches!(self.gives, Gives::Value(_)) {
            let mut format = parameter("query", "format", "In place of what `Accept` says");
            format["schema"]["enum"] = json!(["json", "xhtml"]);
            parameters.push(format);
        }
        let content = match &self.gives {
            Gives::Nothing => None,
            Gives::Value(schema) => Some(json!({
                "application/json": {"schema": schema(schemas)},
                "application/xhtml+xml": {"schema": {"type": "string", "description": "A page of the same"}},
            })),
            Gives::File(media_type) => Some(json!({ *media_type: {} })),
        };
        let done = |status: u16| match &content {
            Some(content) if status != 204 => json!({"description": said(status), "content": content}),
            _ => json!({"description": said(status)}),
        };
        let mut responses: Map<String, Value> =
            self.done.iter().map(|status| (status.to_string(), done(*status))).collect();
        responses.insert("default".to_owned(), json!({"$ref": "#/components/responses/Problem"}));
        let mut described = json!({"operationId": self.name, "summary": self.summary, "responses": responses});
        if !parameters.is_empty() {
            described["parameters"] = parameters.into();
        }
        if let Some(body) = self.takes.describe() {
            described["requestBody"] = body;
        }
        described
    }
}

impl Takes {
    fn describe(&self) -> Option<Value> {
        let (media_type, schema, required) = match self {
            Takes::Nothing => return None,
            Takes::Bytes => ("application/octet-stream", json!({}), true),
            Takes::Piece => ("application/offset+octet-stream", json!({}), false),
            Takes::WebVtt => ("text/vtt", json!({}), true),
            Takes::Upload => {
                let mut fields = fields(WISHES);
                fields["properties"]["file"] = json!({"description": "The upload"});
                fields["properties"]["id"] = json!({"type": "string", "description": PARTS[1].1});
                fields["required"] = json!(["file"]);
                ("multipart/form-data", fields, true)
            }
            Takes::Fields(names) => ("application/x-www-form-urlencoded", fields(names), false),
        };
        Some(json!({"required": required, "content": {media_type: {"schema": schema}}}))
    }
}

fn fields(names: &[(&str, &str)]) -> Value {
    let field = |(name, text): &(&str, &str)| ((*name).to_owned(), json!({"type": "string", "description": text}));
    json!({"type": "object", "properties": names.iter().map(field).collect::<Map<_, _>>()})
}

fn parameter(place: &str, name: &str, text: &str) -> Value {
    json!({"name": name, "in": place, "required": place == "path", "description": text, "schema": {"type": "string"}})
}

fn said(status: u16) -> &'static str {
    match status {
        201 => "There is a new item",
        202 => "It waits for a worker",
        204 => "It is so",
        _ => "As it is now",
    }
}

/// The document.
fn document() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut schemas = SchemaGenerator::new(settings);
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for operation in OPERATIONS {
        let path = paths.entry(operation.path).or_insert_with(|| of_path(operation.path));
        path.insert(operation.method.to_owned(), operation.describe(&mut schemas));
    }
    let base = super::OWN.trim_start_matches('/');
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "opsctl encoder",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Uploads, what is made of them, and who sees it. Every address is a page for browsers as well.",
        },
        // seen from the document, so that a proxy in front may put all under a path of its own
        "servers": [
            {"url": base, "description": "The account of whoever asks"},
            {"url": format!("{base}/accounts/{{account}}"), "description": "Any account that they have rights in",
                "variables": {"account": {"default": "acme", "description": PARTS[0].1}}},
        ],
        "security": [{"token": []}, {"basic": []}],
        "paths": paths,
        "components": {
            "schemas": schemas.take_definitions(true),
            "responses": {"Problem": {
                "description": "It was not done, and why (RFC 9457)",
                "content": {"application/problem+json": {"schema": {"type": "object", "properties": {
                    "title": {"type": "string"}, "status": {"type": "integer"}, "detail": {"type": "string"},
                    "code": {"type": "string", "description": "For programs: `quota`, `too-large`, `no-item`, …"},
                }}}},
            }},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "A token of the user base, opx_…"},
                "basic": {"type": "http", "scheme": "basic",
                    "description": "A user and its password, or any name (`__token__`) and a token"},
            },
        },
    })
}

/// What all operations of a path share.
fn of_path(path: &str) -> Map<String, Value> {
    let parts = PARTS.iter().filter(|(part, _)| path.contains(&format!("{{{part}}}")));
    let parameters: Vec<Value> = parts.map(|(name, text)| parameter("path", name, text)).collect();
    let mut map = Map::new();
    if !parameters.is_empty() {
        map.insert("parameters".to_owned(), parameters.into());
    }
    if path == DELIVERY {
        map.insert("servers".to_owned(), json!([{"url": "."}]));
    }
    map
}

pub(super) async fn page() -> Response {
    static TEXT: LazyLock<String> = LazyLock::new(|| document().to_string());
    let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "max-age=300, public")];
    (headers, TEXT.as_str()).into_response()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_path_is_described() {
        let served: BTreeSet<&str> = super::super::of_account().iter().map(|(path, _)| *path).collect();
        let described = OPERATIONS.iter().map(|operation| operation.path).filter(|path| *path != DELIVERY);
        assert_eq!(described.chain(FOR_PEOPLE.iter().copied()).collect::<BTreeSet<_>>(), served);
    }

    #[test]
    fn every_operation_stands_in_the_document_once() {
        let document = document();
        let mut names = BTreeSet::new();
        for operation in OPERATIONS {
            assert_eq!(document["paths"][operation.path][operation.method]["operationId"], operation.name);
            assert!(names.insert(operation.name), "{}", operation.name);
            let known = document["paths"][operation.path]["parameters"].as_array().map_or(0, Vec::len);
            assert_eq!(operation.path.matches('{').count(), known, "{}", operation.path);
        }
        let text = document.to_string();
        for schema in text.split("\"#/components/schemas/").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(document["components"]["schemas"][schema].is_object(), "{schema}");
        }
    }
}
