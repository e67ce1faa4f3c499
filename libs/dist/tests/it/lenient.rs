//! Files of a folder.

use std::fs;
use std::io::Write as _;

use opsctl_dist::{Digests, Distribution, Error, Kind, Level, Limits, Wanted};

use crate::build::{metadata, wheel, zip};

/// `project version requires-python core-metadata? warnings`, or the reason against the file.
fn said(name: &str, bytes: &[u8]) -> String {
    match Distribution::from_bytes(bytes, name, Level::Lenient, &Limits::default()) {
        Err(error) => error.to_string(),
        Ok(it) => {
            let core = it.core_metadata().map_or("-", |_| "core");
            let warnings: Vec<_> = it.warnings.iter().map(ToString::to_string).collect();
            let python = it.requires_python().unwrap_or("-");
            format!("{} {} {python} {core} {}", it.project, it.version, warnings.join("; ")).trim().to_owned()
        }
    }
}

fn check(name: &str, bytes: &[u8], expected: &str) {
    assert_eq!(said(name, bytes), expected, "{name}");
}

fn check_refused(name: &str, bytes: &[u8], reason: &str) {
    let said = said(name, bytes);
    assert!(said.contains(reason), "{name}: {said}");
}

#[test]
fn wheels_speak_for_themselves() {
    let text = metadata("Foo.Bar", "1.0", "Requires-Python: >=3.9\n");
    check("foo_bar-1.0-py3-none-any.whl", &wheel("foo_bar-1.0.dist-info", &text), "Foo.Bar 1.0 >=3.9 core");
    check("Foo.Bar-1-py3-none-any.whl", &wheel("Foo_Bar-1.0.0.dist-info", &text), "Foo.Bar 1.0 >=3.9 core");
    let wheel = wheel("foo_bar-1.0.dist-info", &text);
    check_refused("foo_bar-1.1-py3-none-any.whl", &wheel, "does not contain the folder `foo_bar-1.1.dist-info`");
    check_refused("bar-1.0-py3-none-any.whl", &wheel, "does not contain the folder `bar-1.0.dist-info`");
    check_refused("foo_bar-1.0-py3-none-any.whl", b"no zip file", "file is not a zip file");
    let other = crate::build::wheel("foo-1.0.dist-info", &text);
    check_refused("foo-1.0-py3-none-any.whl", &other, "start the file name for `Foo.Bar` with `foo_bar`");
    let other = crate::build::wheel("foo-1.0.dist-info", &metadata("foo", "2.0", ""));
    check_refused("foo-1.0-py3-none-any.whl", &other, "version in the file name should be `2.0`");
}

/// A tar archive of PKG-INFO and a longer file, packed by `pack`.
fn sources(text: &str, pack: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    let noise: Vec<u8> = (0..100_000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect();
    for (name, bytes) in [("foo-1.0/PKG-INFO", text.as_bytes()), ("foo-1.0/noise", &noise)] {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        tar.append_data(&mut header, name, bytes).unwrap();
    }
    pack(&tar.into_inner().unwrap())
}

#[test]
fn half_a_source_distribution_is_none() {
    let text = metadata("foo", "1.0", "");
    let gz = |bytes: &[u8]| {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(bytes).unwrap();
        packed.finish().unwrap()
    };
    let bz2 = |bytes: &[u8]| {
        let mut packed = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        packed.write_all(bytes).unwrap();
        packed.finish().unwrap()
    };
    for (name, bytes) in [
        ("foo-1.0.tar.gz", sources(&text, gz)),
        ("foo-1.0.tar.bz2", sources(&text, bz2)),
        ("foo-1.0.tar", sources(&text, <[u8]>::to_vec)),
    ] {
        check(name, &bytes, "foo 1.0 - core");
        for left in [bytes.len() / 2, 8, 1] {
            let cut = &bytes[..bytes.len() - left];
            if name != "foo-1.0.tar" || left > 512 {
                check_refused(name, cut, "is damaged");
            }
        }
    }
}

#[test]
fn eggs_and_zipped_sources() {
    let text = metadata("foo", "1.0", "");
    let old = text.replace("2.4", "1.0");
    check("foo-1.0-py2.5.egg", &zip(&[("EGG-INFO/PKG-INFO", old.as_bytes())]), "foo 1.0 - -");
    check("foo-1.0-py2.5.egg", &zip(&[("x", b"")]), "foo 1.0 - - the egg does not contain `EGG-INFO/PKG-INFO`");
    check("foo-1.0.zip", &zip(&[("foo-1.0/PKG-INFO", text.as_bytes())]), "foo 1.0 - core");
    check("foo-1.0.zip", &zip(&[("foo-1.0/PKG-INFO", old.as_bytes())]), "foo 1.0 - -");
    let nested = zip(&[("foo-1.0/foo.egg-info/PKG-INFO", b"x".as_slice())]);
    check("foo-1.0.zip", &nested, "foo 1.0 - - PKG-INFO not found in the folder of the source distribution");
    check("foo-1.0.win32.exe", b"MZ", "foo 1.0 - -");
}

#[test]
fn the_metadata_say_where_a_name_ends() {
    let text = metadata("foo", "1.0-1", "");
    let bytes = zip(&[("foo-1.0-1/PKG-INFO", text.as_bytes())]);
    check("foo-1.0-1.zip", &bytes, "foo 1.0-1 - core");
}

#[test]
fn files_are_read_from_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("foo-1.0-py3-none-any.whl");
    let text = metadata("foo", "1.0", "");
    let small = wheel("foo-1.0.dist-info", &text);
    let noise: Vec<u8> = (0..3_u32 << 20).map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect();
    let large = zip(&[("noise", &noise), ("foo-1.0.dist-info/METADATA", text.as_bytes())]);
    for bytes in [small, large] {
        fs::write(&path, &bytes).unwrap();
        let read = Distribution::read(&path).unwrap();
        assert_eq!((read.size, read.file_name.kind()), (bytes.len() as u64, Kind::Wheel));
        assert_eq!(read.digests, Digests::of(&bytes, Wanted::Sha256));
        assert_eq!(read.metadata_bytes.as_deref(), Some(text.as_bytes()));
        let file = fs::File::open(&path).unwrap();
        let alone = Distribution::metadata_of(&file, read.file_name.text()).unwrap();
        assert_eq!(alone, read.metadata_bytes);
    }
    assert!(matches!(Distribution::read(&folder.path().join("README")), Err(Error::Refused(_))));
    fs::create_dir(folder.path().join("foo-1.0.zip")).unwrap();
    assert!(matches!(Distribution::read(&folder.path().join("foo-1.0.zip")), Err(Error::NoFile)));
    assert!(matches!(Distribution::read(&folder.path().join("foo-2.0.zip")), Err(Error::Read(_))));
}
