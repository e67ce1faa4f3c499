//! Many rows by one statement: a round trip for each would take longer than the reading of the files.

use opsctl_store::{Row, Sql, Transaction, Value};

use super::Result;

/// Rows of one statement, in steps, so that there are few different statements to prepare. PostgreSQL takes 65,535
/// parameters, SQLite 32,766.
const STEPS: [usize; 3] = [64, 8, 1];

/// Runs `<before> VALUES ($1, …), (…) <after>` for `rows`, each with as many values as the first, and returns what it
/// returns.
pub(super) async fn insert(tx: &mut Transaction, before: &str, rows: Vec<Vec<Value>>, after: &str) -> Result<Vec<Row>> {
    let width = rows.first().map_or(0, Vec::len);
    let mut rows = rows.into_iter();
    let mut returned = Vec::new();
    while rows.len() > 0 {
        let step = STEPS.into_iter().find(|step| *step <= rows.len()).unwrap_or(1);
        let values = rows.by_ref().take(step).flatten().collect();
        let sql = Sql::built(format!("{before} VALUES {} {after}", places(step, width)));
        returned.extend(tx.fetch_all(sql, values).await?);
    }
    Ok(returned)
}

/// `($1, $2), ($3, $4)`.
fn places(rows: usize, width: usize) -> String {
    let row = |row: usize| {
        let places: Vec<String> = (1..=width).map(|column| format!("${}", row * width + column)).collect();
        format!("({})", places.join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_numbered_through() {
        assert_eq!(places(1, 1), "($1)");
        assert_eq!(places(2, 3), "($1, $2, $3), ($4, $5, $6)");
    }
}
