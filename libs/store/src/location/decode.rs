//! Databases and stores in a configuration: a string that may hold a password, so that no fault shows it and `config show`
//! masks what is secret in it.

use std::borrow::Cow;

use opsctl_config::Secret;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::{DatabaseUrl, StoreUrl};

impl<'de> Deserialize<'de> for DatabaseUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Secret::deserialize(deserializer)?.expose().parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for DatabaseUrl {
    fn schema_name() -> Cow<'static, str> {
        "DatabaseUrl".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "`sqlite`, or the URL of a PostgreSQL database.",
            "type": "string",
            "writeOnly": true,
            "x-masked": "url",
            "examples": ["sqlite", "postgres://opsctl@db.example.org/opsctl?sslmode=verify-full"],
        })
    }
}

impl<'de> Deserialize<'de> for StoreUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Secret::deserialize(deserializer)?.expose().parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for StoreUrl {
    fn schema_name() -> Cow<'static, str> {
        "StoreUrl".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "`folder`, or the URL of a bucket in an S3-compatible store.",
            "type": "string",
            "writeOnly": true,
            "x-masked": "url",
            "examples": ["folder", "s3://bucket/prefix?endpoint=https://s3.example.org&region=eu-1"],
        })
    }
}
