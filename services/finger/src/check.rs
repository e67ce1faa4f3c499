//! `opsctl finger check`: everything that `open` would stumble over, all of it at once, and nothing is served.

use std::io::{self, Write};
use std::process::ExitCode;

use crate::config::Config;
use crate::{directory, web};

/// Looks at the users file and the templates; faults go to `faults` with their places, a word on the rest to `out`.
pub(crate) fn check(config: Config, mut out: impl Write, mut faults: impl Write) -> io::Result<ExitCode> {
    let mut code = ExitCode::SUCCESS;
    match directory::read(&config.file) {
        Ok(users) => writeln!(out, "{}: {} users", config.file.display(), users.len())?,
        Err(error) => {
            writeln!(faults, "{:#}", anyhow::Error::from(error))?;
            code = ExitCode::FAILURE;
        }
    }
    let templates = config.templates.as_ref().map_or_else(|| "built in".to_owned(), |dir| dir.display().to_string());
    let wrong = web::faults(&web::pages(config.templates));
    for fault in &wrong {
        writeln!(faults, "{fault}")?;
        code = ExitCode::FAILURE;
    }
    if wrong.is_empty() {
        writeln!(out, "{templates}: templates are fine")?;
    }
    Ok(code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::config;

    #[test]
    fn all_faults_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().display();
        let check = |users: &str, template: &str, said: &str| {
            std::fs::write(folder.path().join("users"), users).unwrap();
            std::fs::write(folder.path().join("user.html"), template).unwrap();
            let config = config(&format!("file={dir}/users\ntemplates={dir}")).unwrap();
            let (mut out, mut faults) = (Vec::new(), Vec::new());
            let code = check(config, &mut out, &mut faults).unwrap();
            assert_eq!(code == ExitCode::SUCCESS, faults.is_empty());
            out.extend(faults);
            assert_eq!(String::from_utf8(out).unwrap().replace(&dir.to_string(), ""), said);
        };
        check("moshez: well\n", "{{ name }}", "/users: 1 users\n: templates are fine\n");
        let faults = "/users:1:2: no `:` between user and status\n/users:3:2: no `:` between user and status\n";
        check("a\n\nb\n", "{{ name }}", &format!(": templates are fine\n{faults}"));
        let template = "/user.html:2:1: unexpected end of input, expected expression\n";
        check("a\n\nb\n", "\n{{ ", &format!("{faults}{template}"));
    }
}
