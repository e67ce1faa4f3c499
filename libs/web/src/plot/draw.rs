//! The drawing itself. It is as wide as its place, and its text keeps its size: what is drawn stretches, what is written
//! stands at percentages.

use std::fmt::{self, Write};

use super::scale::{Scale, Unit};
use super::{Kind, MAX_BARS, Plot, Series};
use crate::markup::Escaped;

/// Width of a character of an axis in pixels, on the safe side.
const CHARACTER: f64 = 6.6;
/// Widths in pixels that labels must fit: where there is room, and on a telephone.
const WIDE: f64 = 560.0;
const NARROW: f64 = 290.0;
/// Points that can be pointed at, per series: of more there is no telling them apart.
const MAX_HINTS: usize = 120;
/// User units from edge to edge of what stretches.
const ACROSS: f64 = 1000.0;

/// Where things are: in pixels from the top, in hundredths from the left.
#[derive(Debug)]
struct Frame {
    height: f64,
    top: f64,
    bottom: f64,
    x: Scale,
    y: Scale,
}

impl Frame {
    fn x(&self, value: f64) -> f64 {
        self.x.place(value) * 100.0
    }

    fn y(&self, value: f64) -> f64 {
        self.bottom - (self.bottom - self.top) * self.y.place(value)
    }
}

/// The title, what the colours mean, and the drawing.
pub(super) fn draw(plot: &Plot) -> String {
    let mut markup = String::new();
    // writing to a string cannot fail
    let _ = write(&mut markup, plot);
    markup
}

fn write(out: &mut String, plot: &Plot) -> fmt::Result {
    let bars = slots(plot);
    let frame = frame(plot, &bars);
    let description = description(plot);
    let title = Escaped(&plot.title);
    write!(out, "<p class=\"name\">{title}</p>")?;
    if plot.series.len() > 1 {
        legend(out, plot)?;
    }
    write!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"100%\" height=\"{}\" role=\"img\" aria-label=\"{}\">\
         <title>{title}</title><desc>{}</desc>",
        frame.height,
        Escaped(&format!("{}. {description}", plot.title)),
        Escaped(&description)
    )?;
    grid(out, &frame)?;
    for (number, series) in plot.series.iter().enumerate() {
        match plot.kind {
            Kind::Bar => draw_bars(out, plot, &frame, &bars, number, series)?,
            Kind::Line | Kind::Area => draw_line(out, plot, &frame, number, series)?,
        }
    }
    axes(out, plot, &frame, &bars)?;
    if plot.series.iter().all(|series| numbers(series).next().is_none()) {
        let y = f64::midpoint(frame.top, frame.bottom);
        write!(out, "<text class=\"middle\" x=\"50%\" y=\"{y:.1}\">no values yet</text>")?;
    }
    out.write_str("</svg>")
}

fn frame(plot: &Plot, bars: &[f64]) -> Frame {
    let (height, steps) = if plot.small { (110.0, 2) } else { (230.0, 4) };
    let all = || plot.series.iter().flat_map(numbers);
    let (min, max) = all().fold((f64::MAX, f64::MIN), |(min, max), (_, y)| (min.min(y), max.max(y)));
    let (min, max) = if min > max { (0.0, 1.0) } else { (min, max) };
    // lines far above zero show their changes; whatever is filled shows its amount
    let (min, max) = match plot.kind {
        Kind::Line if min > max * 0.6 => (min, max),
        Kind::Line => (min.min(0.0), max),
        Kind::Area | Kind::Bar => (min.min(0.0), max.max(0.0)),
    };
    let y = Scale::new(plot.y, min, max, steps, true);
    let (first, last) = all().fold((f64::MAX, f64::MIN), |(min, max), (x, _)| (min.min(x), max.max(x)));
    let (first, last) = if first > last { (0.0, 1.0) } else { (first, last) };
    let x = match plot.kind {
        Kind::Bar => Scale { min: 0.0, max: count(bars.len().max(1)), ticks: Vec::new() },
        _ => Scale::new(plot.x, first, last, if plot.small { 3 } else { 6 }, false),
    };
    Frame { height, top: 16.0, bottom: height - 22.0, x, y }
}

fn legend(out: &mut String, plot: &Plot) -> fmt::Result {
    out.write_str("<ul class=\"keys\">")?;
    for (number, series) in plot.series.iter().enumerate() {
        write!(out, "<li class=\"s{number}\">{}</li>", Escaped(&series.name))?;
    }
    out.write_str("</ul>")
}

fn grid(out: &mut String, frame: &Frame) -> fmt::Result {
    for (value, _) in &frame.y.ticks {
        let class = if *value == 0.0 { "axis" } else { "grid" };
        let y = frame.y(*value);
        write!(out, "<line class=\"{class}\" x1=\"0\" x2=\"100%\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>")?;
    }
    Ok(())
}

/// The words: those of y stand on their lines, those of x below.
fn axes(out: &mut String, plot: &Plot, frame: &Frame, bars: &[f64]) -> fmt::Result {
    for (value, label) in &frame.y.ticks {
        write!(out, "<text x=\"0\" y=\"{:.1}\">{}</text>", frame.y(*value) - 4.0, Escaped(label))?;
    }
    let marks = match plot.kind {
        Kind::Bar => bar_marks(plot, bars),
        _ => frame.x.ticks.iter().map(|(value, label)| (frame.x(*value), label.clone())).collect(),
    };
    let widths = if plot.small { [NARROW; 2] } else { [WIDE, NARROW] };
    let mut free = [f64::MIN; 2];
    for (x, label) in marks {
        let fits = [0, 1].map(|at| place(x, &label, widths[at], &mut free[at]));
        let class = match (fits, x) {
            ([false, _], _) => continue,
            ([true, false], _) => "middle extra",
            (_, ..4.0) => "start",
            (_, 96.0..) => "end",
            _ => "middle",
        };
        let y = frame.height - 5.0;
        write!(out, "<text class=\"{class}\" x=\"{x:.2}%\" y=\"{y:.1}\">{}</text>", Escaped(&label))?;
    }
    Ok(())
}

/// Is there room for a label at `x` hundredths of `width` pixels? Takes it.
fn place(x: f64, label: &str, width: f64, free: &mut f64) -> bool {
    let half = count(label.chars().count()) * CHARACTER / 2.0;
    let middle = (x / 100.0 * width).max(half).min((width - half).max(half));
    if middle - half < *free {
        return false;
    }
    *free = middle + half + 8.0;
    true
}

fn draw_line(out: &mut String, plot: &Plot, frame: &Frame, number: usize, series: &Series) -> fmt::Result {
    let height = frame.height;
    write!(
        out,
        "<svg width=\"100%\" height=\"{height}\" viewBox=\"0 0 {ACROSS} {height}\" preserveAspectRatio=\"none\" overflow=\"visible\">"
    )?;
    let across = |x: f64| frame.x.place(x) * ACROSS;
    let ground = frame.y(frame.y.min.max(0.0));
    for run in series.points.split(|(_, y)| y.is_nan()).filter(|run| !run.is_empty()) {
        let mut path = String::new();
        for (x, y) in run {
            let command = if path.is_empty() { 'M' } else { 'L' };
            write!(path, "{command}{:.1} {:.1}", across(*x), frame.y(*y))?;
        }
        // a lonely point is a dot: a line of no length with round ends
        if run.len() == 1 {
            path.push_str("h0");
        }
        if let (Kind::Area, Some((first, _)), Some((last, _))) = (plot.kind, run.first(), run.last()) {
            let (first, last) = (across(*first), across(*last));
            write!(out, "<path class=\"area s{number}\" d=\"{path}L{last:.1} {ground:.1}L{first:.1} {ground:.1}Z\"/>")?;
        }
        write!(out, "<path class=\"line s{number}\" d=\"{path}\"/>")?;
    }
    out.write_str("</svg>")?;
    if series.points.len() <= MAX_HINTS && !plot.small {
        for (x, y) in numbers(series) {
            let (cx, cy) = (frame.x(x), frame.y(y));
            let hint = hint(plot, &plot.x.text(x), series, y);
            write!(
                out,
                "<circle class=\"point s{number}\" cx=\"{cx:.2}%\" cy=\"{cy:.1}\" r=\"5\"><title>{}</title></circle>",
                Escaped(&hint)
            )?;
        }
    }
    Ok(())
}

fn draw_bars(
    out: &mut String,
    plot: &Plot,
    frame: &Frame,
    bars: &[f64],
    number: usize,
    series: &Series,
) -> fmt::Result {
    let slot = 100.0 / frame.x.max;
    let width = slot * 0.72 / count(plot.series.len());
    let ground = frame.y(0.0);
    for (x, y) in numbers(series) {
        let Ok(at) = bars.binary_search_by(|bar| bar.total_cmp(&x)) else { continue };
        let left = slot * (count(at) + 0.14) + width * count(number);
        let end = frame.y(y);
        let hint = hint(plot, &name_of(plot, x), series, y);
        write!(
            out,
            "<rect class=\"column s{number}\" x=\"{left:.2}%\" y=\"{:.1}\" width=\"{:.2}%\" height=\"{:.1}\"><title>{}</title></rect>",
            end.min(ground),
            width * 0.94,
            (end - ground).abs(),
            Escaped(&hint)
        )?;
    }
    Ok(())
}

/// The x of all bars, each once, in order.
fn slots(plot: &Plot) -> Vec<f64> {
    if plot.kind != Kind::Bar {
        return Vec::new();
    }
    let mut bars: Vec<f64> = plot.series.iter().flat_map(|series| series.points.iter().map(|(x, _)| *x)).collect();
    bars.sort_by(f64::total_cmp);
    bars.dedup();
    bars.split_off(bars.len().saturating_sub(MAX_BARS))
}

fn bar_marks(plot: &Plot, bars: &[f64]) -> Vec<(f64, String)> {
    let slot = 100.0 / count(bars.len().max(1));
    let short = |x: f64| -> String {
        match plot.x {
            // the month and the day are enough where bars are days
            Unit::Time => plot.x.text(x).chars().skip(5).take(5).collect(),
            _ => name_of(plot, x).chars().take(16).collect(),
        }
    };
    bars.iter().enumerate().map(|(at, x)| (slot * (count(at) + 0.5), short(*x))).collect()
}

/// The word of a bar, or its number.
fn name_of(plot: &Plot, x: f64) -> String {
    let label = plot.labels.iter().enumerate().find(|(number, _)| count(*number) == x);
    label.map_or_else(|| plot.x.text(x), |(_, label)| label.clone())
}

fn hint(plot: &Plot, x: &str, series: &Series, y: f64) -> String {
    let name = if plot.series.len() > 1 { format!("{}, ", series.name) } else { String::new() };
    format!("{name}{x}: {}", plot.y.text(y))
}

fn numbers(series: &Series) -> impl Iterator<Item = (f64, f64)> {
    series.points.iter().copied().filter(|(_, y)| !y.is_nan())
}

/// What there is to see, in a sentence for each series.
fn description(plot: &Plot) -> String {
    let sentence = |series: &Series| {
        let (min, max) = numbers(series).fold((f64::MAX, f64::MIN), |(min, max), (_, y)| (min.min(y), max.max(y)));
        let text = |value| plot.y.text(value);
        match numbers(series).last() {
            None => format!("{}: no values.", series.name),
            Some((x, last)) => {
                let at = name_of(plot, x);
                format!("{}: from {} to {}, the last at {at} is {}.", series.name, text(min), text(max), text(last))
            }
        }
    };
    plot.series.iter().map(sentence).collect::<Vec<_>>().join(" ")
}

/// A small number.
fn count(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::from(u32::MAX), f64::from)
}
