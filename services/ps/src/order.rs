//! Which processes stand where: filtered, sorted, and as a tree of parents and children.

use std::collections::{BTreeMap, BTreeSet};

use psi::Process;

use crate::args::Query;
use crate::columns::Row;
use crate::filter::Ready;
use crate::look::Look;
use crate::value::Value;

/// Deeper branches are drawn no further to the right: a chain of thousands must not be a line of thousands.
const DEEPEST: usize = 24;

/// One line of a list.
#[derive(Clone, Debug)]
pub(crate) struct Placed<'a> {
    pub(crate) row: Row<'a>,
    /// For each level above, from the root on, whether more children follow there; empty for a root.
    pub(crate) branch: Vec<bool>,
}

/// The lines of a list, in their order.
pub(crate) fn arrange<'a>(look: &'a Look, query: &Query, ready: &Ready<'_>) -> Vec<Placed<'a>> {
    let mut wanted: Vec<&Process> = look.table.processes.iter().filter(|process| ready.lets(process)).collect();
    if query.tree && !query.filter.pids.is_empty() {
        wanted = with_children(look, wanted);
    }
    sort(look, query, &mut wanted);
    let mut placed =
        if query.tree { tree(look, &wanted) } else { wanted.iter().map(|process| flat(look, process)).collect() };
    placed.truncate(query.limit);
    placed
}

fn flat<'a>(look: &'a Look, process: &'a Process) -> Placed<'a> {
    Placed { row: Row { look, process }, branch: Vec::new() }
}

fn sort<'a>(look: &'a Look, query: &Query, processes: &mut Vec<&'a Process>) {
    let mut keyed: Vec<(Value<'_>, &Process)> =
        processes.drain(..).map(|process| ((query.sort.get)(Row { look, process }), process)).collect();
    keyed.sort_by(|(one, _), (two, _)| {
        let is_there = |value: &Value<'_>| !matches!(value, Value::Nothing(_));
        let order = one.order(two);
        // what is not there stays last, whichever way round; ties keep the order of the numbers
        if query.reverse && is_there(one) && is_there(two) { order.reverse() } else { order }
    });
    processes.extend(keyed.into_iter().map(|(_, process)| process));
}

/// The processes that were named and all that hang below them.
fn with_children<'a>(look: &'a Look, named: Vec<&'a Process>) -> Vec<&'a Process> {
    let children = look.table.children();
    let mut seen: BTreeSet<u32> = named.iter().map(|process| process.pid()).collect();
    let mut all = named.clone();
    let mut open = named;
    while let Some(process) = open.pop() {
        for child in children.get(&process.pid()).into_iter().flatten() {
            if seen.insert(child.pid()) {
                all.push(child);
                open.push(child);
            }
        }
    }
    all
}

/// A forest of the wanted processes, each under the nearest wanted one above it, brothers in the order that they have.
fn tree<'a>(look: &'a Look, wanted: &[&'a Process]) -> Vec<Placed<'a>> {
    let above: BTreeMap<u32, u32> = look
        .table
        .children()
        .iter()
        .flat_map(|(parent, children)| children.iter().map(|child| (child.pid(), *parent)).collect::<Vec<_>>())
        .collect();
    let pids: BTreeSet<u32> = wanted.iter().map(|process| process.pid()).collect();
    let mut children: BTreeMap<u32, Vec<&Process>> = BTreeMap::new();
    for process in wanted {
        let mut parent = above.get(&process.pid()).copied().unwrap_or(0);
        while parent != 0 && !pids.contains(&parent) {
            parent = above.get(&parent).copied().unwrap_or(0);
        }
        children.entry(parent).or_default().push(process);
    }
    let mut placed = Vec::with_capacity(wanted.len());
    // a stack and not a recursion: a chain of processes may be long
    let mut open: Vec<(&Process, Vec<bool>)> = Vec::new();
    let roots = children.remove(&0).unwrap_or_default();
    open.extend(roots.into_iter().rev().map(|root| (root, Vec::new())));
    while let Some((process, branch)) = open.pop() {
        let below = children.remove(&process.pid()).unwrap_or_default();
        let last = below.len().saturating_sub(1);
        for (at, child) in below.into_iter().enumerate().rev() {
            let mut branch = branch.clone();
            if branch.len() < DEEPEST {
                branch.push(at < last);
            }
            open.push((child, branch));
        }
        placed.push(Placed { row: Row { look, process }, branch });
    }
    placed
}

impl Placed<'_> {
    /// The lines that lead to it in the tree, on a narrow screen two columns for each level.
    pub(crate) fn lines(&self, utf8: bool, narrow: bool) -> String {
        let Some((own, above)) = self.branch.split_last() else { return String::new() };
        let [fork, last, pass, none] = match (utf8, narrow) {
            (true, false) => ["├─ ", "└─ ", "│  ", "   "],
            (true, true) => ["├ ", "└ ", "│ ", "  "],
            (false, false) => ["|- ", "`- ", "|  ", "   "],
            (false, true) => ["| ", "` ", "| ", "  "],
        };
        let above = above.iter().map(|more| if *more { pass } else { none });
        above.chain([if *own { fork } else { last }]).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::args::tests::query;
    use crate::testing::{Fake, look};

    use super::*;

    fn check(line: &str, expected: &[&str]) {
        let fake = |pid, parent, start, cpu, resident| Fake {
            pid,
            parent,
            start,
            cpu,
            resident,
            name: "x",
            ..Fake::default()
        };
        let look = look(&[
            Fake { args: "init", ..fake(1, 0, 1, 50, 9) },
            Fake { args: "b", ..fake(5, 1, 10, 0, 300) },
            Fake { args: "a", ..fake(6, 1, 20, 7, 200) },
            Fake { args: "deep", ..fake(7, 5, 30, 9, 100) },
            Fake { args: "deeper", ..fake(8, 7, 40, 8, 1) },
            Fake { args: "older than its parent", ..fake(9, 8, 2, 8, 1) },
        ]);
        let query = query(line);
        let ready = query.filter.on(&look, None).unwrap();
        let seen = arrange(&look, &query, &ready);
        let seen: Vec<_> =
            seen.iter().map(|placed| format!("{}{}", placed.lines(true, false), placed.row.process.pid())).collect();
        assert_eq!(seen, expected, "{line}");
    }

    #[test]
    fn lists_are_sorted() {
        check("ps", &["1", "5", "6", "7", "8", "9"]);
        check("ps -r", &["9", "8", "7", "6", "5", "1"]);
        check("ps --sort rss", &["5", "6", "7", "1", "8", "9"]);
        check("ps --sort time -n 3", &["1", "7", "8"]);
        check("ps --sort command", &["6", "5", "7", "8", "1", "9"]);
        check("ps --sort start_time -n 2", &["8", "7"]);
        check("ps --sort age -n 2", &["1", "9"]);
        check("ps --sort uid", &["1", "5", "6", "7", "8", "9"]);
        // nobody has a unit: the order of the numbers, either way
        check("ps --sort unit -r -n 2", &["1", "5"]);
    }

    #[test]
    fn trees_hang_under_what_is_shown() {
        check("ps --tree", &["1", "├─ 5", "│  └─ 7", "│     └─ 8", "└─ 6", "9"]);
        check("ps --tree --sort command", &["1", "├─ 6", "└─ 5", "   └─ 7", "      └─ 8", "9"]);
        check("ps --tree deep", &["7", "└─ 8"]);
        check("ps --tree init deeper", &["1", "└─ 8"]);
        check("ps --tree 5", &["5", "└─ 7", "   └─ 8"]);
        check("ps --tree -n 2", &["1", "├─ 5"]);
    }

    #[test]
    fn a_long_chain_is_no_wide_line() {
        let chain: Vec<_> =
            (1..300).map(|pid| Fake { pid, parent: pid - 1, start: pid.into(), ..Fake::default() }).collect();
        let look = look(&chain);
        let placed = tree(&look, &look.table.processes.iter().collect::<Vec<_>>());
        assert_eq!(placed.len(), 299);
        assert!(placed.iter().all(|placed| placed.branch.len() <= DEEPEST));
        assert_eq!(placed[2].lines(false, false), "   `- ");
    }
}
