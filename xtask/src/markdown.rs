//! Generated parts of READMEs: the lines between `<!-- begin: NAME -->` and `<!-- end: NAME -->`, and tables for them.
use anyhow::{Context, Result};

/// `document` with `part` between the markers called `name`.
pub(crate) fn replace(document: &str, name: &str, part: &str) -> Result<String> {
    let (begin, end) = (format!("<!-- begin: {name} -->\n"), format!("<!-- end: {name} -->"));
    let wrong = || format!("there are no lines `{}` and `{end}`", begin.trim_end());
    let (before, rest) = document.split_once(&begin).with_context(wrong)?;
    let (_, after) = rest.split_once(&end).with_context(wrong)?;
    Ok(format!("{before}{begin}\n{}\n\n{end}{after}", part.trim()))
}

/// A table; the columns after the first `left` ones are numbers.
pub(crate) fn table(head: &[&str], left: usize, rows: &[Vec<String>]) -> String {
    let line = |cells: Vec<&str>| format!("| {} |\n", cells.join(" | "));
    let rule = (0..head.len()).map(|at| if at < left { "---" } else { "---:" }).collect();
    let rows = rows.iter().map(|row| line(row.iter().map(String::as_str).collect()));
    [line(head.to_vec()), line(rule)].into_iter().chain(rows).collect()
}

/// `text` in a cell of a table.
pub(crate) fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_markers_changes() {
        let document = "a\n<!-- begin: x -->\nold\n<!-- end: x -->\nb\n";
        let once = replace(document, "x", "new\n").unwrap();
        assert_eq!(once, "a\n<!-- begin: x -->\n\nnew\n\n<!-- end: x -->\nb\n");
        assert_eq!(replace(&once, "x", "new").unwrap(), once);
        assert!(replace(document, "y", "").is_err());
    }

    #[test]
    fn tables_are_lines() {
        let rows = [vec!["x".to_owned(), "1".to_owned()]];
        assert_eq!(table(&["a", "b"], 1, &rows), "| a | b |\n| --- | ---: |\n| x | 1 |\n");
        assert_eq!(cell("a|b"), "a\\|b");
    }
}
