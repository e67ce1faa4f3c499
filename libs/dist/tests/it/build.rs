//! Distributions built in memory.

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// METADATA of a project and version, with more fields.
pub(crate) fn metadata(name: &str, version: &str, more: &str) -> String {
    format!("Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n{more}\nA text.\n")
}

/// A zip archive of these members, deflated.
pub(crate) fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A wheel with that METADATA in `folder`, and a module.
pub(crate) fn wheel(folder: &str, metadata: &str) -> Vec<u8> {
    let names = ["METADATA", "WHEEL", "RECORD"].map(|name| format!("{folder}/{name}"));
    let record = format!("foo.py,,\n{},,\n{},,\n{},,\n", names[0], names[1], names[2]);
    zip(&[
        ("foo.py", b"x = 1\n"),
        (&names[0], metadata.as_bytes()),
        (&names[1], b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"),
        (&names[2], record.as_bytes()),
    ])
}
