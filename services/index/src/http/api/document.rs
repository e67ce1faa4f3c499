//! `GET /openapi.json`: the table of operations as OpenAPI 3.1.

use std::collections::BTreeMap;

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::operation::Operation;

/// What every part of a path is.
const PARTS: [(&str, &str); 5] = [
    ("index", "The name of an index"),
    ("project", "A project, in any spelling"),
    ("version", "A version"),
    ("file", "The name of a file"),
    ("pattern", "`acme` alone, or `acme-*` for it and all that begin with `acme-`"),
];

pub(super) async fn page() -> Response {
    let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "max-age=300, public")];
    (headers, super::openapi()).into_response()
}

/// The document.
pub(super) fn write(operations: Vec<Operation>) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut schemas = SchemaGenerator::new(settings);
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for operation in &operations {
        let path = paths.entry(operation.path()).or_insert_with(|| parameters(operation.path()));
        path.insert(operation.method.as_str().to_ascii_lowercase(), describe(operation, &mut schemas));
    }
    let components = json!({
        "schemas": schemas.take_definitions(true),
        "responses": {
            "Problem": {
                "description": "It was not done, and why (RFC 9457)",
                "content": {"application/problem+json": {"schema": {"type": "object", "properties": {
                    "title": {"type": "string"}, "status": {"type": "integer"}, "detail": {"type": "string"},
                }}}},
            },
        },
        "securitySchemes": {
            "token": {"type": "http", "scheme": "bearer", "description": "A token of the user base, opx_…"},
            "basic": {"type": "http", "scheme": "basic",
                "description": "A user and its password, or any name (`__token__`) and a token"},
        },
    });
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "opsctl index",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "What can be done to the projects of a package index. Files are uploaded as twine and uv do.",
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        // seen from the document, so that a proxy in front may put all under a path of its own
        "servers": [{"url": super::BASE.trim_start_matches('/')}],
        "security": [{}, {"token": []}, {"basic": []}],
        "paths": paths,
        "components": components,
    })
}

/// The parts of a path.
fn parameters(path: &str) -> Map<String, Value> {
    let parts = PARTS.iter().filter(|(part, _)| path.contains(&format!("{{{part}}}")));
    let parameter = |(name, description): &(&str, &str)| json!({"name": name, "in": "path", "required": true, "description": description, "schema": {"type": "string"}});
    let parameters: Vec<Value> = parts.map(parameter).collect();
    let mut map = Map::new();
    if !parameters.is_empty() {
        map.insert("parameters".to_owned(), parameters.into());
    }
    map
}

fn describe(operation: &Operation, schemas: &mut SchemaGenerator) -> Value {
    let mut parameters: Vec<Value> = operation
        .query
        .iter()
        .map(|(name, description)| {
            json!({"name": name, "in": "query", "description": description, "schema": {"type": "string"}})
        })
        .collect();
    if operation.is_guarded {
        parameters.push(json!({
            "name": "If-Match", "in": "header", "schema": {"type": "string"},
            "description": "The tag that was read: nothing is done if something was changed since",
        }));
    }
    let mut done = json!({"description": "It is so"});
    if let Some(answers) = operation.answers {
        done["content"] = json!({"application/json": {"schema": answers(schemas)}});
    }
    if operation.has_tag {
        done["headers"] = json!({"ETag": {"schema": {"type": "string"}, "description": "Names the last change"}});
    }
    let status = if operation.answers.is_some() { "200" } else { "204" };
    let mut described = json!({
        "operationId": operation.name,
        "summary": operation.summary,
        "responses": {status: done, "default": {"$ref": "#/components/responses/Problem"}},
    });
    if !parameters.is_empty() {
        described["parameters"] = parameters.into();
    }
    if let Some(takes) = operation.takes {
        let content = json!({"application/json": {"schema": takes(schemas)}});
        described["requestBody"] = json!({"required": true, "content": content});
    }
    described
}
