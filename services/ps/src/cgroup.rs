//! A control group's limits, and what it uses of them.

use psi::{Cgroup, CgroupCpu, CgroupMemory, Error};

use crate::report::{Body, Part};
use crate::system::missing;
use crate::value::Value;

/// The limits that hold for a group, its own and those above it, or why nobody knows.
pub(crate) fn part(name: &'static str, group: &Result<Cgroup, Error>) -> Part<'static> {
    let group = match group {
        Ok(group) => group,
        Err(error) => return missing(name, error),
    };
    let Cgroup { path, cpu, memory, io: _, tasks, tasks_max, cpu_pressure: _, memory_pressure: _, io_pressure: _ } =
        group;
    let CgroupCpu { usage, user: _, system: _, quota: _, weight, throttled_periods, throttled } = *cpu;
    let CgroupMemory { current, peak, max, high, low: _, swap, swap_max, anonymous, file, inactive_file: _, oom_kills } =
        *memory;
    let size = |size: Option<u64>| Value::some(size, Value::Size);
    let count = |count: Option<u64>| Value::some(count, Value::Count);
    let time = |time| Value::some(time, Value::Time);
    let facts = vec![
        ("path", Value::owned(path.clone())),
        ("processors_max", Value::some(cpu.processors(), Value::Figure)),
        ("cpu_weight", count(weight)),
        ("cpu_time", time(usage)),
        ("cpu_throttled", time(throttled)),
        ("cpu_throttled_periods", count(throttled_periods)),
        ("memory_max", size(max)),
        ("memory_high", size(high)),
        ("memory_current", size(current)),
        ("memory_peak", size(peak)),
        ("memory_anonymous", size(anonymous)),
        ("memory_file", size(file)),
        ("swap_max", size(swap_max)),
        ("swap_current", size(swap)),
        ("tasks_max", count(*tasks_max)),
        ("tasks", count(*tasks)),
        ("oom_kills", count(oom_kills)),
    ];
    let unlimited = facts.iter().all(|(name, value)| !name.ends_with("_max") || matches!(value, Value::Nothing(_)));
    let note = unlimited.then(|| "nothing is limited".to_owned());
    Part { name, body: Body::Sparse(facts), note }
}
