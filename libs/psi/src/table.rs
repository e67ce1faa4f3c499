//! The process table: what a scan found, and the orders in which people want to read it.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::{Id, Process};

/// All processes of one scan, by ascending number.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// The processes.
    pub processes: Vec<Process>,
    /// How many were listed but had ended before they could be read. They are not in the table.
    pub vanished: usize,
    /// How many are there but hidden from us (`hidepid`). They are not in the table either.
    pub hidden: usize,
}

/// What to sort by. Ties keep the order of the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// Number.
    Pid,
    /// Accounting name.
    Name,
    /// Effective user number; processes whose user is not known come last.
    User,
    /// Most processor time first.
    Time,
    /// Most memory first.
    Resident,
    /// Most address space first.
    Virtual,
    /// Most threads first.
    Threads,
    /// Youngest first.
    Start,
    /// Running first, zombies late.
    State,
}

impl Table {
    /// The process with that number.
    pub fn get(&self, pid: u32) -> Option<&Process> {
        let at = self.processes.binary_search_by_key(&pid, Process::pid).ok()?;
        self.processes.get(at)
    }

    /// The processes in that order.
    pub fn sorted(&self, key: Key) -> Vec<&Process> {
        let mut all: Vec<_> = self.processes.iter().collect();
        match key {
            Key::Pid => {}
            Key::Name => all.sort_by(|a, b| a.name.cmp(&b.name)),
            // Ok sorts before Err
            Key::User => all.sort_by_key(|process| process.uid().map_err(|_| ())),
            Key::Time => all.sort_by_key(|process| Reverse(process.cpu_time())),
            Key::Resident => all.sort_by_key(|process| Reverse(process.resident_size)),
            Key::Virtual => all.sort_by_key(|process| Reverse(process.virtual_size)),
            Key::Threads => all.sort_by_key(|process| Reverse(process.threads)),
            Key::Start => all.sort_by_key(|process| Reverse(process.id.start)),
            Key::State => all.sort_by_key(|process| process.state),
        }
        all
    }

    /// The children of each process, by the parent's number. A process whose parent is not in the table stands under
    /// 0, so that every process hangs on the tree exactly once.
    pub fn children(&self) -> BTreeMap<u32, Vec<&Process>> {
        let mut children: BTreeMap<u32, Vec<&Process>> = BTreeMap::new();
        for process in &self.processes {
            let parent = match self.get(process.parent) {
                // a parent cannot be younger than its child: that number was used again during the scan
                Some(parent) if (parent.id.start, parent.id.pid) < (process.id.start, process.id.pid) => parent.pid(),
                _ => 0,
            };
            children.entry(parent).or_default().push(process);
        }
        children
    }

    /// Share of one processor that each process used between `earlier` and this table: 1.0 is a whole one. Processes
    /// that are new since count from zero.
    pub fn busy_since(&self, earlier: &Self, seconds: f64) -> BTreeMap<Id, f64> {
        let share = |process: &Process| {
            let before = earlier.get(process.pid()).filter(|old| old.id == process.id).map(Process::cpu_time);
            let used = process.cpu_time().saturating_sub(before.unwrap_or_default());
            if seconds > 0.0 { used.as_secs_f64() / seconds } else { 0.0 }
        };
        self.processes.iter().map(|process| (process.id, share(process))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn process(pid: u32, parent: u32, start: u64) -> Process {
        let mut process = Process::bare(Id { pid, start });
        process.parent = parent;
        process
    }

    #[test]
    fn every_process_hangs_on_the_tree_once() {
        let processes = vec![process(1, 0, 1), process(5, 1, 9), process(7, 5, 8), process(8, 99, 8), process(9, 9, 9)];
        let table = Table { processes, ..Table::default() };
        let tree = table.children();
        let pids = |parent| tree.get(&parent).map(|all| all.iter().map(|process| process.pid()).collect::<Vec<_>>());
        assert_eq!(pids(0), Some(vec![1, 7, 8, 9]), "7 is older than its alleged parent, 8's is gone, 9 is its own");
        assert_eq!(pids(1), Some(vec![5]));
        assert_eq!(tree.values().map(Vec::len).sum::<usize>(), 5);
    }

    #[test]
    fn a_used_number_does_not_inherit_time() {
        let mut old = process(5, 1, 10);
        old.user_time = Duration::from_secs(100);
        let mut new = process(5, 1, 20);
        new.user_time = Duration::from_secs(1);
        let table = |process| Table { processes: vec![process], ..Table::default() };
        let shares = table(new.clone()).busy_since(&table(old.clone()), 2.0);
        assert_eq!(shares[&new.id], 0.5);
        let mut later = old.clone();
        later.user_time += Duration::from_secs(4);
        assert_eq!(table(later).busy_since(&table(old.clone()), 2.0)[&old.id], 2.0);
    }

    #[test]
    fn sorts_keep_ties_by_number() {
        let mut processes: Vec<_> = (1..5).map(|pid| process(pid, 0, 10 - u64::from(pid))).collect();
        processes[2].resident_size = 7;
        let table = Table { processes, ..Table::default() };
        let order = |key| table.sorted(key).iter().map(|process| process.pid()).collect::<Vec<_>>();
        assert_eq!(order(Key::Resident), [3, 1, 2, 4]);
        assert_eq!(order(Key::Start), [1, 2, 3, 4]);
        assert_eq!(order(Key::User), [1, 2, 3, 4]);
    }
}
