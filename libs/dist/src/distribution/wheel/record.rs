//! RECORD: a table of all files of a wheel with their digests and sizes (binary distribution format, PEP 376).
//!
//! For an upload it has to list what is there and nothing else, and each digest has to fit: an installer that checks would
//! refuse the wheel, and one that does not would install something else than was meant.

use std::collections::HashMap;

use sha2::{Sha256, Sha384, Sha512};

use super::{BadWheel, HashSet, files, member};
use crate::Error;
use crate::archive::zip::{Entry, Zip};
use crate::level::Findings;

/// Most bytes of RECORD that are read: 200,000 files stay under it.
const RECORD_MAX: usize = 32 << 20;

/// Most bytes of RECORD of a file in a folder.
const GLANCE_MAX: usize = 1 << 20;

/// What RECORD says of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    path: String,
    /// `sha256=…` in URL-safe base64 without padding; empty for none.
    digest: String,
}

pub(super) fn check(zip: &Zip<'_>, folder: &str, findings: &mut Findings) -> Result<(), Error> {
    let bytes = zip.read(member(zip, folder, "RECORD")?, RECORD_MAX)?;
    let rows = parse(&bytes).map_err(BadWheel::Record)?;
    compare(zip, folder, &rows).into_iter().try_for_each(|bad| findings.object(bad))?;
    let listed: HashMap<&str, &str> = rows.iter().map(|row| (row.path.as_str(), row.digest.as_str())).collect();
    for entry in files(zip) {
        let digest = listed.get(entry.name.as_str()).copied().unwrap_or_default();
        check_file(zip, entry, digest, is_exempt(entry, folder), findings)?;
    }
    Ok(())
}

/// Warns where RECORD of a folder's file does not list what is there, if that is soon seen.
pub(super) fn glance(zip: &Zip<'_>, folder: &str, findings: &mut Findings) {
    let read = || -> Result<_, Error> { zip.read(member(zip, folder, "RECORD")?, GLANCE_MAX) };
    match read() {
        Ok(bytes) => match parse(&bytes) {
            Ok(rows) => compare(zip, folder, &rows).into_iter().for_each(|bad| findings.warn(bad)),
            Err(line) => findings.warn(BadWheel::Record(line)),
        },
        Err(Error::Refused(fault)) => findings.warn(fault),
        Err(_) => {}
    }
}

/// RECORD cannot have its own digest, and signatures sign RECORD.
fn is_exempt(entry: &Entry, folder: &str) -> bool {
    let file = entry.name.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/'));
    matches!(file, Some("RECORD" | "RECORD.jws" | "RECORD.p7s"))
}

/// The first file that only RECORD has, and the first that only the wheel has.
fn compare(zip: &Zip<'_>, folder: &str, rows: &[Row]) -> Vec<BadWheel> {
    let there: HashSet<&str> = files(zip).map(|entry| entry.name.as_str()).collect();
    let listed: HashSet<&str> = rows.iter().map(|row| row.path.as_str()).collect();
    let missing = rows.iter().find(|row| !there.contains(row.path.as_str()));
    let unlisted = files(zip).find(|entry| !listed.contains(entry.name.as_str()) && !is_exempt(entry, folder));
    let missing = missing.map(|row| BadWheel::NotThere(row.path.clone()));
    missing.into_iter().chain(unlisted.map(|entry| BadWheel::Unlisted(entry.name.clone()))).collect()
}

/// Reads a file to its end, so that its length and checksum are known to be right as well.
fn check_file(zip: &Zip<'_>, entry: &Entry, digest: &str, exempt: bool, findings: &mut Findings) -> Result<(), Error> {
    let (algorithm, expected) = digest.split_once('=').unwrap_or_default();
    let computed = match algorithm {
        "sha256" => hash::<Sha256>(zip, entry)?,
        "sha384" => hash::<Sha384>(zip, entry)?,
        "sha512" => hash::<Sha512>(zip, entry)?,
        _ => {
            zip.copy(entry, |_| {})?;
            if !exempt {
                findings.warn(BadWheel::NoDigest(entry.name.clone()));
            }
            return Ok(());
        }
    };
    if expected.trim_end_matches('=') == computed {
        Ok(())
    } else {
        Ok(findings.object(BadWheel::Digest(entry.name.clone()))?)
    }
}

fn hash<H: sha2::Digest>(zip: &Zip<'_>, entry: &Entry) -> Result<String, Error> {
    let mut hasher = H::new();
    zip.copy(entry, |piece| hasher.update(piece))?;
    Ok(base64(&hasher.finalize()))
}

/// URL-safe, without padding.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for digit in 0..=group.len() {
            let index = bits >> (18 - 6 * digit) & 63;
            text.push(
                usize::try_from(index).ok().and_then(|index| DIGITS.get(index)).map_or('A', |byte| char::from(*byte)),
            );
        }
    }
    text
}

/// Rows of CSV as Python reads them: commas, double quotes, any line end. An error is the number of the line.
fn parse(bytes: &[u8]) -> Result<Vec<Row>, usize> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        before.iter().filter(|byte| **byte == b'\n').count() + 1
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut rows = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.is_empty() {
            continue;
        }
        let (path, rest) = field(line).ok_or(number + 1)?;
        let (digest, rest) = rest.map_or(Some((String::new(), None)), field).ok_or(number + 1)?;
        // the size, and no more
        let end = rest.map_or(Some((String::new(), None)), field).ok_or(number + 1)?;
        if end.1.is_some() {
            return Err(number + 1);
        }
        rows.push(Row { path: path.replace('\\', "/"), digest });
    }
    Ok(rows)
}

/// The first field of a row, and what follows the comma behind it. None: a quote that nobody closes, or text behind one.
fn field(row: &str) -> Option<(String, Option<&str>)> {
    let Some(mut quoted) = row.strip_prefix('"') else {
        let (field, rest) = row.split_once(',').map_or((row, None), |(field, rest)| (field, Some(rest)));
        return Some((field.to_owned(), rest));
    };
    let mut field = String::new();
    loop {
        let (part, rest) = quoted.split_once('"')?;
        field.push_str(part);
        match rest.strip_prefix('"') {
            Some(more) => {
                field.push('"');
                quoted = more;
            }
            None if rest.is_empty() => return Some((field, None)),
            None => return Some((field, Some(rest.strip_prefix(',')?))),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sha2::Digest as _;

    use super::*;

    fn check_rows(text: &str, said: Result<&[(&str, &str)], usize>) {
        let rows = parse(text.as_bytes());
        let seen = rows
            .as_ref()
            .map(|rows| rows.iter().map(|row| (row.path.as_str(), row.digest.as_str())).collect::<Vec<_>>());
        assert_eq!(seen.map_err(|line| *line), said.map(<[_]>::to_vec), "{text:?}");
    }

    #[test]
    fn rows_are_csv() {
        check_rows("a,sha256=x,1\nb,,\r\n\nc\n", Ok(&[("a", "sha256=x"), ("b", ""), ("c", "")]));
        check_rows("\"a,\"\"b\",\"sha256=x\",\"1\"\n", Ok(&[("a,\"b", "sha256=x")]));
        check_rows("a\\b,x,1", Ok(&[("a/b", "x")]));
        check_rows("\u{feff}a,x,1", Ok(&[("a", "x")]));
        check_rows("a\n\"b\n", Err(2));
        check_rows("\"a\"b,,", Err(1));
        check_rows("a,b,1,more", Err(1));
        assert_eq!(parse(b"a\nb\xff"), Err(2));
    }

    #[test]
    fn digests_are_in_base64() {
        for (bytes, expected) in [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg")] {
            assert_eq!(base64(bytes.as_bytes()), expected);
        }
        assert_eq!(base64(&[0xfb, 0xff]), "-_8");
        assert_eq!(base64(&Sha256::digest(b"")), "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU");
    }

    proptest! {
        #[test]
        fn any_bytes_are_rows_or_not(bytes in any::<Vec<u8>>(), text in "([a\",\n\r\\\\]{0,9}){0,4}") {
            let _ = parse(&bytes);
            let _ = parse(text.as_bytes());
        }
    }
}
