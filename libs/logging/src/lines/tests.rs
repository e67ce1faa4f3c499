//! Files and streams without tracing: opening, giving away, torn lines.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

fn message(error: &Error, folder: &Path) -> String {
    crate::chain(error).to_string().replace(folder.to_str().unwrap(), "F")
}

fn write(file: &LogFile, line: &str) {
    let Current { file, torn } = &mut *lock(&file.current);
    torn.write(file, line.as_bytes()).unwrap();
}

#[test]
fn a_rotated_file_is_opened_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.log");
    fs::write(&path, "before\n").unwrap();
    let file = LogFile::open(&path).unwrap();
    write(&file, "one\n");
    fs::rename(&path, folder.path().join("a.log.1")).unwrap();
    write(&file, "two\n");
    file.reopen().unwrap();
    write(&file, "three\n");
    assert_eq!(fs::read_to_string(folder.path().join("a.log.1")).unwrap(), "before\none\ntwo\n");
    assert_eq!(fs::read_to_string(&path).unwrap(), "three\n");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o137, 0, "not for others");
}

#[test]
fn what_cannot_be_opened_leaves_the_old_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.log");
    let file = LogFile::open(&path).unwrap();
    fs::rename(&path, folder.path().join("a.log.1")).unwrap();
    fs::create_dir(&path).unwrap();
    let error = file.reopen().unwrap_err();
    assert_eq!(message(&error, folder.path()), "failed to open anew log file `F/a.log`: Is a directory (os error 21)");
    write(&file, "still here\n");
    assert_eq!(fs::read_to_string(folder.path().join("a.log.1")).unwrap(), "still here\n");
}

#[test]
fn faults_name_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let check = |name: &str, expected: &str| {
        let error = LogFile::open(&folder.path().join(name)).unwrap_err();
        assert_eq!(message(&error, folder.path()), expected);
    };
    check("none/a.log", "failed to open log file `F/none/a.log`: No such file or directory (os error 2)");
    check("..", "failed to open log file `F/..`: is a directory");
}

#[test]
fn root_follows_no_link_that_others_could_have_put_there() {
    let folder = tempfile::tempdir().unwrap();
    let precious = folder.path().join("precious");
    let link = folder.path().join("a.log");
    fs::write(&precious, "").unwrap();
    symlink(&precious, &link).unwrap();
    LogFile::open(&link).unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let result = LogFile::open(&link);
    if unistd::geteuid().is_root() {
        let expected = "failed to open log file `F/a.log`: Too many levels of symbolic links (os error 40)";
        assert_eq!(message(&result.unwrap_err(), folder.path()), expected);
    } else {
        writeln!(io::stderr(), "not root: checked only that the link is followed").unwrap();
        result.unwrap();
    }
}

#[test]
fn the_file_is_given_to_the_account_that_serves() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.log");
    let file = LogFile::open(&path).unwrap();
    file.give_to(None, None).unwrap();
    file.give_to(Some(unistd::geteuid().as_raw()), None).unwrap();
    fs::hard_link(&path, folder.path().join("other")).unwrap();
    let several = file.give_to(Some(4711), Some(4712)).unwrap_err();
    assert_eq!(message(&several, folder.path()), "failed to give away log file `F/a.log`: it has several names");
    fs::remove_file(folder.path().join("other")).unwrap();
    let result = file.give_to(Some(4711), Some(4712));
    if unistd::geteuid().is_root() {
        result.unwrap();
        let metadata = fs::metadata(&path).unwrap();
        assert_eq!((metadata.uid(), metadata.gid()), (4711, 4712));
    } else {
        writeln!(io::stderr(), "not root: checked only that giving away is refused").unwrap();
        assert!(message(&result.unwrap_err(), folder.path()).contains("Operation not permitted"));
    }
    LogFile::open(Path::new("/dev/null")).unwrap().give_to(Some(4711), None).unwrap();
    assert_ne!(fs::metadata("/dev/null").unwrap().uid(), 4711, "a device is everybody's");
}

/// A pipe that is full takes part of a line: that line is torn, the next one is whole.
#[test]
fn a_torn_line_tears_no_other() {
    let (mut reader, writer) = io::pipe().unwrap();
    let nonblocking = nix::fcntl::FcntlArg::F_SETFL(OFlag::O_NONBLOCK);
    nix::fcntl::fcntl(&writer, nonblocking).unwrap();
    let mut torn = Torn::default();
    let long = [vec![b'x'; 1 << 20], vec![b'\n']].concat();
    assert_eq!(torn.write(&writer, &long).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    assert_eq!(torn.write(&writer, b"lost\n").unwrap_err().kind(), io::ErrorKind::WouldBlock);
    let mut taken = vec![0; 1 << 15];
    reader.read_exact(&mut taken).unwrap();
    torn.write(&writer, b"whole\n").unwrap();
    torn.write(&writer, b"too\n").unwrap();
    drop(writer);
    let mut rest = String::new();
    reader.read_to_string(&mut rest).unwrap();
    assert_eq!(rest.trim_start_matches('x'), "\nwhole\ntoo\n");
}
