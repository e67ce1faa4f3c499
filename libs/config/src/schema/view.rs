//! Looking a key up in a schema, through references and alternatives.

use schemars::Schema;
use serde_json::Value;

/// How many references and alternatives may lie on top of each other.
const MAX_DEPTH: usize = 16;
const KEYWORDS: [&str; 3] = ["allOf", "anyOf", "oneOf"];

/// The schemas that apply to one value.
pub(crate) struct View<'a> {
    root: &'a Value,
    schemas: Vec<&'a Value>,
}

impl<'a> View<'a> {
    pub(crate) fn of(schema: &'a Schema) -> Self {
        let root = schema.as_value();
        Self::new(root, [root])
    }

    fn new(root: &'a Value, found: impl IntoIterator<Item = &'a Value>) -> Self {
        let mut schemas = Vec::new();
        found.into_iter().for_each(|schema| expand(root, schema, MAX_DEPTH, &mut schemas));
        Self { root, schemas }
    }

    fn inner(&self, step: impl Fn(&'a Value) -> Option<&'a Value>) -> Self {
        Self::new(self.root, self.schemas.iter().filter_map(|schema| step(schema)).collect::<Vec<_>>())
    }

    /// Of the value of a key.
    pub(crate) fn key(&self, name: &str) -> Self {
        self.inner(|schema| {
            let known = schema.get("properties").and_then(|properties| properties.get(name));
            known.or_else(|| schema.get("additionalProperties").filter(|other| other.is_object()))
        })
    }

    /// Of an element of a list.
    pub(crate) fn item(&self) -> Self {
        self.inner(|schema| schema.get("items").filter(|items| items.is_object()))
    }

    /// Whether a value of this JSON type may stand here.
    pub(crate) fn allows(&self, kind: &str) -> bool {
        self.schemas.iter().any(|schema| match schema.get("type") {
            Some(Value::String(only)) => only == kind,
            Some(Value::Array(kinds)) => kinds.iter().any(|one| one == kind),
            _ => {
                let constant = |value: &Value| kind == "string" && value.is_string();
                schema.get("const").is_some_and(constant)
                    || schema.get("enum").and_then(Value::as_array).is_some_and(|all| all.iter().any(constant))
            }
        })
    }

    /// Whether nothing is said about it.
    pub(crate) fn is_unknown(&self) -> bool {
        self.schemas.is_empty()
    }

    /// Whether only the password in it is secret: `"x-masked": "url"` beside `writeOnly`.
    pub(crate) fn is_url(&self) -> bool {
        self.schemas.iter().any(|schema| schema.get("x-masked").and_then(Value::as_str) == Some("url"))
    }

    pub(crate) fn is_secret(&self) -> bool {
        self.schemas.iter().any(|schema| schema.get("writeOnly").and_then(Value::as_bool) == Some(true))
    }
}

/// The schema and all that it is made of.
fn expand<'a>(root: &'a Value, schema: &'a Value, depth: usize, found: &mut Vec<&'a Value>) {
    if depth == 0 || !schema.is_object() {
        return;
    }
    found.push(schema);
    let reference = schema.get("$ref").and_then(Value::as_str).and_then(|name| name.strip_prefix('#'));
    if let Some(target) = reference.and_then(|pointer| root.pointer(pointer)) {
        expand(root, target, depth - 1, found);
    }
    for alternatives in KEYWORDS.iter().filter_map(|keyword| schema.get(*keyword)?.as_array()) {
        alternatives.iter().for_each(|schema| expand(root, schema, depth - 1, found));
    }
}

/// The dotted paths of all secrets (`writeOnly`) in a schema; `*` stands for any key and for the elements of a list.
pub fn secret_paths(schema: &Schema) -> Vec<String> {
    let mut paths = Vec::new();
    collect(&View::of(schema), "", MAX_DEPTH, &mut paths);
    paths.sort();
    paths.dedup();
    paths
}

fn collect(view: &View<'_>, path: &str, depth: usize, paths: &mut Vec<String>) {
    if view.is_secret() {
        paths.push(path.to_owned());
    }
    if depth == 0 {
        return;
    }
    let dot = if path.is_empty() { "" } else { "." };
    let properties = view.schemas.iter().filter_map(|schema| schema.get("properties")?.as_object());
    for name in properties.flat_map(|properties| properties.keys()) {
        collect(&view.key(name), &format!("{path}{dot}{}", crate::show::key(name)), depth - 1, paths);
    }
    let others = view.inner(|schema| schema.get("additionalProperties").filter(|other| other.is_object()));
    for inner in [others, view.item()].into_iter().filter(|inner| !inner.is_unknown()) {
        collect(&inner, &format!("{path}{dot}*"), depth - 1, paths);
    }
}
