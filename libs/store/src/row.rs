//! Rows: plain values with their columns' names, taken out by name and type.

use std::sync::Arc;

use crate::{Error, Result, Value};

/// One row of a result. Plain data: it keeps no connection and no statement.
#[derive(Debug, Clone)]
pub struct Row {
    columns: Arc<[Box<str>]>,
    values: Vec<Value>,
}

impl Row {
    pub(crate) fn new(columns: Arc<[Box<str>]>, values: Vec<Value>) -> Self {
        Self { columns, values }
    }

    /// The value of a column, by name or by number from 0: `row.get::<i64>("size")?`, `Option<T>` where it may be NULL.
    ///
    /// # Errors
    /// [`Error::Column`]: there is no such column, or its value is of another type or out of the type's range.
    pub fn get<'r, T: FromValue<'r>>(&'r self, column: impl ColumnIndex) -> Result<T> {
        let value = column.find(self).ok_or_else(|| Error::Column {
            column: column.name(),
            expected: "a column",
            found: "no such column",
        })?;
        T::from_value(value).ok_or_else(|| Error::Column {
            column: column.name(),
            expected: T::EXPECTED,
            found: value.kind(),
        })
    }

    /// The names of the columns.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(AsRef::as_ref)
    }

    /// The values, in the order of the columns.
    #[must_use]
    pub fn into_values(self) -> Vec<Value> {
        self.values
    }
}

/// What names a column: its name, or its number from 0.
pub trait ColumnIndex {
    /// The value in `row`.
    fn find<'r>(&self, row: &'r Row) -> Option<&'r Value>;
    /// For messages.
    fn name(&self) -> String;
}

impl ColumnIndex for &str {
    fn find<'r>(&self, row: &'r Row) -> Option<&'r Value> {
        row.values.get(row.columns.iter().position(|name| name.as_ref() == *self)?)
    }

    fn name(&self) -> String {
        (*self).to_owned()
    }
}

impl ColumnIndex for usize {
    fn find<'r>(&self, row: &'r Row) -> Option<&'r Value> {
        row.values.get(*self)
    }

    fn name(&self) -> String {
        self.to_string()
    }
}

/// A type that a column is read as. `None` of [`FromValue::from_value`] is a value that it cannot be.
pub trait FromValue<'r>: Sized {
    /// What it can be, for messages: "an integer".
    const EXPECTED: &'static str;
    /// The value as this type.
    fn from_value(value: &'r Value) -> Option<Self>;
}

macro_rules! integers {
    ($($type:ty: $expected:literal),* $(,)?) => {
        $(impl FromValue<'_> for $type {
            const EXPECTED: &'static str = $expected;

            fn from_value(value: &Value) -> Option<Self> {
                match value {
                    Value::Int(value) => Self::try_from(*value).ok(),
                    _ => None,
                }
            }
        })*
    };
}

integers! {
    i64: "an integer",
    i32: "an integer of 32 bits",
    u64: "an integer from 0",
    u32: "an integer from 0 of 32 bits",
    u16: "an integer from 0 of 16 bits",
    u8: "an integer from 0 of 8 bits",
    usize: "an integer from 0",
}

impl FromValue<'_> for f64 {
    const EXPECTED: &'static str = "a real number";

    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Real(value) => Some(*value),
            _ => None,
        }
    }
}

impl FromValue<'_> for bool {
    const EXPECTED: &'static str = "a boolean";

    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(value) => Some(*value),
            // SQLite's
            Value::Int(0) => Some(false),
            Value::Int(1) => Some(true),
            _ => None,
        }
    }
}

impl<'r> FromValue<'r> for &'r str {
    const EXPECTED: &'static str = "text";

    fn from_value(value: &'r Value) -> Option<Self> {
        match value {
            Value::Text(value) => Some(value),
            _ => None,
        }
    }
}

impl FromValue<'_> for String {
    const EXPECTED: &'static str = "text";

    fn from_value(value: &Value) -> Option<Self> {
        <&str>::from_value(value).map(str::to_owned)
    }
}

impl<'r> FromValue<'r> for &'r [u8] {
    const EXPECTED: &'static str = "bytes";

    fn from_value(value: &'r Value) -> Option<Self> {
        match value {
            Value::Bytes(value) => Some(value),
            _ => None,
        }
    }
}

impl FromValue<'_> for Vec<u8> {
    const EXPECTED: &'static str = "bytes";

    fn from_value(value: &Value) -> Option<Self> {
        <&[u8]>::from_value(value).map(<[u8]>::to_vec)
    }
}

impl<const N: usize> FromValue<'_> for [u8; N] {
    const EXPECTED: &'static str = "bytes of a fixed number";

    fn from_value(value: &Value) -> Option<Self> {
        <&[u8]>::from_value(value)?.try_into().ok()
    }
}

impl<'r> FromValue<'r> for Value {
    const EXPECTED: &'static str = "a value";

    fn from_value(value: &'r Value) -> Option<Self> {
        Some(value.clone())
    }
}

impl<'r, T: FromValue<'r>> FromValue<'r> for Option<T> {
    const EXPECTED: &'static str = T::EXPECTED;

    fn from_value(value: &'r Value) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            value => T::from_value(value).map(Some),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params;

    fn row(values: Vec<Value>) -> Row {
        let names = ["a", "b", "c"].iter().take(values.len()).map(|name| (*name).into()).collect();
        Row::new(names, values)
    }

    #[track_caller]
    fn check<T: for<'r> FromValue<'r> + PartialEq + std::fmt::Debug>(value: impl Into<Value>, expected: Option<T>) {
        let row = row(vec![value.into()]);
        assert_eq!(row.get::<T>("a").ok(), expected);
        assert_eq!(row.get::<T>(0).ok(), expected);
    }

    #[test]
    fn types_are_kept() {
        check(7, Some(7_i64));
        check(7, Some(7_u8));
        check(256, None::<u8>);
        check(-1, None::<u64>);
        check(i64::MAX, Some(i64::MAX.unsigned_abs()));
        check(1.5, Some(1.5));
        check(1, None::<f64>);
        check(1, Some(true));
        check(2, None::<bool>);
        check("x", Some("x".to_owned()));
        check("x", None::<i64>);
        check(b"x".as_slice(), Some(b"x".to_vec()));
        check(b"xy".as_slice(), Some(*b"xy"));
        check(b"xy".as_slice(), None::<[u8; 3]>);
        check(None::<i64>, Some(None::<String>));
        check(None::<i64>, None::<String>);
        check("x", Some(Some("x".to_owned())));
    }

    #[test]
    fn faults_name_the_column() {
        let row = row(params!["x", None::<i64>]);
        let fault = |error: Error| error.to_string();
        assert_eq!(row.get::<i64>("a").map_err(fault), Err("column `a` is text instead of an integer".into()));
        assert_eq!(row.get::<&str>("b").map_err(fault), Err("column `b` is NULL instead of text".into()));
        assert_eq!(row.get::<&str>("z").map_err(fault), Err("column `z` is no such column instead of a column".into()));
        assert_eq!(row.columns().collect::<Vec<_>>(), ["a", "b"]);
    }
}
