//! The schema of a file from the schemas of its tables.

use crate::document::Document;
use crate::node::{Node, Value as Held};
use schemars::Schema;
use serde_json::{Map, Value, json};

const DEFS: &str = "$defs";

/// The JSON Schema (2020-12) of a whole document, for editors. Each table is named and made of one or more schemas, whose
/// properties are joined (a service's own and the host's). A key that `defaults` has is not required and says its
/// default; a key that nobody knows is refused.
pub fn document_schema<'a>(
    tables: impl IntoIterator<Item = (&'a str, Vec<Schema>)>,
    defaults: Option<&Document>,
) -> Schema {
    let mut defs = Map::new();
    let mut properties = Map::new();
    for (name, parts) in tables {
        let mut table = Map::new();
        for part in parts {
            join(&mut table, name, part.to_value(), &mut defs);
        }
        table.remove("$schema");
        table.insert("type".to_owned(), json!("object"));
        properties.insert(name.to_owned(), Value::Object(table));
    }
    let mut root = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "opsctl",
        "type": "object",
        "properties": properties,
        DEFS: defs,
    });
    close(&mut root);
    if let Some(document) = defaults {
        let defs = root.get(DEFS).cloned().unwrap_or_default();
        for (name, node) in &document.root.entries {
            if let Some(table) = root.get_mut("properties").and_then(|tables| tables.get_mut(name)) {
                relax(table, node, &defs);
            }
        }
    }
    Schema::try_from(root).unwrap_or_default()
}

/// Adds one schema to a table's.
fn join(table: &mut Map<String, Value>, name: &str, part: Value, defs: &mut Map<String, Value>) {
    let Value::Object(mut part) = part else { return };
    if let Some(Value::Object(own)) = part.remove(DEFS) {
        let mut renamed = Vec::new();
        for (def, schema) in own {
            match defs.get(&def) {
                Some(other) if *other != schema => renamed.push((def, schema)),
                _ => drop(defs.insert(def, schema)),
            }
        }
        // two services may each have a type of one name
        for (def, schema) in renamed {
            let new = format!("{name}.{def}");
            refer(&mut part, &def, &new);
            defs.insert(new, schema);
        }
    }
    for (keyword, value) in part {
        match (table.get_mut(&keyword), value) {
            (Some(Value::Object(all)), Value::Object(more)) => all.extend(more),
            (Some(Value::Array(all)), Value::Array(more)) => all.extend(more),
            (Some(_), _) => {}
            (None, value) => drop(table.insert(keyword, value)),
        }
    }
}

/// Points references to a definition at its new name.
fn refer(schema: &mut Map<String, Value>, old: &str, new: &str) {
    for (keyword, value) in schema {
        match value {
            Value::String(target) if keyword == "$ref" && *target == format!("#/{DEFS}/{old}") => {
                *target = format!("#/{DEFS}/{new}");
            }
            Value::Object(inner) => refer(inner, old, new),
            Value::Array(items) => {
                items.iter_mut().filter_map(Value::as_object_mut).for_each(|item| refer(item, old, new));
            }
            _ => {}
        }
    }
}

/// Refuses unknown keys wherever keys are listed, as the reader does.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(schema) => {
            if schema.get("properties").is_some_and(Value::is_object) && !schema.contains_key("additionalProperties") {
                schema.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
            schema.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

/// Lets out what has a default, and says which.
fn relax(schema: &mut Value, node: &Node, defs: &Value) {
    let Some(table) = node.as_table() else { return };
    // a definition may serve other keys too, so this place gets its own copy
    if let Some(target) = schema.get("$ref").and_then(Value::as_str).and_then(|name| name.rsplit('/').next())
        && let Some(definition) = defs.get(target)
    {
        *schema = definition.clone();
    }
    if let Some(Value::Array(required)) = schema.get_mut("required") {
        required.retain(|name| name.as_str().is_none_or(|name| !table.entries.contains_key(name)));
    }
    if schema.get("required").and_then(Value::as_array).is_some_and(Vec::is_empty)
        && let Some(schema) = schema.as_object_mut()
    {
        schema.remove("required");
    }
    for (name, node) in &table.entries {
        let Some(property) = schema.get_mut("properties").and_then(|all| all.get_mut(name)) else { continue };
        match (json(node), property) {
            (Some(value), Value::Object(property)) => drop(property.insert("default".to_owned(), value)),
            (None, property) => relax(property, node, defs),
            _ => {}
        }
    }
}

/// A default as JSON; none for a table, whose keys have theirs.
fn json(node: &Node) -> Option<Value> {
    Some(match &node.value {
        Held::Text(text) | Held::String(text) => json!(text),
        Held::Integer { value, .. } => json!(value),
        Held::Float(value) => json!(value),
        Held::Boolean(value) => json!(value),
        Held::Datetime(value) => json!(value.to_string()),
        Held::Array(items) => Value::Array(items.iter().filter_map(json).collect()),
        Held::Table(_) => return None,
    })
}
