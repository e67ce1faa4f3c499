//! The schema of the whole document.

use super::{Finger, Host, Layers, show};
use crate::{document_schema, secret_paths};
use schemars::{JsonSchema, schema_for};
use serde_json::{Value, json};

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is of interest")]
struct Common {
    /// Whether it runs.
    enabled: bool,
}

fn whole() -> Value {
    let (defaults, _) = Layers::default().sources().read();
    let tables = [("host", vec![schema_for!(Host)]), ("finger", vec![schema_for!(Finger), schema_for!(Common)])];
    document_schema(tables, Some(&defaults)).to_value()
}

#[track_caller]
fn check(pointer: &str, expected: Value) {
    let schema = whole();
    assert_eq!(schema.pointer(pointer), Some(&expected), "{schema:#}");
}

#[test]
fn tables() {
    check("/$schema", json!("https://json-schema.org/draft/2020-12/schema"));
    check("/additionalProperties", json!(false));
    check(
        "/properties/host",
        json!({
            "title": "Host",
            "type": "object",
            "properties": { "user": { "type": "string", "default": "nobody" } },
            "additionalProperties": false,
        }),
    );
    check("/properties/finger/properties/enabled", json!({ "description": "Whether it runs.", "type": "boolean" }));
    check("/properties/finger/required", json!(["enabled"]));
    check("/properties/finger/properties/max/default", json!(100));
    check("/properties/finger/properties/irc/properties/nick", json!({ "type": "string", "default": "fingerbot" }));
    check("/properties/finger/properties/irc/additionalProperties", json!(false));
    check("/$defs/Irc/required", json!(["nick", "port"]));
    check("/$defs/Index/required", json!(["url"]));
}

/// Types of two services may have one name.
#[test]
fn one_name_for_two_types() {
    mod other {
        #[derive(schemars::JsonSchema)]
        #[expect(dead_code, reason = "only its schema is of interest")]
        pub(super) struct Index {
            pub(super) path: String,
        }
    }
    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema is of interest")]
    struct Web {
        index: other::Index,
        all: Vec<other::Index>,
    }
    let tables = [("finger", vec![schema_for!(Finger)]), ("web", vec![schema_for!(Web)])];
    let schema = document_schema(tables, None).to_value();
    assert_eq!(schema["properties"]["web"]["properties"]["index"]["$ref"], "#/$defs/web.Index");
    assert_eq!(schema["properties"]["web"]["properties"]["all"]["items"]["$ref"], "#/$defs/web.Index");
    assert_eq!(schema["$defs"]["web.Index"]["required"], json!(["path"]));
    assert_eq!(schema["$defs"]["Index"]["required"], json!(["url"]));
}

#[test]
fn secrets() {
    let paths = ["finger.dsn", "finger.irc.password", "finger.password"];
    assert_eq!(secret_paths(&show::schema()), paths);
    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema is of interest")]
    struct Keys {
        all: Vec<crate::Secret>,
        by_name: std::collections::BTreeMap<String, Option<crate::Secret>>,
        many: crate::Many<crate::Secret>,
    }
    assert_eq!(secret_paths(&schema_for!(Keys)), ["all.*", "by_name.*", "many", "many.*"]);
}
