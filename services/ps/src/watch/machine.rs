//! The figures above the list: what the machine does as a whole.

use psi::{Cpu, Load, Memory, System};
use std::time::Duration;

use crate::style::{Line, Span, Style};
use crate::units::{size, span};

/// The machine as it was seen last.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    cpu: Cpu,
    /// Share of all processors since the look before, 0 to 1.
    busy: f64,
    memory: Memory,
    load: Load,
    uptime: Duration,
}

impl Machine {
    pub(crate) fn new(system: &System) -> Result<Self, psi::Error> {
        let cpu = system.cpu()?;
        let busy = cpu.total.load().unwrap_or(0.0);
        Ok(Self { cpu, busy, memory: system.memory()?, load: system.load()?, uptime: system.uptime()? })
    }

    /// The next look, which counts from this one.
    pub(crate) fn again(&self, system: &System) -> Result<Self, psi::Error> {
        let next = Self::new(system)?;
        let busy = next.cpu.total.since(&self.cpu.total).load().unwrap_or(self.busy);
        Ok(Self { busy, ..next })
    }

    /// Two lines: load, and how full it is.
    pub(crate) fn lines(&self, counts: (usize, usize), width: usize, utf8: bool) -> [Line; 2] {
        let Self { cpu, busy, memory, load: Load { averages: [one, five, fifteen], .. }, uptime } = self;
        let (shown, running) = counts;
        let first = vec![
            Span::new(shown.to_string(), Style::Strong),
            Span::plain(if shown == 1 { " process, " } else { " processes, " }),
            Span::new(running.to_string(), Style::Strong),
            Span::plain(" running   load "),
            Span::new(format!("{one:.2} {five:.2} {fifteen:.2}"), Style::Strong),
            Span::plain(format!("   up {}", span(*uptime))),
        ];
        let room = width.saturating_sub(48) / 3;
        let share = |part: u64, whole: u64| if whole > 0 { part as f64 / whole as f64 } else { 0.0 };
        let mut second = gauge("cpu", *busy, &format!("of {}", cpu.cores.len()), room, utf8);
        let used = format!("of {}", size(memory.total));
        second.extend(gauge("mem", share(memory.used(), memory.total), &used, room, utf8));
        if memory.swap_total > 0 {
            let used = format!("of {}", size(memory.swap_total));
            second.extend(gauge("swap", share(memory.swap_used(), memory.swap_total), &used, room, utf8));
        }
        [first, second]
    }
}

/// `cpu ███░░░ 51% of 2`; the bar only where there is room for one.
fn gauge(name: &str, share: f64, of: &str, room: usize, utf8: bool) -> Line {
    let share = share.clamp(0.0, 1.0);
    let style = match share {
        share if share >= 0.9 => Style::Bad,
        share if share >= 0.6 => Style::Warm,
        _ => Style::Good,
    };
    let (full, empty) = if utf8 { ("█", "░") } else { ("#", ".") };
    let bar = if room < 4 { 0 } else { room };
    // 0 to 1 of at most a screen's width
    let filled = ((share * bar as f64).round() as usize).min(bar);
    let mut line = vec![Span::plain(format!("{name} "))];
    if bar > 0 {
        line.push(Span::new(full.repeat(filled), style));
        line.push(Span::new(empty.repeat(bar - filled), Style::Faint));
        line.push(Span::plain(" "));
    }
    line.push(Span::new(format!("{:.0}%", share * 100.0), Style::Strong));
    line.push(Span::plain(format!(" {of}   ")));
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gauge_is_a_bar_where_there_is_room() {
        let text = |share, room| {
            gauge("cpu", share, "of 2", room, true).iter().map(|span| span.text.as_str()).collect::<String>()
        };
        assert_eq!(text(0.51, 10), "cpu █████░░░░░ 51% of 2   ");
        assert_eq!(text(0.51, 3), "cpu 51% of 2   ");
        assert_eq!(text(7.0, 4), "cpu ████ 100% of 2   ");
    }
}
