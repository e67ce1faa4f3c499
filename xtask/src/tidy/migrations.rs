//! Checks of `migrations/`: a script that nobody compiles in never runs, one that only one database has breaks the other.
use crate::repo::{File, Tree};

const DIALECTS: [&str; 2] = ["sqlite", "postgres"];

pub(super) fn both_and_used(tree: &Tree) -> Vec<String> {
    let mut faults = Vec::new();
    for File { path, .. } in tree.files.iter().filter(|file| file.path.starts_with("migrations/")) {
        let parts: Vec<_> = path.split('/').collect();
        let [_, service, dialect, file] = parts[..] else {
            faults.push(format!("{path}: a migration is `migrations/SERVICE/{{sqlite,postgres}}/NNNN_what.sql`"));
            continue;
        };
        let name = file.trim_end_matches(".sql");
        if !DIALECTS.contains(&dialect) || name == file || !numbered(name) {
            faults.push(format!("{path}: a migration is `migrations/SERVICE/{{sqlite,postgres}}/NNNN_what.sql`"));
            continue;
        }
        for other in DIALECTS.iter().filter(|other| **other != dialect) {
            if !tree.has(&format!("migrations/{service}/{other}/{file}")) {
                faults.push(format!("{path}: there is none of this name for {other}"));
            }
        }
        let (opening, quoted) = (format!("migrations!(\"{service}\""), format!("\"{name}\""));
        if !tree.rust().any(|file| compact(&file.text).contains(&opening) && file.text.contains(&quoted)) {
            faults.push(format!("{path}: no `migrations!(\"{service}\", …)` names it"));
        }
    }
    faults
}

/// Without the white space that a long list is broken at.
fn compact(text: &str) -> String {
    text.split_whitespace().collect()
}

fn numbered(name: &str) -> bool {
    name.split_once('_').is_some_and(|(number, what)| {
        number.len() == 4 && number.bytes().all(|b| b.is_ascii_digit()) && !what.is_empty()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(files: &[(&str, &str)], faults: &[&str]) {
        let found = both_and_used(&Tree::of(files));
        assert_eq!(found.len(), faults.len(), "{found:?}");
        for (found, part) in found.iter().zip(faults) {
            assert!(found.contains(part), "{found}");
        }
    }

    #[test]
    fn a_migration_is_for_both_and_compiled_in() {
        let sqlite = ("migrations/index/sqlite/0001_files.sql", "");
        let postgres = ("migrations/index/postgres/0001_files.sql", "");
        let code = ("services/index/src/records.rs", "migrations!(\n    \"index\",\n    \"0001_files\",\n)");
        check(&[sqlite, postgres, code], &[]);
        check(&[sqlite, code], &["none of this name for postgres"]);
        check(&[sqlite, postgres], &["names it", "names it"]);
        check(&[("migrations/index/mysql/0001_files.sql", ""), code], &["a migration is"]);
        check(&[("migrations/index/sqlite/files.sql", ""), code], &["a migration is"]);
        check(&[("migrations/0001_files.sql", ""), code], &["a migration is"]);
    }
}
