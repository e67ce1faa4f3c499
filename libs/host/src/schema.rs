//! JSON Schema of the whole configuration, for editors and for masking secrets.

use opsctl_auth::{NAME as AUTH, Settings as AuthSettings};
use opsctl_config::{Document, document_schema};
use schemars::{Schema, schema_for};

use crate::plugin::{Kind, Plugin};
use crate::settings::{Common, HostSettings, LogSettings};

/// The schema of a document with the tables of the host and of every service in `plugins`; with `defaults`, keys that
/// have one are not required.
#[must_use]
pub fn schema(plugins: &[Plugin], defaults: Option<&Document>) -> Schema {
    let mut tables = vec![
        ("host", vec![schema_for!(HostSettings)]),
        ("log", vec![schema_for!(LogSettings)]),
        (AUTH, vec![schema_for!(AuthSettings)]),
    ];
    for plugin in plugins.iter().filter(|plugin| !plugin.hidden) {
        if let Kind::Service(service) = plugin.kind {
            tables.push((plugin.name, vec![service.schema(), schema_for!(Common)]));
        }
    }
    document_schema(tables, defaults)
}
