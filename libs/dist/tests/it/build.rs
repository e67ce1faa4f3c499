//! Distributions built in memory.

use std::io::{Cursor, Write};

use sha2::{Digest, Sha256};
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

/// RECORD of these files, and of itself in `folder`.
pub(crate) fn record(folder: &str, files: &[(&str, &[u8])]) -> String {
    let row = |(name, bytes): &(&str, &[u8])| {
        let quoted = name.replace('"', "\"\"");
        format!("\"{quoted}\",sha256={},{}\n", base64(&Sha256::digest(bytes)), bytes.len())
    };
    files.iter().map(row).collect::<String>() + &format!("{folder}/RECORD,,\n")
}

/// As Python's `base64.urlsafe_b64encode(…).rstrip(b"=")`.
fn base64(bytes: &[u8]) -> String {
    let bits: Vec<u8> = bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
    let digit = |bits: &[u8]| bits.iter().chain([0; 6].iter()).take(6).fold(0_u8, |sum, bit| sum << 1 | bit);
    let letter = |value: u8| match value {
        0..26 => b'A' + value,
        26..52 => b'a' + value - 26,
        52..62 => b'0' + value - 52,
        62 => b'-',
        _ => b'_',
    };
    bits.chunks(6).map(|bits| char::from(letter(digit(bits)))).collect()
}

/// A wheel with that METADATA in `folder`, a module, and more files.
pub(crate) fn wheel_with(folder: &str, metadata: &str, more: &[(&str, &[u8])]) -> Vec<u8> {
    let names = ["METADATA", "WHEEL", "RECORD"].map(|name| format!("{folder}/{name}"));
    let wheel = b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n".as_slice();
    let mut files = vec![("foo.py", b"x = 1\n".as_slice()), (&names[0], metadata.as_bytes()), (&names[1], wheel)];
    for (name, bytes) in more {
        files.retain(|(former, _)| former != name);
        files.push((name, bytes));
    }
    let record = record(folder, &files);
    if !files.iter().any(|(name, _)| *name == names[2]) {
        files.push((&names[2], record.as_bytes()));
    }
    zip(&files)
}

/// A wheel with that METADATA in `folder`, and a module.
pub(crate) fn wheel(folder: &str, metadata: &str) -> Vec<u8> {
    wheel_with(folder, metadata, &[])
}

/// Packs by gzip.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A tar archive in which each member is appended by a function.
pub(crate) fn tar(append: impl FnOnce(&mut tar::Builder<Vec<u8>>)) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    append(&mut builder);
    builder.into_inner().unwrap()
}

/// Appends a file.
pub(crate) fn file(builder: &mut tar::Builder<Vec<u8>>, name: &str, bytes: &[u8]) {
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes.len() as u64);
    header.set_mode(0o644);
    builder.append_data(&mut header, name, bytes).unwrap();
}

/// A source distribution with that PKG-INFO in `folder`.
pub(crate) fn sdist(folder: &str, metadata: &str) -> Vec<u8> {
    gzip(&tar(|builder| {
        file(builder, &format!("{folder}/PKG-INFO"), metadata.as_bytes());
        file(builder, &format!("{folder}/foo.py"), b"x = 1\n");
    }))
}
