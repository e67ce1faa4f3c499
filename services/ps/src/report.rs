//! A report: parts with a title, each facts or a table. It is made once and written as text or as JSON.

use psi::Missing;

use crate::json::Object;
use crate::sheet::{Head, Room, Sheet};
use crate::style::{Line, Span, Style};
use crate::value::{Form, Value};

/// One part.
#[derive(Debug)]
pub(crate) struct Part<'a> {
    /// One word: the key in JSON.
    pub(crate) name: &'static str,
    pub(crate) body: Body<'a>,
    /// What a person wants to be told besides.
    pub(crate) note: Option<String>,
}

/// What a part consists of.
#[derive(Debug)]
pub(crate) enum Body<'a> {
    /// A name and a value each.
    Facts(Vec<(&'static str, Value<'a>)>),
    /// The same, but a person is not told of what is not there.
    Sparse(Vec<(&'static str, Value<'a>)>),
    /// The same columns again and again.
    Table(Vec<Column>, Vec<Vec<Value<'a>>>),
    /// It cannot be told, and why.
    Missing(String),
}

/// A column of a part's table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    /// The key in JSON.
    name: &'static str,
    title: &'static str,
    right: bool,
    /// The highest go first where there is no room; 0 stays.
    spare: u8,
}

/// Columns by their names: a `>` before one stands for figures, which go to the right; after a `|` stands a title that is
/// shorter than the name; after a `~` stands a digit for those that can be spared on a narrow screen, the highest first.
fn columns(names: &[&'static str]) -> Vec<Column> {
    let column = |text: &&'static str| {
        let (right, text) = text.strip_prefix('>').map_or((false, *text), |text| (true, text));
        let (text, spare) = text.split_once('~').unwrap_or((text, "0"));
        let (name, title) = text.split_once('|').unwrap_or((text, text));
        Column { name, title, right, spare: spare.parse().unwrap_or(0) }
    };
    names.iter().map(column).collect()
}

impl<'a> Part<'a> {
    pub(crate) fn facts(name: &'static str, facts: Vec<(&'static str, Value<'a>)>) -> Self {
        Self { name, body: Body::Facts(facts), note: None }
    }

    pub(crate) fn table(name: &'static str, names: &[&'static str], rows: Vec<Vec<Value<'a>>>) -> Self {
        Self { name, body: Body::Table(columns(names), rows), note: None }
    }

    /// For a person, a line after the other. Facts are not cut: who asks for everything gets it.
    pub(crate) fn lines(self, form: &Form, room: Room) -> Vec<Line> {
        let Self { name, body, note } = self;
        let mut lines = vec![vec![Span::new(name, Style::Head)]];
        match body {
            Body::Facts(facts) => lines.extend(fact_lines(&facts, form)),
            Body::Sparse(mut facts) => {
                facts.retain(|(_, value)| !matches!(value, Value::Nothing(_)));
                lines.extend(fact_lines(&facts, form));
            }
            Body::Missing(why) => lines.push(vec![Span::new(format!("  {why}"), Style::Faint)]),
            Body::Table(_, rows) if rows.is_empty() => lines.push(vec![Span::new("  none", Style::Faint)]),
            Body::Table(columns, rows) => {
                let room = inner(room);
                let laid_out = sheet(&columns, &rows, form, room).lay_out(room);
                let moved_in = |line: Line| [Span::plain("  ")].into_iter().chain(line).collect();
                lines.extend([laid_out.head].into_iter().chain(laid_out.lines).map(moved_in));
            }
        }
        lines.extend(note.map(|note| vec![Span::new(format!("  {note}"), Style::Faint)]));
        lines
    }

    /// As JSON: an object of facts, or an array of objects; `null` if it cannot be told.
    pub(crate) fn json(&self) -> serde_json::Value {
        let object = |members: Vec<(&'static str, serde_json::Value)>| serde_json::to_value(Object(members));
        let json = match &self.body {
            Body::Facts(facts) | Body::Sparse(facts) => {
                object(facts.iter().map(|(name, value)| (*name, value.json())).collect())
            }
            Body::Missing(_) => return serde_json::Value::Null,
            Body::Table(columns, rows) => {
                let row = |row: &Vec<Value<'_>>| {
                    object(columns.iter().zip(row).map(|(column, value)| (column.name, value.json())).collect())
                };
                rows.iter().map(row).collect::<Result<_, _>>()
            }
        };
        // maps with names for keys are always JSON
        json.unwrap_or_default()
    }
}

/// The room for what is moved in by two.
fn inner(room: Room) -> Room {
    Room { width: room.width.map(|width| width.saturating_sub(2)), ..room }
}

fn sheet(columns: &[Column], rows: &[Vec<Value<'_>>], form: &Form, room: Room) -> Sheet {
    let last = columns.len().saturating_sub(1);
    // one text shall not have the screen for itself
    let most = room.width.map_or(32, |width| (width / 3).clamp(8, 32));
    let head = |(at, column): (usize, &Column)| Head {
        title: column.title.to_owned(),
        right: column.right,
        most: if at == last && !column.right { None } else { Some(most) },
        spare: column.spare,
    };
    let cell = |value: &Value<'_>| {
        let style = if matches!(value, Value::Nothing(_)) { Style::Faint } else { Style::Plain };
        vec![Span::new(value.show(form), style)]
    };
    Sheet {
        heads: columns.iter().enumerate().map(head).collect(),
        rows: rows.iter().map(|row| row.iter().map(cell).collect()).collect(),
    }
}

/// A line each; a list has a line for each of its values.
fn fact_lines(facts: &[(&'static str, Value<'_>)], form: &Form) -> Vec<Line> {
    let width = facts.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut all = Vec::new();
    for (name, value) in facts {
        let lines = match value {
            Value::List(values) if !values.is_empty() => values.iter().map(|value| value.show(form)).collect(),
            Value::Nothing(why) if *why != Missing::Absent => vec![why.to_string()],
            value => vec![value.show(form)],
        };
        let style = if matches!(value, Value::Nothing(_)) { Style::Faint } else { Style::Plain };
        for (at, text) in lines.into_iter().enumerate() {
            let name = if at == 0 { *name } else { "" };
            all.push(vec![Span::new(format!("  {name:width$}  "), Style::Faint), Span::new(text, style)]);
        }
    }
    all
}

/// Parts with an empty line between two.
pub(crate) fn lines<'a>(parts: impl IntoIterator<Item = Part<'a>>, form: &Form, room: Room) -> Vec<Line> {
    let mut lines = Vec::new();
    for part in parts {
        if !lines.is_empty() {
            lines.push(Line::new());
        }
        lines.extend(part.lines(form, room));
    }
    lines
}

#[cfg(test)]
mod tests {
    use crate::style;
    use crate::value::tests::form;

    use super::*;

    fn check(part: Part<'_>, text: &str, json: &str) {
        assert_eq!(part.json().to_string(), json);
        let mut out = Vec::new();
        style::write_all(&part.lines(&form(), Room { width: Some(30), utf8: true }), false, &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), text);
    }

    #[test]
    fn a_part_is_text_and_json() {
        let facts = vec![
            ("size", Value::Size(2048)),
            ("args", Value::List(vec![Value::owned("a\n"), Value::owned("b")])),
            ("exe", Value::Nothing(Missing::Denied)),
            ("unit", Value::Nothing(Missing::Absent)),
        ];
        check(
            Part::facts("what", facts),
            "what\n  size  2.0K\n  args  a\\n\n        b\n  exe   insufficient privileges\n  unit  -\n",
            r#"{"args":["a\n","b"],"exe":null,"size":2048,"unit":null}"#,
        );
        let facts = vec![("max", Value::Nothing(Missing::Absent)), ("now", Value::Count(3))];
        let sparse = Part { name: "limits", body: Body::Sparse(facts), note: None };
        check(sparse, "limits\n  now  3\n", r#"{"max":null,"now":3}"#);
        let rows = vec![vec![Value::owned("lo"), Value::Size(1), Value::owned("a text that is too long")]];
        let table = Part { note: Some("and more".into()), ..Part::table("net", &["name|n", ">bytes", "text"], rows) };
        check(
            table,
            "net\n  n  bytes text\n  lo    1B a text that is too…\n  and more\n",
            r#"[{"bytes":1,"name":"lo","text":"a text that is too long"}]"#,
        );
        check(Part::table("net", &["name"], vec![]), "net\n  none\n", "[]");
        let missing = Part { name: "net", body: Body::Missing("not available here".into()), note: None };
        check(missing, "net\n  not available here\n", "null");
    }
}
