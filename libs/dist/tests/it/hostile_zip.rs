//! Zip archives that two readers could see differently, or that harm: one for each rule. The members around the wrong one
//! are those of a wheel that is fine.

use opsctl_dist::{Distribution, Level, Limits};

use crate::build::{metadata, record};
use crate::rawzip::{Parts, Raw, extra, member, parts};

const NAME: &str = "foo-1.0-py3-none-any.whl";

/// A wheel's members, with one more.
fn members(more: Raw) -> Vec<Raw> {
    let name = String::from_utf8_lossy(&more.central.name).into_owned();
    let text = metadata("foo", "1.0", "");
    let wheel = "Wheel-Version: 1.0\nTag: py3-none-any\n";
    let mut files =
        vec![("foo-1.0.dist-info/METADATA", text.as_bytes()), ("foo-1.0.dist-info/WHEEL", wheel.as_bytes())];
    if !name.ends_with('/') {
        files.insert(0, (&name, &more.data));
    }
    let record = record("foo-1.0.dist-info", &files);
    let mut members = vec![more.clone()];
    members.extend(files.iter().filter(|(file, _)| *file != name).map(|(name, bytes)| member(name, bytes)));
    members.push(member("foo-1.0.dist-info/RECORD", record.as_bytes()));
    members
}

fn check_bytes(bytes: &[u8], said: &str) {
    check_with(&Limits::default(), bytes, said);
}

/// Empty: an upload of it is taken, without a warning.
fn check_with(limits: &Limits, bytes: &[u8], said: &str) {
    for level in [Level::Strict, Level::Legacy] {
        let seen = match Distribution::from_bytes(bytes, NAME, level, limits) {
            Err(error) => error.to_string(),
            Ok(read) => read.warnings.iter().map(ToString::to_string).collect(),
        };
        assert!(seen == said || !said.is_empty() && seen.contains(said), "{said}: {seen}");
    }
}

fn check(more: Raw, said: &str) {
    check_bytes(&parts(&members(more)).join(), said);
}

fn check_parts(change: impl Fn(Parts) -> Parts, said: &str) {
    check_bytes(&change(parts(&members(member("foo.py", b"x = 1\n")))).join(), said);
}

fn deflated(name: &str, data: &[u8]) -> Raw {
    use std::io::Write;
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(data).unwrap();
    let packed = encoder.finish().unwrap();
    let length = u32::try_from(packed.len()).unwrap();
    let raw = member(name, data).both(|header| (header.method, header.packed) = (8, length));
    Raw { data: packed, ..raw }
}

/// In the data of `raw` is the packed form; the record wants the other.
fn check_deflated(raw: Raw, data: &[u8], said: &str) {
    let mut all = members(member(std::str::from_utf8(&raw.central.name).unwrap(), data));
    all[0] = raw;
    check_bytes(&parts(&all).join(), said);
}

#[test]
fn what_is_taken() {
    check(member("foo.py", b"x = 1\n"), "");
    check(member("empty", b""), "");
    check(member("folder/", b""), "");
    check(member("f\u{e9}.py", b""), "");
    check_deflated(deflated("foo.py", b"x = 1\n"), b"x = 1\n", "");
    let noise: Vec<u8> = (0..300_000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect();
    check_deflated(deflated("noise", &noise), &noise, "");
    check(member("time", b"").both(|header| header.extra = extra(0x5455, b"\x01\0\0\0\0")), "");
    check(member("a", b"").both(|header| header.extra = extra(0x7075, b"\x01\0\0\0\0a")), "");
    check_parts(|parts| Parts { end: (parts.end.0, parts.end.1, parts.end.2, b"built by hand".to_vec()), ..parts }, "");
    check_parts(
        |parts| {
            let at = parts.directory_end();
            parts.wide(b"", at)
        },
        "",
    );
}

#[test]
fn bytes_that_nobody_accounts_for() {
    check_bytes(b"", "file is not a zip file");
    check_bytes(b"PK\x05\x06", "file is not a zip file");
    check_parts(|parts| Parts { after: b"x".to_vec(), ..parts }, "trailing data");
    check_parts(|parts| Parts { locals: [b"#!/bin/sh\n", parts.locals.as_slice()].concat(), ..parts }, "leading data");
    let gap = Raw { after: b"gap".to_vec(), ..member("foo.py", b"") };
    check(gap, "unaccounted data");
    // a whole member that only those see who go from header to header
    let hidden = parts(&[member("hidden.py", b"import os")]).locals;
    check(Raw { after: hidden, ..member("foo.py", b"") }, "unaccounted data");
    // another archive behind the first
    let other = parts(&[member("other", b"")]).join();
    check_parts(|parts| Parts { after: other.clone(), ..parts }, "leading data");
}

#[test]
fn ends_that_lie() {
    check_parts(
        |mut parts| {
            parts.end.0 += 1;
            parts
        },
        "mismatched central directory records",
    );
    check_parts(
        |mut parts| {
            parts.end.1 -= 1;
            parts
        },
        "bad magic number for central directory",
    );
    check_parts(
        |mut parts| {
            parts.end.2 -= 1;
            parts
        },
        "leading data",
    );
    check_parts(
        |mut parts| {
            parts.end.2 += 1;
            parts
        },
        "its central directory lies outside of it",
    );
    check_parts(
        |mut parts| {
            parts.end.1 = u32::MAX;
            parts
        },
        "its central directory lies outside of it",
    );
    check_parts(
        |mut parts| {
            parts.central.pop();
            parts.end.1 -= 1;
            parts
        },
        "truncated central directory",
    );
}

#[test]
fn ends_of_zip64_that_lie() {
    check_parts(
        |parts| {
            let at = parts.directory_end();
            parts.wide(b"", at + 1)
        },
        "its ends contradict each other",
    );
    check_parts(
        |parts| {
            let at = parts.directory_end();
            parts.wide(b"more", at)
        },
        "extensible data",
    );
    let two_counts = |parts: Parts| {
        let at = parts.directory_end();
        let mut parts = parts.wide(b"", at);
        parts.end.0 -= 1;
        parts
    };
    check_parts(two_counts, "its ends contradict each other");
    let no_locator = |parts: Parts| {
        let at = parts.directory_end();
        let mut parts = parts.wide(b"", at);
        parts.wide.truncate(56);
        parts
    };
    check_parts(no_locator, "bad magic number for central directory");
    let other_disk = |parts: Parts| {
        let at = parts.directory_end();
        let mut parts = parts.wide(b"", at);
        parts.wide[16] = 1;
        parts
    };
    check_parts(other_disk, "its ends contradict each other");
}

#[test]
fn headers_that_differ() {
    check(member("foo.py", b"x").local(|header| header.name = b"bar.py".to_vec()), "mis-matched name of `foo.py`");
    check(member("foo.py", b"x").local(|header| header.size = 2), "mis-matched size of `foo.py`");
    check(member("foo.py", b"x").local(|header| header.packed = 2), "mis-matched size of `foo.py`");
    check(member("foo.py", b"x").local(|header| header.crc = 2), "mis-matched checksum of `foo.py`");
    check(member("foo.py", b"x").local(|header| header.method = 8), "mis-matched compression of `foo.py`");
    check(member("foo.py", b"x").local(|header| header.flags = 0x800), "mis-matched compression of `foo.py`");
    check(member("foo.py", b"x").central(|header| header.size = 2), "a stored member has two lengths");
    check(Raw { comment: b"c", ..member("foo.py", b"x") }, "comment in central directory");
}

#[test]
fn members_that_are_twice() {
    let mut twice = members(member("foo.py", b"x = 1\n"));
    twice.push(member("foo.py", b"import os\n"));
    check_bytes(&parts(&twice).join(), "duplicate filename `foo.py`");
    let mut folder = members(member("foo.py", b"x = 1\n"));
    folder.push(member("foo.py/", b""));
    check_bytes(&parts(&folder).join(), "duplicate filename `foo.py/`");
}

#[test]
fn data_that_are_not_there() {
    check(member("foo.py", b"x").both(|header| header.flags = 8), "ZIP contains a data descriptor");
    check(member("foo.py", b"x").local(|header| header.flags = 8), "ZIP contains a data descriptor");
    check(member("foo.py", b"x").both(|header| header.flags = 1), "does not use a supported compression type");
    check(
        member("foo.py", b"x").both(|header| header.method = 12),
        "`foo.py` in the zip file does not use a supported",
    );
    check(member("foo.py", b"x").both(|header| header.crc = 7), "`foo.py` in the zip file is damaged");
    let text = vec![b'a'; 100_000];
    for wrong in [99_999, 100_001] {
        let lies = deflated("foo.py", &text).both(|header| header.size = wrong);
        check_deflated(lies, &text, "`foo.py` in the zip file is damaged");
    }
    let cut = deflated("foo.py", &text);
    let packed = cut.data.len() - 3;
    let cut = Raw { data: cut.data[..packed].to_vec(), ..cut };
    check_deflated(cut.both(|header| header.packed = packed as u32), &text, "`foo.py` in the zip file is damaged");
    let longer = deflated("foo.py", &text);
    let packed = longer.data.len() + 2;
    let longer = Raw { data: [longer.data.as_slice(), b"xx"].concat(), ..longer };
    check_deflated(longer.both(|header| header.packed = packed as u32), &text, "`foo.py` in the zip file is damaged");
    check(member("folder/", b"x"), "a folder has no content");
}

#[test]
fn names_that_harm() {
    for (name, reason) in [
        ("../foo.py", "it leads upwards"),
        ("a/../../foo.py", "it leads upwards"),
        ("/etc/passwd", "it is no relative path"),
        ("C:foo.py", "it is no relative path"),
        ("", "it is no relative path"),
        ("a\\b.py", "it has a backslash"),
        ("foo\n.py", "it has a control character"),
        ("foo.py\0.txt", "it has a control character"),
        ("foo\u{7f}.py", "it has a control character"),
    ] {
        check(member(name, b""), reason);
    }
    let not_utf8 = member("foo.py", b"").both(|header| header.name = b"f\xf6\xf6.py".to_vec());
    check(not_utf8, "it is not UTF-8, or does not say so");
    let unsaid = member("f\u{e9}.py", b"").both(|header| header.flags = 0);
    check(unsaid, "it is not UTF-8, or does not say so");
}

#[test]
fn extra_fields_that_say_something_else() {
    let with = |bytes: Vec<u8>| member("foo.py", b"x").both(|header| header.extra = bytes.clone());
    check(with(b"\x01".to_vec()), "an extra field is cut off");
    check(with(b"\x55\x54\x05\0\x01".to_vec()), "an extra field is cut off");
    let path = |name: &[u8]| extra(0x7075, &[b"\x01\0\0\0\0", name].concat());
    check(with(path(b"bar.py")), "mis-matched name of `foo.py`");
    check(with([path(b"foo.py"), path(b"foo.py")].concat()), "invalid duplicate extra field");
    let sizes = |one: u64, other: u64| extra(1, &[one.to_le_bytes(), other.to_le_bytes()].concat());
    check(with([sizes(1, 1), sizes(1, 1)].concat()), "invalid duplicate extra field");
    check(with(sizes(1, 2)), "corrupt ZIP64 extra field");
    check(with(sizes(1, 1)), "");
    check(with(extra(1, b"xxx")), "corrupt ZIP64 extra field");
    let full = |bytes: Vec<u8>| with(bytes).both(|header| (header.size, header.packed) = (u32::MAX, u32::MAX));
    check(full(sizes(1, 1)), "");
    check(full(Vec::new()), "ZIP64 extra field is missing");
    check(full(extra(1, &[0; 4])), "corrupt ZIP64 extra field");
    check(full(sizes(1, 1)).local(|header| header.extra = sizes(2, 1)), "mis-matched size");
    check(full(sizes(1, 1)).local(|header| header.extra = Vec::new()), "corrupt ZIP64 extra field");
}

#[test]
fn archives_that_unpack_to_too_much() {
    let small = Limits { ratio_from: 1000, ..Limits::default() };
    let zeros = vec![0; 200_000];
    let mut all = members(member("zeros", &zeros));
    all[0] = deflated("zeros", &zeros);
    let bytes = parts(&all).join();
    check_with(&small, &bytes, "exceeds the compression ratio");
    check_with(&Limits { ratio: 1000, ..small }, &bytes, "");
    check_with(&Limits { unpacked: 200_000, ..Limits::default() }, &bytes, "or the size that an archive may have");
    check_with(&Limits { members: 3, ..Limits::default() }, &bytes, "too many members");
    check_with(&Limits { members: 4, ..Limits::default() }, &bytes, "");
    // more than any limit, said and not there
    let much = member("much", b"").central(|header| header.size = u32::MAX - 1);
    check(much, "a stored member has two lengths");
    let far = extra(1, &[u64::MAX.to_le_bytes(), u64::MAX.to_le_bytes()].concat());
    let far = deflated("far", b"")
        .both(|header| (header.size, header.packed, header.extra) = (u32::MAX, u32::MAX, far.clone()));
    check_deflated(far, b"", "or the size that an archive may have");
}

#[test]
fn one_file_is_one_archive() {
    // the first local header is a tar header as well
    let mut block = tar::Header::new_old();
    let name: [u8; 30] = parts(&[member(&"n".repeat(70), b"")]).locals[..30].try_into().unwrap();
    block.as_mut_bytes()[..30].copy_from_slice(&name);
    block.as_mut_bytes()[30..100].fill(b'n');
    block.set_size(0);
    block.set_cksum();
    let mut bytes = block.as_bytes().to_vec();
    bytes.extend(parts(&members(member("foo.py", b""))).join());
    check_bytes(&bytes, "file is both a zip and a tar file");
}

#[test]
fn a_folder_takes_what_an_installer_reads() {
    let read = |bytes: &[u8]| Distribution::from_bytes(bytes, NAME, Level::Lenient, &Limits::default());
    let fine = parts(&members(member("foo.py", b"x = 1\n")));
    let prefixed = Parts { locals: [b"#!/bin/sh\n", fine.locals.as_slice()].concat(), ..fine.clone() };
    assert!(read(&prefixed.join()).is_ok());
    assert!(read(&Parts { after: b"x".to_vec(), ..fine }.join()).is_ok());
    let descriptor = member("foo.py", b"x").both(|header| header.flags = 8);
    assert!(read(&parts(&members(descriptor)).join()).is_ok());
}

proptest::proptest! {
    #[test]
    fn no_damage_makes_it_panic(at in 0_usize..2000, value in proptest::prelude::any::<u8>(), cut in 0_usize..2000) {
        let mut bytes = parts(&members(member("foo.py", b"x = 1\n"))).join();
        let at = at % bytes.len();
        bytes[at] = value;
        for bytes in [&bytes[..], &bytes[..cut.min(bytes.len())]] {
            for level in [Level::Strict, Level::Legacy, Level::Lenient] {
                let _ = Distribution::from_bytes(bytes, NAME, level, &Limits::default());
            }
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::prelude::any::<Vec<u8>>()) {
        for name in [NAME, "foo-1.0.tar.gz", "foo-1.0.tar.bz2", "foo-1.0.tar", "foo-1.0.zip", "foo-1.0-py2.5.egg"] {
            for level in [Level::Strict, Level::Legacy, Level::Lenient] {
                let _ = Distribution::from_bytes(&bytes, name, level, &Limits::default());
            }
        }
    }
}
