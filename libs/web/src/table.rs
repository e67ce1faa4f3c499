//! What a table of many rows needs: the order that was asked for, and one page after the other.

use http::HeaderValue;
use serde::Serialize;

use crate::{Query, Visit};

/// Highest page that can be asked for: no database skips more rows in bearable time.
const MAX_PAGE: u64 = 1_000_000;
/// Most rows of a page.
const MAX_ROWS: u64 = 1000;

/// The order of rows: `?sort=size`, or `?sort=-size` for the greatest first. A template's `heading` shows it and
/// links to the other ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Sort {
    key: &'static str,
    descending: bool,
}

impl Sort {
    /// What was asked for, if it is one of `keys`; else the first of them, ascending. `-name` among the keys stands for
    /// `name` with the greatest first as what is meant when nothing is asked.
    #[must_use]
    pub fn read(query: &Query, keys: &[&'static str]) -> Self {
        let (asked, descending) = split(query.get("sort").unwrap_or_default());
        let names = || keys.iter().map(|key| split(key));
        let first = names().next().unwrap_or_default();
        let (key, descending) = names().find(|(key, _)| *key == asked).map_or(first, |(key, _)| (key, descending));
        Self { key, descending }
    }

    /// The key; one of those given to [`Self::read`], so that it may stand in SQL.
    #[must_use]
    pub fn key(self) -> &'static str {
        self.key
    }

    /// The greatest first?
    #[must_use]
    pub fn is_descending(self) -> bool {
        self.descending
    }
}

/// `-size`: size, descending.
fn split(key: &str) -> (&str, bool) {
    key.strip_prefix('-').map_or((key, false), |key| (key, true))
}

/// Which rows were asked for by number: `?page=3`, and `?rows=20` where a program wants fewer or more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slice {
    page: u64,
    rows: u64,
}

impl Slice {
    /// What was asked for; the first page of `rows` rows if nothing is said, or nonsense.
    #[must_use]
    pub fn read(query: &Query, rows: u64) -> Self {
        let number = |name| query.get(name).and_then(|text| text.parse::<u64>().ok());
        let page = number("page").unwrap_or(1).clamp(1, MAX_PAGE);
        Self { page, rows: number("rows").unwrap_or(rows).clamp(1, MAX_ROWS) }
    }

    /// Rows to take, for LIMIT.
    #[must_use]
    pub fn limit(self) -> i64 {
        i64::try_from(self.rows).unwrap_or(i64::MAX)
    }

    /// Rows to skip, for OFFSET.
    #[must_use]
    pub fn offset(self) -> i64 {
        i64::try_from((self.page - 1) * self.rows).unwrap_or(i64::MAX)
    }

    /// The links from this page to the others, when there are `total` rows.
    #[must_use]
    pub fn paging(self, visit: &Visit, total: u64) -> Paging {
        let last = total.div_ceil(self.rows).max(1);
        let link = |page: u64| {
            // the first page has one address
            let page = if page == 1 { String::new() } else { page.to_string() };
            visit.query().with("page", &page).href(visit.path())
        };
        let first_row = (self.page - 1) * self.rows + 1;
        Paging {
            first: (self.page > 1).then(|| link(1)),
            prev: (self.page > 1).then(|| link((self.page - 1).min(last))),
            next: (self.page < last).then(|| link(self.page + 1)),
            last: (self.page < last).then(|| link(last)),
            rows: (first_row <= total).then(|| (first_row, total.min(first_row + self.rows - 1))),
            total: Some(total),
        }
    }
}

/// Links from one page of many rows to the others; a template's `pager` shows them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Paging {
    first: Option<String>,
    prev: Option<String>,
    next: Option<String>,
    last: Option<String>,
    /// The first and the last row of this page, from 1.
    rows: Option<(u64, u64)>,
    total: Option<u64>,
}

impl Paging {
    /// For lists that go on from a row instead of a number: the page that was asked for with `?after=…` leads to the
    /// one after the row `next`, if there are more.
    #[must_use]
    pub fn after(visit: &Visit, next: Option<&str>) -> Self {
        let link = |after: &str| visit.query().with("after", after).href(visit.path());
        let first = visit.query().get("after").map(|_| link(""));
        Self { first, next: next.map(link), ..Self::default() }
    }

    /// The header `Link` (RFC 8288) for programs; None on an only page.
    #[must_use]
    pub fn link_header(&self) -> Option<HeaderValue> {
        let links = [("first", &self.first), ("prev", &self.prev), ("next", &self.next), ("last", &self.last)];
        let links = links.into_iter().filter_map(|(rel, href)| Some(format!("<{}>; rel=\"{rel}\"", href.as_ref()?)));
        let line = links.collect::<Vec<_>>().join(", ");
        if line.is_empty() { None } else { HeaderValue::try_from(line).ok() }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::*;

    fn visit(address: &str) -> Visit {
        let request = http::Request::get(address).body(axum::body::Body::empty()).unwrap();
        Visit::new(&request, None, Vec::new())
    }

    #[test]
    fn the_order() {
        let check = |query: &str, key, descending| {
            let sort = Sort::read(&Query::parse(query), &["-time", "name", "size"]);
            assert_eq!((sort.key(), sort.is_descending()), (key, descending), "{query}");
        };
        check("", "time", true);
        check("sort=name", "name", false);
        check("sort=-size", "size", true);
        check("sort=time", "time", false);
        check("sort=-time", "time", true);
        check("sort=name;drop+table", "time", true);
        check("sort=--name", "time", true);
    }

    #[track_caller]
    fn check(address: &str, total: u64, expected: &str, rows: Option<(u64, u64)>) {
        let visit = visit(address);
        let paging = Slice::read(visit.query(), 10).paging(&visit, total);
        let header = paging.link_header();
        assert_eq!(header.as_ref().map_or("", |line| line.to_str().unwrap()), expected, "{address}");
        assert_eq!(paging.rows, rows, "{address}");
    }

    #[test]
    fn pages() {
        check("/x", 10, "", Some((1, 10)));
        check("/x", 0, "", None);
        check("/x", 11, "</x?page=2>; rel=\"next\", </x?page=2>; rel=\"last\"", Some((1, 10)));
        check("/x?q=a+b&page=2", 11, "</x?q=a+b>; rel=\"first\", </x?q=a+b>; rel=\"prev\"", Some((11, 11)));
        let middle =
            "</x>; rel=\"first\", </x?page=2>; rel=\"prev\", </x?page=4>; rel=\"next\", </x?page=10>; rel=\"last\"";
        check("/x?page=3", 100, middle, Some((21, 30)));
        // beyond the end there is a way back
        check("/x?page=99", 15, "</x>; rel=\"first\", </x?page=2>; rel=\"prev\"", None);
        check("/x?page=0", 1, "", Some((1, 1)));
        check("/x?page=x&rows=0", 1, "", Some((1, 1)));
    }

    #[test]
    fn numbers_for_sql() {
        let check = |query: &str, offset, limit| {
            let slice = Slice::read(&Query::parse(query), 10);
            assert_eq!((slice.offset(), slice.limit()), (offset, limit), "{query}");
        };
        check("", 0, 10);
        check("page=3&rows=20", 40, 20);
        check("page=18446744073709551615&rows=18446744073709551615", 999_999_000, 1000);
        check("page=-1&rows=-1", 0, 10);
    }

    #[test]
    fn cursors() {
        let check = |address, next, expected: Option<&str>| {
            let header = Paging::after(&visit(address), next).link_header();
            assert_eq!(header.as_ref().map(|line| line.to_str().unwrap()), expected);
        };
        check("/x", None, None);
        check("/x?q=1", Some("k/7"), Some("</x?q=1&after=k%2F7>; rel=\"next\""));
        check("/x?after=3", None, Some("</x>; rel=\"first\""));
    }

    proptest! {
        #[test]
        fn any_page_of_anything(page in any::<u64>(), rows in any::<u64>(), total in any::<u64>()) {
            let visit = visit(&format!("/x?page={page}&rows={rows}"));
            let slice = Slice::read(visit.query(), 10);
            let paging = slice.paging(&visit, total);
            assert!(slice.offset() >= 0 && slice.limit() > 0);
            assert!(paging.rows.is_none_or(|(first, last)| first <= last && last <= total));
        }
    }
}
