//! Source distributions that lead astray, one for each rule.

use opsctl_dist::{Distribution, Level, Limits};
use tar::{Builder, EntryType, Header};

use crate::build::{file, gzip, metadata, sdist, tar};

const NAME: &str = "foo-1.0.tar.gz";

/// Empty: an upload of it is taken, without a warning.
fn check_packed(limits: &Limits, name: &str, bytes: &[u8], said: &str) {
    let seen = match Distribution::from_bytes(bytes, name, Level::Legacy, limits) {
        Err(error) => error.to_string(),
        Ok(read) => read.warnings.iter().map(ToString::to_string).collect(),
    };
    assert!(seen == said || !said.is_empty() && seen.contains(said), "{said}: {seen}");
}

/// A source distribution that is fine, and more.
fn check(more: impl Fn(&mut Builder<Vec<u8>>), said: &str) {
    let bytes = tar(|builder| {
        file(builder, "foo-1.0/PKG-INFO", metadata("foo", "1.0", "").as_bytes());
        more(builder);
    });
    check_packed(&Limits::default(), NAME, &gzip(&bytes), said);
}

fn header(kind: EntryType, name: &str, target: &str, size: u64) -> Header {
    let mut header = Header::new_ustar();
    let bytes = header.as_mut_bytes();
    bytes[..name.len()].copy_from_slice(name.as_bytes());
    bytes[157..157 + target.len()].copy_from_slice(target.as_bytes());
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_size(size);
    header.set_cksum();
    header
}

/// A member without content.
fn bare(kind: EntryType, name: &'static str, target: &'static str) -> impl Fn(&mut Builder<Vec<u8>>) {
    move |builder| builder.append(&header(kind, name, target, 0), b"".as_slice()).unwrap()
}

/// A header about the next member, and a file.
fn extension(kind: EntryType, content: Vec<u8>) -> impl Fn(&mut Builder<Vec<u8>>) {
    move |builder| {
        builder.append(&header(kind, "x", "", content.len() as u64), content.as_slice()).unwrap();
        builder.append(&header(EntryType::Regular, "foo-1.0/y", "", 1), b"y".as_slice()).unwrap();
    }
}

fn pax(records: &[(&str, &str)]) -> Vec<u8> {
    let record = |(key, value): &(&str, &str)| {
        let rest = format!(" {key}={value}\n");
        let length = (rest.len()..).find(|length| length.to_string().len() + rest.len() == *length).unwrap();
        format!("{length}{rest}")
    };
    records.iter().map(record).collect::<String>().into_bytes()
}

#[test]
fn what_is_taken() {
    check(|_| {}, "");
    check(bare(EntryType::Directory, "foo-1.0/", ""), "");
    check(bare(EntryType::Directory, "./foo-1.0/a/", ""), "");
    check(bare(EntryType::Symlink, "foo-1.0/a/link", "../PKG-INFO"), "");
    check(bare(EntryType::Link, "foo-1.0/link", "foo-1.0/PKG-INFO"), "");
    let long = format!("foo-1.0/{}/x", "n".repeat(150));
    check(|builder| file(builder, &long, b"x"), "");
    check(extension(EntryType::XHeader, pax(&[("path", &long), ("mtime", "1.5")])), "");
    check(extension(EntryType::XGlobalHeader, pax(&[("comment", "a commit")])), "");
    let bytes = sdist("foo-1.0", &metadata("foo", "1.0", ""));
    let read = Distribution::from_bytes(&bytes, NAME, Level::Strict, &Limits::default()).unwrap();
    assert_eq!((read.warnings, read.metadata.map(|it| it.name)), (vec![], Some("foo".to_owned())));
}

#[test]
fn there_is_one_folder_with_pkg_info() {
    check(|builder| file(builder, "bar-1.0/x", b""), "incorrect number of top-level directories");
    check(|builder| file(builder, "x", b""), "incorrect number of top-level directories");
    check(|builder| file(builder, "./foo-1.0/PKG-INFO", b"other"), "has PKG-INFO twice");
    check(|builder| (0..2).for_each(|_| file(builder, "foo-1.0/x", b"")), "`foo-1.0/x` is in the tar file twice");
    let without = gzip(&tar(|builder| file(builder, "foo-1.0/x", b"")));
    check_packed(&Limits::default(), NAME, &without, "PKG-INFO not found");
    let flat = gzip(&tar(|builder| file(builder, "PKG-INFO", b"x")));
    check_packed(&Limits::default(), NAME, &flat, "incorrect number of top-level directories");
    check_packed(&Limits::default(), NAME, &gzip(&tar(|_| {})), "incorrect number of top-level directories");
}

#[test]
fn members_that_lead_out() {
    for (name, said) in [
        ("foo-1.0/../../x", "it leads upwards"),
        ("/foo-1.0/x", "it is no relative path"),
        ("foo-1.0/a\\b", "it has a backslash"),
        ("foo-1.0/a\nb", "it has a control character"),
    ] {
        check(bare(EntryType::Regular, name, ""), said);
    }
    for target in ["/etc/passwd", "../x", "a/../../..", "..", "../../foo-1.0/x", "", "a\\b"] {
        check(bare(EntryType::Symlink, "foo-1.0/link", target), "is a link that leads outside");
    }
    check(bare(EntryType::Link, "foo-1.0/link", "/etc/passwd"), "is a link that leads outside");
    check(bare(EntryType::Link, "foo-1.0/link", "../x"), "is a link that leads outside");
    let below = |builder: &mut Builder<Vec<u8>>| {
        bare(EntryType::Symlink, "foo-1.0/here", ".")(builder);
        file(builder, "foo-1.0/here/x", b"");
    };
    check(below, "below a link");
    for kind in [EntryType::Char, EntryType::Block, EntryType::Fifo, EntryType::new(b'Z')] {
        check(bare(kind, "foo-1.0/x", ""), "neither a file nor a folder nor a link");
    }
}

#[test]
fn sparse_members() {
    check(bare(EntryType::GNUSparse, "foo-1.0/x", ""), "sparse members are not allowed");
    check(extension(EntryType::XHeader, pax(&[("GNU.sparse.major", "1")])), "sparse members are not allowed");
    check(extension(EntryType::XGlobalHeader, pax(&[("GNU.sparse.size", "1")])), "a header for all members");
}

#[test]
fn headers_that_readers_see_differently() {
    check(extension(EntryType::XHeader, pax(&[("size", "0")])), "it has two lengths");
    check(extension(EntryType::XGlobalHeader, pax(&[("path", "foo-1.0/z")])), "a header for all members");
    check(extension(EntryType::XHeader, pax(&[("hdrcharset", "BINARY")])), "its name is not UTF-8");
    let content_of_link = |builder: &mut Builder<Vec<u8>>| {
        builder.append(&header(EntryType::Link, "foo-1.0/x", "foo-1.0/PKG-INFO", 1), b"x".as_slice()).unwrap();
    };
    check(content_of_link, "it has a length and no content");
    let latin = |builder: &mut Builder<Vec<u8>>| {
        let mut header = header(EntryType::Regular, "foo-1.0/x", "", 0);
        header.as_mut_bytes()[9] = 0xe9;
        header.set_cksum();
        builder.append(&header, b"".as_slice()).unwrap();
    };
    check(latin, "its name is not UTF-8");
    let prefixed = |builder: &mut Builder<Vec<u8>>| {
        let mut header = header(EntryType::Regular, "x", "", 0);
        header.as_mut_bytes()[345..352].copy_from_slice(b"foo-1.0");
        header.as_mut_bytes()[257..265].copy_from_slice(b"ustar  \0");
        header.set_cksum();
        builder.append(&header, b"".as_slice()).unwrap();
    };
    check(prefixed, "its name has a prefix that only some read");
}

#[test]
fn headers_that_are_none() {
    check(extension(EntryType::XHeader, b"12 x".to_vec()), "a pax header is none");
    check(extension(EntryType::GNULongName, vec![b'n'; (1 << 20) + 1]), "a header that is too long");
    check(extension(EntryType::XHeader, vec![b'n'; (1 << 20) + 1]), "a header that is too long");
    let damaged = |builder: &mut Builder<Vec<u8>>| {
        let mut header = header(EntryType::Regular, "foo-1.0/x", "", 0);
        header.as_mut_bytes()[0] = b'g';
        builder.append(&header, b"".as_slice()).unwrap();
    };
    check(damaged, "the tar file is damaged: a header is none");
}

#[test]
fn files_that_end_elsewhere() {
    let fine = tar(|builder| file(builder, "foo-1.0/PKG-INFO", metadata("foo", "1.0", "").as_bytes()));
    let limits = Limits::default();
    let check = |bytes: &[u8], said: &str| check_packed(&limits, NAME, bytes, said);
    check(&gzip(&fine), "");
    check(&gzip(&[fine.as_slice(), b"x"].concat()), "trailing data in the tar file");
    check(&gzip(&[fine.as_slice(), &fine].concat()), "trailing data in the tar file");
    check(&[gzip(&fine), b"x".to_vec()].concat(), "trailing data in the tar file");
    check(&[gzip(&fine), gzip(b"")].concat(), "trailing data in the tar file");
    check(&gzip(&fine[..700]), "it ends in a member");
    check(&gzip(&fine[..100]), "file is not a tarfile");
    check(&gzip(b""), "file is not a tarfile");
    check(&gzip(&[b'x'; 1024]), "file is not a tarfile");
    let packed = gzip(&fine);
    check(&packed[..packed.len() - 4], "the compression of the tar file is damaged");
    check(b"", "the compression of the tar file is damaged");
    check(b"no gzip at all", "the compression of the tar file is damaged");
    let mut wrong = packed.clone();
    let end = wrong.len() - 6;
    wrong[end] ^= 1;
    check(&wrong, "the compression of the tar file is damaged");
    check(&[packed, crate::build::zip(&[("x", b"")])].concat(), "file is both a zip and a tar file");
    check_packed(&limits, "foo-1.0.tar", &fine, "");
    check_packed(&limits, "foo-1.0.tar", &fine[..fine.len() - 1024], "");
}

#[test]
fn archives_that_unpack_to_too_much() {
    let zeros = gzip(&tar(|builder| {
        file(builder, "foo-1.0/PKG-INFO", metadata("foo", "1.0", "").as_bytes());
        file(builder, "foo-1.0/zeros", &vec![0; 200_000]);
    }));
    let limits = Limits::default();
    check_packed(&Limits { ratio_from: 1000, ..limits }, NAME, &zeros, "exceeds the compression ratio");
    check_packed(&Limits { unpacked: 200_000, ..limits }, NAME, &zeros, "or the size that an archive may have");
    check_packed(&Limits { members: 1, ..limits }, NAME, &zeros, "too many members");
    check_packed(&limits, NAME, &zeros, "");
    // a length that nobody can have
    check(
        |builder| {
            let mut header = header(EntryType::Regular, "foo-1.0/x", "", 0);
            header.as_mut_bytes()[124..136].copy_from_slice(b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff");
            header.set_cksum();
            builder.append(&header, b"".as_slice()).unwrap();
        },
        "it ends in a member",
    );
    let long = metadata("foo", "1.0", &"X: y\n".repeat(300_000));
    let bytes = gzip(&tar(|builder| file(builder, "foo-1.0/PKG-INFO", long.as_bytes())));
    check_packed(&limits, NAME, &bytes, "longer than anybody needs");
}

#[test]
fn bzip2_is_read_too() {
    use std::io::Write;
    let fine = tar(|builder| file(builder, "foo-1.0/PKG-INFO", metadata("foo", "1.0", "").as_bytes()));
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(&fine).unwrap();
    let packed = encoder.finish().unwrap();
    let limits = Limits::default();
    check_packed(&limits, "foo-1.0.tar.bz2", &packed, "");
    check_packed(&limits, "foo-1.0.tar.bz2", &[packed.as_slice(), b"x"].concat(), "trailing data");
    check_packed(&limits, "foo-1.0.tar.bz2", &packed[..packed.len() - 9], "compression of the tar file is damaged");
    check_packed(&limits, "foo-1.0.tar.bz2", &gzip(&fine), "compression of the tar file is damaged");
}

proptest::proptest! {
    #[test]
    fn no_damage_makes_it_panic(at in 0_usize..4096, value in proptest::prelude::any::<u8>(), cut in 0_usize..4096) {
        let mut bytes = tar(|builder| {
            file(builder, &format!("foo-1.0/{}", "n".repeat(150)), b"x");
            file(builder, "foo-1.0/PKG-INFO", metadata("foo", "1.0", "").as_bytes());
        });
        let at = at % bytes.len();
        bytes[at] = value;
        for bytes in [&bytes[..], &bytes[..cut.min(bytes.len())]] {
            for level in [Level::Legacy, Level::Lenient] {
                let _ = Distribution::from_bytes(bytes, "foo-1.0.tar", level, &Limits::default());
                let _ = Distribution::from_bytes(&gzip(bytes), NAME, level, &Limits::default());
            }
        }
    }
}
