//! entry_points.txt: which scripts an installer makes (entry points specification). Their names become names of files.

use super::{BadWheel, SMALL_MAX};
use crate::Error;
use crate::archive::zip::Zip;
use crate::level::Findings;

/// The groups whose entries become files.
const SCRIPTS: &[&str] = &["console_scripts", "gui_scripts"];

pub(super) fn check(zip: &Zip<'_>, folder: &str, findings: &mut Findings) -> Result<(), Error> {
    let Some(entry) = zip.find(&format!("{folder}/entry_points.txt")) else { return Ok(()) };
    let bytes = zip.read(entry, SMALL_MAX)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| BadWheel::EntryPoints(1))?;
    Ok(scripts(text).or_else(|bad| findings.object(bad))?)
}

/// The form is that of Python's `configparser` with `=` as the only delimiter. Names of scripts are `[\w.-]+`.
fn scripts(text: &str) -> Result<(), BadWheel> {
    let mut group: Option<&str> = None;
    let mut in_value = false;
    for (number, line) in text.lines().enumerate() {
        let bare = line.trim();
        if bare.is_empty() || bare.starts_with(['#', ';']) {
            continue;
        }
        // a value goes on where a line is indented
        if in_value && line.starts_with(char::is_whitespace) {
            continue;
        }
        if let Some(name) = bare.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            (group, in_value) = (Some(name.0), false);
            continue;
        }
        let malformed = BadWheel::EntryPoints(number + 1);
        let (name, _) = bare.split_once('=').ok_or_else(|| malformed.clone())?;
        let name = name.trim_end();
        let group = group.filter(|_| !name.is_empty()).ok_or(malformed)?;
        in_value = true;
        let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-');
        // `..` passes the specification's pattern, and is no file
        let is_file = name.chars().all(word) && !name.chars().all(|c| c == '.');
        if SCRIPTS.contains(&group) && !is_file {
            return Err(BadWheel::EntryPoint(name.to_owned()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check_text(text: &str, said: &str) {
        assert_eq!(scripts(text).err().map(|bad| bad.to_string()).unwrap_or_default(), said, "{text}");
    }

    #[test]
    fn scripts_are_names_of_files() {
        check_text("", "");
        check_text("# x\n[console_scripts]\nfoo-1.2_x = a:b\n  [more]\nbar=c\n\n[x]\na/b = c\n", "");
        check_text("[gui_scripts]\n../foo = a:b\n", "`../foo` in entry_points.txt is no name for a script");
        check_text("[console_scripts]\nfoo bar = a:b\n", "`foo bar` in entry_points.txt is no name for a script");
        check_text("[console_scripts]\n.. = a:b\n", "`..` in entry_points.txt is no name for a script");
        check_text("foo = a:b\n", "entry_points.txt is malformed in line 1");
        check_text("[a]\nfoo\n", "entry_points.txt is malformed in line 2");
        check_text("[a]\n = b\n", "entry_points.txt is malformed in line 2");
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in prop_oneof![any::<String>(), "(\\[|console_scripts|\\]|\n|=| |a|/){0,20}"]) {
            let _ = scripts(&text);
        }
    }
}
