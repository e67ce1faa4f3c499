//! A form: what was filled in, read into types with an error for each field, and shown again as it was.

mod read;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use serde::Serialize;

use crate::Query;

/// Most fields of a form.
const MAX_FIELDS: usize = 1000;
/// Longest value of a field that is one line, in characters.
const MAX_LINE: usize = 1000;

/// What a browser sent, or what a form is to begin with. An extractor for `application/x-www-form-urlencoded`, bounded by
/// axum's `DefaultBodyLimit` and 1000 fields.
///
/// The readers ([`Self::required`] and so on) note what is wrong; read all fields before looking, so that the user is
/// told everything at once. A template gets the form itself and shows values and errors (`form`, `text`, `select` … of
/// `parts.html`); it never shows passwords again.
///
/// ```
/// # use opsctl_web::Form;
/// let mut form = Form::from_pairs([("name", "zope"), ("keep", "many")]);
/// let name = form.required::<String>("name");
/// let keep = form.optional::<u32>("keep");
/// assert!(name.is_ok() && keep.is_err());
/// assert_eq!(form.error("keep"), Some("invalid digit found in string"));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Form {
    /// Begins the `id` of each field; to be set where a page has several forms.
    id: String,
    values: BTreeMap<String, Vec<String>>,
    errors: BTreeMap<String, String>,
    problems: Vec<String>,
}

/// What is wrong stands in the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the form has errors")]
pub struct Invalid;

impl Form {
    /// An empty form.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The fields and their values in their order, for what was read in another way: a multipart body, a query.
    #[must_use]
    pub fn from_pairs<N: Into<String>, V: Into<String>>(pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        let mut form = Self::new();
        for (name, value) in pairs.into_iter().take(MAX_FIELDS) {
            form.values.entry(name.into()).or_default().push(value.into());
        }
        form
    }

    /// Names the form, so that its fields differ from those of another form on the page.
    #[must_use]
    pub fn id(self, id: impl Into<String>) -> Self {
        Self { id: id.into(), ..self }
    }

    /// The form with this in the field to begin with.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Display) -> Self {
        self.values.insert(name.to_owned(), vec![value.to_string()]);
        self
    }

    /// What stands in the field, as it came; empty if there is no such field.
    #[must_use]
    pub fn value(&self, name: &str) -> &str {
        self.values(name).next().unwrap_or_default()
    }

    /// All values of a field that can have several.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.values.get(name).into_iter().flatten().map(String::as_str)
    }

    /// Is the checkbox ticked?
    #[must_use]
    pub fn is_checked(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// A line that must be there. White space around it does not count.
    ///
    /// # Errors
    /// It is empty, too long, several lines, or `T` says what it is instead.
    pub fn required<T: FromStr<Err: Display>>(&mut self, name: &str) -> Result<T, Invalid> {
        match self.optional(name)? {
            Some(value) => Ok(value),
            None => self.fail(name, "must be filled in"),
        }
    }

    /// A line that may be left empty.
    ///
    /// # Errors
    /// As with [`Self::required`].
    pub fn optional<T: FromStr<Err: Display>>(&mut self, name: &str) -> Result<Option<T>, Invalid> {
        let line = self.value(name).trim();
        if line.is_empty() {
            return Ok(None);
        }
        if line.chars().nth(MAX_LINE).is_some() {
            return self.fail(name, format!("must not be longer than {MAX_LINE} characters"));
        }
        if line.contains(char::is_control) {
            return self.fail(name, "must be one line of text");
        }
        match line.parse() {
            Ok(value) => Ok(Some(value)),
            Err(error) => {
                let error: T::Err = error;
                self.fail(name, error.to_string())
            }
        }
    }

    /// Text of several lines, ended by `\n` alone, at most `max` characters.
    ///
    /// # Errors
    /// It is longer, or has control characters.
    pub fn text(&mut self, name: &str, max: usize) -> Result<String, Invalid> {
        let text = self.value(name).replace("\r\n", "\n");
        if text.chars().nth(max).is_some() {
            return self.fail(name, format!("must not be longer than {max} characters"));
        }
        if text.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\t')) {
            return self.fail(name, "must not have control characters");
        }
        Ok(text)
    }

    /// A password as it was typed. It is taken out of the form, so that it ends in no page and no log.
    ///
    /// # Errors
    /// It is empty or too long.
    pub fn password(&mut self, name: &str) -> Result<String, Invalid> {
        let password = self.values.remove(name).and_then(|values| values.into_iter().next()).unwrap_or_default();
        match password.chars().count() {
            0 => self.fail(name, "must be filled in"),
            1..=MAX_LINE => Ok(password),
            _ => self.fail(name, format!("must not be longer than {MAX_LINE} characters")),
        }
    }

    /// One of `choices`.
    ///
    /// # Errors
    /// It is none of them.
    pub fn one_of<'a>(&mut self, name: &str, choices: &[&'a str]) -> Result<&'a str, Invalid> {
        let value = self.value(name);
        match choices.iter().find(|choice| **choice == value) {
            Some(choice) => Ok(choice),
            None => self.fail(name, "must be one of those offered"),
        }
    }

    /// Notes what is wrong with a field; the first word about it stays. Read as a sentence that begins with the field's
    /// label: "is taken".
    pub fn refuse(&mut self, name: &str, message: impl Into<String>) {
        self.errors.entry(name.to_owned()).or_insert_with(|| message.into());
    }

    /// Notes what is wrong with the whole: a sentence.
    pub fn refuse_all(&mut self, message: impl Into<String>) {
        self.problems.push(message.into());
    }

    /// What is wrong with the field.
    #[must_use]
    pub fn error(&self, name: &str) -> Option<&str> {
        self.errors.get(name).map(String::as_str)
    }

    /// Was nothing refused?
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.errors.is_empty() && self.problems.is_empty()
    }

    fn fail<T>(&mut self, name: &str, message: impl Into<String>) -> Result<T, Invalid> {
        self.refuse(name, message);
        Err(Invalid)
    }
}

impl From<&Query> for Form {
    fn from(query: &Query) -> Self {
        Self::from_pairs(query.pairs())
    }
}

#[cfg(test)]
mod tests;
