//! The list of processes as a sheet: a cell for each column, with the weight and colour that its value deserves.

use crate::args::Query;
use crate::columns::{Column, Row, Shape};
use crate::look::Look;
use crate::order::Placed;
use crate::sheet::{Head, Sheet};
use crate::style::{Line, Span, Style};
use crate::text;
use crate::value::{Form, Value};

/// From here on a share is much, and too much.
const MUCH: (f64, f64) = (20.0, 80.0);

/// Columns of the usual list that can be spared on a narrow screen, the first to go last.
const SPARE: &[&str] = &["state", "user", "cpu_time", "start_time"];

/// What a list is drawn with.
#[derive(Clone, Debug)]
pub(crate) struct Drawing {
    pub(crate) form: Form,
    pub(crate) utf8: bool,
    /// There is little room.
    pub(crate) narrow: bool,
    /// Bytes of a command line that may matter: nobody sees more on a screen, and it may have megabytes.
    pub(crate) most: usize,
    /// Who looks: processes of others are fainter.
    pub(crate) uid: u32,
}

/// The sheet of these processes.
pub(crate) fn sheet(look: &Look, query: &Query, placed: &[Placed<'_>], drawing: &Drawing) -> Sheet {
    let heads = query.columns.iter().map(|column| head(column, look)).collect();
    let rows = placed
        .iter()
        .map(|placed| query.columns.iter().map(|column| cell(column, placed, drawing)).collect::<Vec<_>>());
    Sheet { heads, rows: rows.collect() }
}

fn head(column: &Column, look: &Look) -> Head {
    let (right, most) = match column.shape {
        Shape::Figure => (true, Some(24)),
        Shape::Word(most) => (false, Some(most)),
        Shape::Wide | Shape::Never => (false, None),
    };
    let spare = SPARE.iter().position(|name| *name == column.name).map_or(0, |at| u8::try_from(at + 1).unwrap_or(0));
    Head { title: column.heading(&look.busy), right, most, spare }
}

fn cell(column: &Column, placed: &Placed<'_>, drawing: &Drawing) -> Line {
    let row = placed.row;
    let value = (column.get)(row);
    match column.name {
        "command" => {
            let mut line = vec![Span::new(placed.lines(drawing.utf8, drawing.narrow), Style::Faint)];
            line.extend(command(row, drawing.most));
            line
        }
        _ => vec![Span::new(value.show(&drawing.form), style(column, row, &value, drawing))],
    }
}

fn style(column: &Column, row: Row<'_>, value: &Value<'_>, drawing: &Drawing) -> Style {
    match (column.name, value) {
        (_, Value::Nothing(_)) => Style::Faint,
        (_, Value::Percent(share)) if *share >= MUCH.1 => Style::Bad,
        (_, Value::Percent(share)) if *share >= MUCH.0 => Style::Warm,
        ("state", _) => match row.process.state.letter() {
            'R' => Style::Good,
            'D' | 'T' | 't' => Style::Warm,
            'Z' | 'X' => Style::Bad,
            _ => Style::Faint,
        },
        ("user", _) if row.process.uid().is_ok_and(|uid| uid != drawing.uid) => Style::Faint,
        _ => Style::Plain,
    }
}

/// A command line, the program's own name in it strong and the folders before it faint. What has no command line has its
/// name in brackets, as in ps.
fn command(row: Row<'_>, most: usize) -> Line {
    let process = row.process;
    let has_args = process.args.as_ref().is_ok_and(|args| args.iter().any(|arg| !arg.is_empty()));
    if !has_args {
        return vec![Span::new(format!("[{}]", text::printable(process.name.as_encoded_bytes())), Style::Faint)];
    }
    let line = process.command();
    let line = line.as_encoded_bytes();
    let line = line.get(..most).unwrap_or(line);
    let program =
        process.args.as_ref().ok().and_then(|args| args.iter().next().map(|program| program.len())).unwrap_or(0);
    let (program, rest) = line.split_at_checked(program).unwrap_or((line, b""));
    let title = program.iter().position(|byte| *byte == b' ' || *byte == b':').unwrap_or(program.len());
    // a title that the program wrote over its arguments is one string with blanks in it; a path in it is no folder
    let folder =
        program.get(..title).and_then(|path| path.iter().rposition(|byte| *byte == b'/')).map_or(0, |at| at + 1);
    let (folder, name) = program.split_at_checked(folder).unwrap_or((b"", program));
    [(folder, Style::Faint), (name, Style::Strong), (rest, Style::Plain)]
        .into_iter()
        .map(|(part, style)| Span::new(text::printable(part), style))
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::args::tests::query;
    use crate::order::arrange;
    use crate::sheet::Room;
    use crate::style;
    use crate::testing::{Fake, look};
    use crate::value::tests::form;

    use super::*;

    fn check(line: &str, width: Option<usize>, expected: &str) {
        let fake = |pid, parent, args| Fake { pid, parent, args, start: 99_000 + u64::from(pid), ..Fake::default() };
        let look = look(&[
            Fake { cpu: 500, resident: 3000, ..fake(1, 0, "/sbin/init splash") },
            Fake { uid: 33, port: 8080, name: "nginx", ..fake(10, 1, "nginx: worker process") },
            Fake { uid: 7777, name: "odd\tname", ..fake(11, 10, "") },
        ]);
        let query = query(line);
        let ready = query.filter.on(&look, None).unwrap();
        let placed = arrange(&look, &query, &ready);
        let drawing = Drawing { form: form(), utf8: true, narrow: false, most: usize::MAX, uid: 0 };
        let laid_out = sheet(&look, &query, &placed, &drawing).lay_out(Room { width, utf8: true });
        let mut out = Vec::new();
        style::write(&laid_out.head, false, &mut out).unwrap();
        laid_out.lines.iter().for_each(|line| style::write(line, false, &mut out).unwrap());
        assert_eq!(String::from_utf8(out).unwrap(), expected, "{line}");
    }

    #[test]
    fn the_usual_list() {
        check(
            "ps",
            None,
            "PID USER     S CPU%LIFE RSS START    TIME COMMAND\n  1 root     S     50.1 12M 1970  0:05.00 /sbin/init splash\n \
             10 www-data S      0.0  0B 1970  0:00.00 nginx: worker process\n \
             11 7777     S      0.0  0B 1970  0:00.00 [odd\\tname]\n",
        );
    }

    #[test]
    fn a_narrow_list_keeps_what_matters() {
        check(
            "ps",
            Some(40),
            "PID S CPU%LIFE RSS COMMAND\n  1 S     50.1 12M /sbin/init splash\n \
             10 S      0.0  0B nginx: worker process\n 11 S      0.0  0B [odd\\tname]\n",
        );
    }

    #[test]
    fn trees_ports_and_exact_figures() {
        check(
            "ps --tree -o pid,command",
            None,
            "PID COMMAND\n  1 /sbin/init splash\n 10 └─ nginx: worker process\n 11    └─ [odd\\tname]\n",
        );
        check("ps --port 8080 -o pid,ports,mem", None, "PID LISTENS  MEM%\n 10 tcp:8080  0.0\n");
    }

    #[test]
    fn the_programs_name_is_strong() {
        let check = |args: &'static str, expected: &[(&str, Style)]| {
            let look = look(&[Fake { args, name: "x", ..Fake::default() }]);
            let line = command(Row { look: &look, process: &look.table.processes[0] }, 1000);
            let seen: Vec<_> =
                line.iter().filter(|span| !span.text.is_empty()).map(|span| (span.text.as_str(), span.style)).collect();
            assert_eq!(seen, expected);
        };
        check(
            "/usr/bin/python3 -m x",
            &[("/usr/bin/", Style::Faint), ("python3", Style::Strong), (" -m x", Style::Plain)],
        );
        check("sleep 1", &[("sleep", Style::Strong), (" 1", Style::Plain)]);
        check("", &[("[x]", Style::Faint)]);
    }
}
