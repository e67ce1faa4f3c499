//! Processes and reports as JSON: an array with an object a line for processes, in the order of the table of columns.

use std::io::{self, Write};

use serde::{Serialize, Serializer};

use crate::columns::{ALL, Row};
use crate::value::Value;

/// An object whose members stay in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Object(pub(crate) Vec<(&'static str, serde_json::Value)>);

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// All that was read of a process. What is missing is `null`, and `missing` says why; what is not UTF-8 stands in `bytes`
/// once more, whole.
pub(crate) fn process(row: Row<'_>) -> Object {
    let mut members = Vec::new();
    let (mut missing, mut bytes) = (Vec::new(), Vec::new());
    for column in ALL.iter().filter(|column| row.look.needs.has(column.needs)) {
        let value = (column.get)(row);
        if let Value::Nothing(why) = value {
            missing.push((column.name, why.to_string().into()));
        }
        bytes.extend(value.raw().map(|raw| (column.name, raw)));
        members.push((column.name, value.json()));
    }
    for (name, more) in [("missing", missing), ("bytes", bytes)] {
        if !more.is_empty() {
            let more: serde_json::Map<_, _> = more.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            members.push((name, more.into()));
        }
    }
    Object(members)
}

/// Writes an array, an element a line.
///
/// # Errors
/// What the writer says.
pub(crate) fn write(objects: impl IntoIterator<Item = Object>, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(b"[")?;
    for (at, object) in objects.into_iter().enumerate() {
        out.write_all(if at == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut *out, &object)?;
    }
    out.write_all(b"\n]\n")
}

#[cfg(test)]
mod tests {
    use crate::testing::{Fake, look};

    use super::*;

    #[test]
    fn objects_have_what_was_read() {
        let look = look(&[Fake { args: "a b", cpu: 150, resident: 3, port: 80, ..Fake::default() }]);
        let row = Row { look: &look, process: &look.table.processes[0] };
        let mut out = Vec::new();
        write([process(row)], &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(
            text.starts_with("[\n{\"pid\":1,\"start\":100,\"name\":\"fake\",\"state\":\"S\",\"kernel\":false,"),
            "{text}"
        );
        let [object] = &serde_json::from_str::<Vec<serde_json::Value>>(&text).unwrap()[..] else { panic!("{text}") };
        assert_eq!(object["args"], serde_json::json!(["a", "b"]));
        assert_eq!(object["ports"], serde_json::json!(["tcp:80"]));
        assert_eq!((&object["cpu_time"], &object["resident_size"]), (&1.5.into(), &12_288.into()));
        assert_eq!((&object["age"], &object["cpu_percent"]), (&999.0.into(), &0.15.into()));
        assert_eq!(object["start_time"], "1970-01-12T13:46:41.00Z");
        assert_eq!(
            (&object["terminal"], &object["missing"]["terminal"]),
            (&().into(), &"not available for this process".into())
        );
        assert_eq!(object.get("env"), None, "nobody asked for it");
    }

    #[test]
    fn an_empty_array_is_one() {
        let mut out = Vec::new();
        write([], &mut out).unwrap();
        assert_eq!(serde_json::from_slice::<Vec<()>>(&out).unwrap(), []);
    }
}
