//! The configuration reference from the text of `config/opsctl.toml`: one table of keys for each TOML table.
//!
//! It reads the layout of that file and not TOML in general: the comment above a key is its meaning, and a key whose
//! default is "none" stands in a comment itself, as `# key = example`, below its meaning.
use crate::markdown;

/// The reference, as Markdown.
pub(crate) fn reference(text: &str) -> String {
    let mut out = String::new();
    for Table { name, about, keys } in tables(text) {
        let rows: Vec<_> = keys.into_iter().map(Key::row).collect();
        out.push_str(&format!("## `[{name}]`\n\n{about}\n\n"));
        if !rows.is_empty() {
            out.push_str(&markdown::table(&["key", "default", "meaning"], 3, &rows));
            out.push('\n');
        }
    }
    out
}

#[derive(Debug)]
struct Table {
    name: String,
    about: String,
    keys: Vec<Key>,
}

#[derive(Debug)]
struct Key {
    name: String,
    /// Its default, or the example if that is none.
    value: String,
    is_set: bool,
    meaning: String,
}

impl Key {
    fn row(self) -> Vec<String> {
        let (value, example) = match self.is_set {
            true => (format!("`{}`", self.value), String::new()),
            false => ("none".into(), format!(" Example: `{}`.", self.value)),
        };
        let meaning = format!("{}{example}", self.meaning);
        vec![format!("`{}`", self.name), markdown::cell(&value), markdown::cell(&meaning)]
    }
}

fn tables(text: &str) -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    let mut comment: Vec<&str> = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let said = line.strip_prefix('#').map(str::trim);
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            tables.push(Table { name: name.into(), about: comment.join(" "), keys: Vec::new() });
        } else if let (Some((name, value)), Some(table)) = (assignment(said.unwrap_or(line)), tables.last_mut()) {
            let value = whole(value, &mut lines);
            let meaning = match table.keys.last() {
                // two keys below one comment
                Some(before) if comment.is_empty() => format!("See `{}`.", before.name),
                _ => comment.join(" "),
            };
            table.keys.push(Key { name: name.into(), value, is_set: said.is_none(), meaning });
        } else if let Some(words) = said {
            comment.push(words);
            continue;
        }
        comment.clear();
    }
    tables
}

/// `key = value`, and no sentence that has an equals sign in it.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.split_once(" = ")?;
    let is_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    (!key.is_empty() && key.chars().all(is_key)).then_some((key, value))
}

/// `value`, with the lines that follow while it is an open list, in one line.
fn whole<'a>(value: &'a str, lines: &mut impl Iterator<Item = &'a str>) -> String {
    let open = |text: &str| text.matches('[').count() > text.matches(']').count();
    let mut whole = value.trim().to_owned();
    while open(&whole) {
        let Some(next) = lines.next() else { break };
        let next = next.trim_start_matches('#').trim();
        let joined = whole.ends_with('[') || next.starts_with(']');
        whole.push_str(if joined { "" } else { " " });
        whole.push_str(next);
    }
    whole.replace(",]", "]")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(reference(text).trim(), expected.trim(), "{text}");
    }

    #[test]
    fn keys_are_rows() {
        check(
            "# The file.\n# key = none of a table\n\n# The host.\n# Alone.\n[host]\n# Where it\n# listens.\nlisten = \"a|b\"\n\
             # Who: `x` = y.\n# user = \"me\"\n",
            "## `[host]`\n\nThe host. Alone.\n\n| key | default | meaning |\n| --- | --- | --- |\n\
             | `listen` | `\"a\\|b\"` | Where it listens. |\n| `user` | none | Who: `x` = y. Example: `\"me\"`. |",
        );
    }

    #[test]
    fn a_list_over_several_lines_becomes_one() {
        check(
            "[a]\n# L.\nx = [\n  \"1\",\n  \"2\",\n]\n",
            "## `[a]`\n\n\n\n| key | default | meaning |\n| --- | --- | --- |\n| `x` | `[\"1\", \"2\"]` | L. |",
        );
    }

    #[test]
    fn a_comment_may_be_for_two_keys() {
        check(
            "[a]\n# P.\n# p = 1\n# p_file = 2\n",
            "## `[a]`\n\n\n\n| key | default | meaning |\n| --- | --- | --- |\n\
             | `p` | none | P. Example: `1`. |\n| `p_file` | none | See `p`. Example: `2`. |",
        );
    }

    #[test]
    fn a_table_may_be_empty() {
        check("# A.\n[a]\n# B.\n[b]\n", "## `[a]`\n\nA.\n\n## `[b]`\n\nB.");
    }
}
