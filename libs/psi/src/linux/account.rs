//! `utmp(5)`, `passwd(5)` and `group(5)`.

use std::collections::HashMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::time::{Duration, SystemTime};

use super::bytes::{lines, small};
use super::read;
use crate::{Accounts, Error, Login, System};

/// An ordinary login in the table; the other kinds are boots, terminals that wait, and sessions that have ended.
const USER_PROCESS: i16 = 7;

/// How long a record is, and where the session's number, seconds and microseconds stand in it. The C library has two
/// forms: one where 64-bit programs share the file with 32-bit ones, one where there never were any.
#[cfg(not(any(target_arch = "aarch64", target_arch = "riscv64", target_arch = "loongarch64")))]
const RECORD: (usize, usize) = (384, 340);
#[cfg(any(target_arch = "aarch64", target_arch = "riscv64", target_arch = "loongarch64"))]
const RECORD: (usize, usize) = (400, 344);

/// A machine that keeps no such table has nobody logged in that it could tell of.
pub(crate) fn logins(system: &System) -> Result<Vec<Login>, Error> {
    let table = read::feature(&system.run("utmp"), "logins")?;
    Ok(table.chunks_exact(RECORD.0).filter_map(parse).collect())
}

pub(crate) fn accounts(system: &System) -> Result<Accounts, Error> {
    let names = |file| read::file(&system.etc(file)).map(|text| names(&text));
    Ok(Accounts { users: names("passwd")?, groups: names("group")? })
}

fn parse(record: &[u8]) -> Option<Login> {
    let bytes = |at: usize, length: usize| record.get(at..at.checked_add(length)?);
    let text = |at, length| {
        let field = bytes(at, length)?;
        Some(OsString::from_vec(field.split(|byte| *byte == 0).next()?.to_vec()))
    };
    let number = |at| bytes(at, 4).and_then(|bytes| bytes.try_into().ok()).map(u32::from_ne_bytes);
    if i16::from_ne_bytes(bytes(0, 2)?.try_into().ok()?) != USER_PROCESS {
        return None;
    }
    let seconds = Duration::from_secs(u64::from(number(RECORD.1)?));
    let login = Login {
        pid: number(4)?,
        terminal: text(8, 32)?,
        user: text(44, 32)?,
        host: text(76, 256)?,
        time: SystemTime::UNIX_EPOCH.checked_add(seconds)?,
    };
    (!login.user.is_empty()).then_some(login)
}

/// `name:password:number:…`; the first name of a number counts.
fn names(text: &[u8]) -> HashMap<u32, OsString> {
    let mut names = HashMap::new();
    for line in lines(text) {
        let mut fields = line.split(|byte| *byte == b':');
        if let (Some(name), Some(number)) = (fields.next(), fields.nth(1).and_then(small)) {
            names.entry(number).or_insert_with(|| OsString::from_vec(name.to_vec()));
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_first_name_counts() {
        let names = names(b"root:x:0:0:root:/root:/bin/sh\ntoor:x:0:0\n#no\n+\nme:x:1000:\n");
        assert_eq!(names.get(&0), Some(&OsString::from("root")));
        assert_eq!(names.get(&1000), Some(&OsString::from("me")));
        assert_eq!(names.len(), 2);
    }

    #[test]
    fn a_record_is_a_login() {
        let mut record = vec![0; RECORD.0];
        record[0..2].copy_from_slice(&USER_PROCESS.to_ne_bytes());
        record[4..8].copy_from_slice(&77u32.to_ne_bytes());
        record[8..13].copy_from_slice(b"pts/3");
        record[44..76].copy_from_slice(b"a-name-that-fills-its-32-bytes-!");
        record[76..80].copy_from_slice(b"host");
        record[RECORD.1..RECORD.1 + 4].copy_from_slice(&1_000_000u32.to_ne_bytes());
        let login = parse(&record).unwrap();
        assert_eq!((login.pid, login.terminal, login.host), (77, "pts/3".into(), "host".into()));
        assert_eq!(login.user, "a-name-that-fills-its-32-bytes-!");
        assert_eq!(login.time, SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000));
        record[0] = 8;
        assert_eq!(parse(&record), None);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
            let _ = (parse(&bytes), names(&bytes));
            let mut record = bytes;
            record.splice(0..record.len().min(2), USER_PROCESS.to_ne_bytes());
            let _ = parse(&record);
        }
    }
}
