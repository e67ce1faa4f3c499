//! Putting a line where it belongs in a text.
use super::Place;
use anyhow::{Context, Result};

/// `text` with `line`, which may be several, at its place.
pub(super) fn line(text: &str, place: &Place, line: &str) -> Result<String> {
    let line = line.trim_end();
    let lines: Vec<_> = text.lines().collect();
    let at = match place {
        Place::AtEnd => return Ok(format!("{}\n\n{line}\n", text.trim_end())),
        Place::AfterLast(part) => {
            let last = lines.iter().rposition(|each| each.contains(part));
            last.with_context(|| format!("there is no line with `{part}`"))? + 1
        }
        Place::Among(start) => {
            let first = lines.iter().position(|each| each.starts_with(start));
            let first = first.with_context(|| format!("there is no line that begins with `{start}`"))?;
            let block = lines[first..].iter().take_while(|each| each.starts_with(start));
            first + block.take_while(|each| **each < line).count()
        }
    };
    let mut lines = lines;
    lines.insert(at, line);
    Ok(lines.join("\n") + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, place: &Place, expected: &str) {
        assert_eq!(line(text, place, "mod m;\n").unwrap_or_default(), expected);
    }

    #[test]
    fn lines_go_to_their_places() {
        check("a\n\n", &Place::AtEnd, "a\n\nmod m;\n");
        check("x::a\nb\nx::c\nd\n", &Place::AfterLast("x::"), "x::a\nb\nx::c\nmod m;\nd\n");
        check("a\n", &Place::AfterLast("x::"), "");
        check("a\nmod b;\nmod n;\n\nmod a;\n", &Place::Among("mod "), "a\nmod b;\nmod m;\nmod n;\n\nmod a;\n");
        check("mod a;\nb\n", &Place::Among("mod "), "mod a;\nmod m;\nb\n");
        check("mod n;\n", &Place::Among("mod "), "mod m;\nmod n;\n");
        check("a\n", &Place::Among("mod "), "");
    }
}
