//! What templates can call beside minijinja's own.
//!
//! Functions whose names begin with `_` serve the macros of `parts.html` only.

use std::collections::BTreeMap;

use minijinja::value::{Rest, Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State};

use crate::markup::Escaped;
use crate::query::{segment, web_address};
use crate::units::{bytes, duration, grouped, time, timestamp};
use crate::visit::Visit;

/// Makes them known.
pub(crate) fn add_to(templates: &mut Environment<'static>) {
    templates.add_filter("segment", |text: String| segment(&text));
    templates.add_filter("bytes", |count: u64| bytes(count));
    templates.add_filter("grouped", |number: i64| grouped(number));
    templates.add_filter("duration", |seconds: u64| duration(seconds));
    templates.add_filter("time", |value: Value| show_time(&value, false));
    templates.add_filter("date", |value: Value| show_time(&value, true));
    templates.add_filter("web_address", |text: String| web_address(&text).map(str::to_owned));
    templates.add_function("query_with", query_with);
    templates.add_function("_hidden", |name: String, value: Value| {
        Value::from_safe_string(hidden(&name, &value.to_string()))
    });
    templates.add_function("_hidden_fields", hidden_fields);
    templates.add_function("_asked", |state: &mut State<'_, '_>, name: String| {
        visit(state).and_then(|visit| visit.query().get(&name).map(str::to_owned)).unwrap_or_default()
    });
    templates.add_function("_field", field);
    templates.add_function("_errors", errors);
}

/// A time that is none is a fault of the service, except nothing: it shows as a dash.
fn show_time(value: &Value, days_only: bool) -> Result<Value, Error> {
    if is_nothing(value) {
        return Ok(Value::from("–"));
    }
    let at = timestamp(value).ok_or_else(|| {
        Error::new(ErrorKind::InvalidOperation, "a time is microseconds since 1970 or a string as of RFC 3339")
    })?;
    Ok(Value::from_safe_string(time(at, days_only)))
}

/// The visit that the page is rendered for.
fn visit(state: &State<'_, '_>) -> Option<Visit> {
    state.lookup("visit")?.downcast_object_ref::<Visit>().cloned()
}

/// `query_with("page", 2)`: the address of this page with a value of its query changed; an empty one takes it away. There
/// may be several pairs.
fn query_with(state: &mut State<'_, '_>, changes: Rest<Value>) -> Result<String, Error> {
    let visit = visit(state).ok_or_else(no_visit)?;
    let mut query = visit.query().clone();
    for pair in changes.chunks(2) {
        let [name, value] = pair else {
            return Err(Error::new(ErrorKind::MissingArgument, "`query_with` takes pairs of a name and a value"));
        };
        query = query.with(&name.to_string(), &value.to_string());
    }
    Ok(query.href(visit.path()))
}

/// The fields that make a POST what it is meant to be. They stand first in the form.
fn hidden_fields(state: &mut State<'_, '_>, method: String) -> Result<Value, Error> {
    let method = method.to_ascii_lowercase();
    if method == "get" {
        return Ok(Value::from(""));
    }
    let visit = visit(state).ok_or_else(no_visit)?;
    let token = visit.token().map_err(|error| Error::new(ErrorKind::InvalidOperation, error.to_string()))?;
    let mut fields = String::new();
    if method != "post" {
        fields += &hidden("_method", &method.to_ascii_uppercase());
    }
    fields += &hidden(crate::CSRF_FIELD, &token);
    Ok(Value::from_safe_string(fields))
}

fn hidden(name: &str, value: &str) -> String {
    // an XML parser makes spaces of the ends of lines in attributes
    let value = Escaped(value).to_string().replace('\r', "&#13;").replace('\n', "&#10;").replace('\t', "&#9;");
    format!("<input type=\"hidden\" name=\"{}\" value=\"{value}\"/>", Escaped(name))
}

fn no_visit() -> Error {
    Error::new(ErrorKind::InvalidOperation, "the page is rendered for no visit: use `Pages::show`")
}

/// What a field's macro needs: `id`, `label`, `value`, `values`, `error`. Notes the label for [`errors`].
fn field(state: &mut State<'_, '_>, form: Value, name: String, label: Value) -> Result<Value, Error> {
    let id = field_id(&form, &name)?;
    let label = if is_nothing(&label) { Value::from(worded(&name)) } else { label };
    state.set_temp(&format!("label {id}"), label.clone());
    let part = |part: &str| match is_nothing(&form) {
        true => Ok(Value::UNDEFINED),
        false => form.get_attr(part)?.get_item(&Value::from(name.as_str())),
    };
    let values = part("values")?;
    let values = if is_nothing(&values) { Value::from_iter::<[&str; 0]>([]) } else { values };
    let value = values.try_iter()?.next().unwrap_or_else(|| Value::from(""));
    let error = part("errors")?;
    let parts = [("id", Value::from(id)), ("label", label), ("value", value), ("values", values), ("error", error)];
    Ok(map(parts))
}

/// What is wrong with the form, for the summary: `id` (where there is such a field on the page), `label`, `message`.
fn errors(state: &mut State<'_, '_>, form: Value) -> Result<Vec<Value>, Error> {
    if is_nothing(&form) {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for problem in form.get_attr("problems")?.try_iter()? {
        found.push(map([("message", problem)]));
    }
    let errors = form.get_attr("errors")?;
    for name in errors.try_iter()? {
        let message = errors.get_item(&name)?;
        let id = field_id(&form, &name.to_string())?;
        found.push(match state.get_temp(&format!("label {id}")) {
            Some(label) => map([("id", Value::from(id)), ("label", label), ("message", message)]),
            None => map([("label", Value::from(worded(&name.to_string()))), ("message", message)]),
        });
    }
    Ok(found)
}

fn field_id(form: &Value, name: &str) -> Result<String, Error> {
    let id = if is_nothing(form) { String::new() } else { form.get_attr("id")?.to_string() };
    Ok(format!("{}-{name}", if id.is_empty() { "f" } else { &id }))
}

/// `project_name`: "Project name".
fn worded(name: &str) -> String {
    let mut chars = name.chars();
    let first: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
    first + &chars.as_str().replace(['_', '-'], " ")
}

fn map<const N: usize>(pairs: [(&'static str, Value); N]) -> Value {
    Value::from(BTreeMap::from(pairs))
}

fn is_nothing(value: &Value) -> bool {
    matches!(value.kind(), ValueKind::Undefined | ValueKind::None)
}
