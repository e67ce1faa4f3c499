//! What the machine is, its processors and memory, what is waited for, and who is there.

use psi::{Cpu, CpuTimes, Error, Fields, Load, Login, Memory, Paging, Sensor, SensorKind, Stall, State, System};

use crate::cgroup;
use crate::report::Part;
use crate::value::Value;

pub(super) fn machine(system: &System) -> Result<Part<'static>, Error> {
    let arch = system.arch();
    let Load { averages: [one, five, fifteen], runnable, entities } = system.load()?;
    let table = system.processes(Fields::NONE)?;
    let of_kernel = table.processes.iter().filter(|process| process.kernel).count();
    let zombies = table.processes.iter().filter(|process| process.state == State::Zombie).count();
    let count = |count: usize| Value::Count(u64::try_from(count).unwrap_or(u64::MAX));
    Ok(Part::facts(
        "machine",
        vec![
            ("system", Value::owned(arch.system)),
            ("node", Value::owned(arch.node)),
            ("release", Value::owned(arch.release)),
            ("version", Value::owned(arch.version)),
            ("machine", Value::owned(arch.machine)),
            ("boot_time", Value::Moment(system.boot_time()?)),
            ("uptime", Value::Span(system.uptime()?)),
            ("load_1", Value::Figure(one)),
            ("load_5", Value::Figure(five)),
            ("load_15", Value::Figure(fifteen)),
            ("threads_runnable", Value::Count(runnable.into())),
            ("threads", Value::Count(entities.into())),
            ("processes", count(table.processes.len())),
            ("processes_of_kernel", count(of_kernel)),
            ("zombies", count(zombies)),
            ("processes_hidden", count(table.hidden)),
        ],
    ))
}

/// Shares of the time since boot.
pub(super) fn cpu(system: &System) -> Result<Part<'static>, Error> {
    let Cpu { total, cores, switches, interrupts, forks, running: _, blocked: _ } = system.cpu()?;
    let row = |name: Value<'static>, times: &CpuTimes| {
        let whole = times.total().as_secs_f64();
        let share = |time: std::time::Duration| {
            Value::Percent(if whole > 0.0 { time.as_secs_f64() / whole * 100.0 } else { 0.0 })
        };
        let CpuTimes { user, nice, system, idle, iowait, irq, softirq, steal, guest: _, guest_nice: _ } = *times;
        let shares = [times.busy(), user, nice, system, iowait, irq, softirq, steal, idle].map(share);
        [name].into_iter().chain(shares).collect::<Vec<_>>()
    };
    let mut rows = vec![row(Value::Word("all"), &total)];
    rows.extend(cores.iter().map(|core| row(Value::Number(core.number.into()), &core.times)));
    let names =
        [">core", ">busy", ">user", ">nice~4", ">system", ">iowait~1", ">irq~3", ">softirq~2", ">steal~1", ">idle"];
    let note = format!(
        "per cent of the time since boot; {switches} context switches, {interrupts} interrupts, {forks} processes and threads begun"
    );
    Ok(Part { note: Some(note), ..Part::table("cpu", &names, rows) })
}

pub(super) fn memory(system: &System) -> Result<Part<'static>, Error> {
    let memory = system.memory()?;
    let Memory {
        total,
        free,
        available,
        buffers,
        cached,
        shared,
        reclaimable,
        dirty,
        writeback,
        committed,
        swap_total,
        swap_free: _,
    } = memory;
    let mut facts: Vec<_> = [
        ("total", total),
        ("used", memory.used()),
        ("available", available),
        ("free", free),
        ("buffers", buffers),
        ("cached", cached),
        ("shared", shared),
        ("reclaimable", reclaimable),
        ("dirty", dirty),
        ("writeback", writeback),
        ("committed", committed),
        ("swap_total", swap_total),
        ("swap_used", memory.swap_used()),
    ]
    .into_iter()
    .map(|(name, size)| (name, Value::Size(size)))
    .collect();
    let swaps = system.swaps().unwrap_or_default();
    facts.push(("swaps", Value::List(swaps.into_iter().map(|swap| Value::owned(swap.path)).collect())));
    // since boot
    if let Ok(Paging { read, written, swapped_in, swapped_out, faults, major_faults, out_of_memory }) = system.paging()
    {
        facts.extend([
            ("paged_in", Value::Size(read)),
            ("paged_out", Value::Size(written)),
            ("swapped_in", Value::Size(swapped_in)),
            ("swapped_out", Value::Size(swapped_out)),
            ("faults", Value::Count(faults)),
            ("major_faults", Value::Count(major_faults)),
            ("oom_kills", Value::Count(out_of_memory)),
        ]);
    }
    Ok(Part::facts("memory", facts))
}

pub(super) fn pressure(system: &System) -> Result<Part<'static>, Error> {
    let mut rows = Vec::new();
    for resource in ["cpu", "memory", "io", "irq"] {
        let pressure = match system.pressure(resource) {
            Ok(pressure) => pressure,
            // only newer kernels count interrupts
            Err(_) if resource == "irq" => continue,
            Err(error) => return Err(error),
        };
        let row = |who, stall: Stall| {
            let Stall { averages, total } = stall;
            let averages = averages.map(Value::Percent);
            [Value::Word(resource), Value::Word(who)].into_iter().chain(averages).chain([Value::Time(total)]).collect()
        };
        rows.push(row("some", pressure.some));
        rows.extend(pressure.full.map(|full| row("full", full)));
    }
    let note = "per cent of the last 10, 60 and 300 seconds in which some, or all, waited; total is time".to_owned();
    let names = ["resource", "who", ">avg10", ">avg60", ">avg300~1", ">total~2"];
    Ok(Part { note: Some(note), ..Part::table("pressure", &names, rows) })
}

pub(super) fn limits(system: &System) -> Result<Part<'static>, Error> {
    let group = system.own_cgroup()?;
    Ok(cgroup::part("limits", &system.effective_cgroup(&group)))
}

pub(super) fn logins(system: &System) -> Result<Part<'static>, Error> {
    let rows = system.logins()?.into_iter().map(|login| {
        let Login { user, terminal, host, time, pid } = login;
        let host = (!host.is_empty()).then_some(host);
        let cells = [Value::owned(user), Value::owned(terminal), Value::Moment(time), Value::Number(pid.into())];
        cells.into_iter().chain([Value::some(host, Value::owned)]).collect()
    });
    Ok(Part::table("logins", &["user", "terminal", "since", ">pid~2", "from~1"], rows.collect()))
}

pub(super) fn sensors(system: &System) -> Result<Part<'static>, Error> {
    let rows = system.sensors()?.into_iter().map(|sensor| {
        let Sensor { chip, label, kind, value, high, critical } = sensor;
        let unit = match kind {
            SensorKind::Temperature => "°C",
            SensorKind::Fan => "rpm",
            SensorKind::Voltage => "V",
            SensorKind::Current => "A",
            SensorKind::Power => "W",
        };
        let limit = |limit| Value::some(limit, Value::Figure);
        vec![
            Value::Figure(value),
            Value::Word(unit),
            limit(high),
            limit(critical),
            Value::owned(chip),
            Value::owned(label),
        ]
    });
    Ok(Part::table("sensors", &[">value", "unit", ">high~2", ">critical~1", "chip~3", "label"], rows.collect()))
}
