//! No fault shows a secret, whatever is wrong with it or beside it.

use super::Layers;

/// The word that must not be seen, and what of the line is.
#[track_caller]
fn check(layers: &Layers<'_>, shown: &str) {
    let (document, mut faults) = layers.sources().secrets(["finger.dsn".to_owned(), "finger.keys.*".to_owned()]).read();
    faults.extend(document.unknown_tables(&["host", "finger"]));
    faults.extend(document.table::<super::Finger>("finger", &[]).err().unwrap_or_default());
    assert!(!faults.is_empty(), "no fault");
    faults.push(document.fault("finger.dsn", "wrong"));
    faults.push(document.fault("finger.password", "wrong"));
    for fault in &faults {
        let all = format!("{fault} {} {fault:?}", fault.one_line());
        assert!(!all.contains("hunter"), "{fault}");
    }
    assert!(faults.iter().any(|fault| fault.to_string().contains(shown)), "{}", faults[0]);
}

#[track_caller]
fn check_file(file: &str, shown: &str) {
    check(&Layers { file: &format!("[finger]\n{file}\n"), ..Layers::default() }, shown);
}

#[test]
fn in_a_file() {
    check_file("password = hunter2", "2 | password = ********\n  |            ^^^^^^^^ expected a text in quotes");
    check_file("password hunter2", "2 | password ********\n");
    check_file("password: hunter2", "2 | password: ********\n");
    check_file("password = \"hunter2", "2 | password = ********\n");
    check_file("password = 'hunter2'x", "2 | password = ********\n");
    check_file("password = \"\"\"\nhunter2\nhunter3", "2 | password = ********\n");
    check_file("password = \"\"\"\nhunter2\nhunter3\\q\n\"\"\"", "4 | ********\n");
    check_file("password = ['hunter2']", "2 | password = ********\n");
    check_file("password = { a = 'hunter2' }", "2 | password = { a = ******** }\n");
    check_file("password = 'hunter1'\npassword = 'hunter2'", "3 | password = ********\n");
    check_file("pasword = 'hunter2'", "2 | pasword = ********\n");
    check_file("api-token = 'hunter2'", "2 | api-token = ********\n");
    check_file("list = { password = 'hunter2', a = 1 }", "2 | list = { password = ********, a = 1 }\n");
    check_file("irc = { nick = 5, password = 'hunter2' }", "2 | irc = { nick = 5, password = ******** }\n");
    check_file("irc = { nick = , password = 'hunter2' }", "2 | irc = { nick = , password =********\n");
    check_file("irc.password = hunter2", "2 | irc.password = ********\n");
    check_file("[finger.irc] password = 'hunter2'", "2 | [finger.irc] password = ********\n");
    check_file("passwords.bob = hunter2", "2 | passwords.bob = ********\n");
    check_file("[finger.passwords]\nbob = hunter2", "3 | bob = ********\n");
    // known, though it does not sound like it
    check_file("dsn = hunter2", "2 | dsn = ********\n");
    check_file("dns = 'hunter2'", "2 | dns = ********\n");
    check_file("[host.keys]\nbob = hunter2", "3 | bob = ********\n");
    // by its type
    check_file("dsn = 'hunter2'\nmax = 'x'", "2 | dsn = ********\n");
    check_file("dsn = 55\n[finger.dsn2]\nx = 5", "2 | dsn = ********\n");
    check_file("[finger.dsn]\nx = 'hunter2'", "[finger.dsn]");
    check_file("dsn = ['hunter2']\nmax = 'x'", "2 | dsn = ********\n");
}

#[test]
fn in_words() {
    let env = |env| Layers { env, ..Layers::default() };
    let set = |set| Layers { set, ..Layers::default() };
    check(&env(&[("OPSCTL_FINGER__PASWORD", "hunter2")]), "OPSCTL_FINGER__PASWORD=********\n");
    check(&env(&[("OPSCTL_FINGR__PASSWORD", "hunter2")]), "OPSCTL_FINGR__PASSWORD=********\n");
    check(&env(&[("OPSCTL_PASSWORD", "hunter2")]), "OPSCTL_PASSWORD=********\n");
    check(&env(&[("OPSCTL_FINGER__IRC", "{ nick = 5, password = 'hunter2' }")]), "{ nick = 5, password = ******** }");
    check(&env(&[("OPSCTL_FINGER__IRC", "{ nick = 5, password = 'hunter2'")]), "{ nick = 5, password =********");
    check(&env(&[("OPSCTL_FINGR__DSN", "hunter2")]), "OPSCTL_FINGR__DSN=********\n");
    check(&set(&["finger.pasword=hunter2"]), "--set finger.pasword=********\n");
    check(&set(&["password=hunter2"]), "--set password=********\n");
    check(&set(&["finger..password=hunter2"]), "--set finger..password=********\n");
    check(&set(&["finger.password.x=hunter2"]), "--set finger.password.x=********\n");
}
