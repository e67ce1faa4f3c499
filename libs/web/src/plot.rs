//! Plots: small and medium SVG drawings made here, in the page's own light or dark colours.
//!
//! A plot has no style of its own, as the content security policy forbids it: lines and areas have classes, and the style
//! sheet knows them. It needs no script; hints at points and bars are titles.

mod draw;
mod scale;

use crate::Markup;

use self::scale::LIMIT;
pub use self::scale::Unit;

/// Most series of a plot: as many as there are colours that differ.
const MAX_SERIES: usize = 6;
/// Most points of a series that are drawn; of more, the least and the greatest of each stretch are.
const MAX_POINTS: usize = 1200;
/// Most groups of bars; of more, the last ones.
const MAX_BARS: usize = 120;
/// Longest name or title, in characters.
const MAX_NAME: usize = 80;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Line,
    Area,
    Bar,
}

#[derive(Debug, Clone, PartialEq)]
struct Series {
    name: String,
    /// In the order of x; a y that is no number is a gap.
    points: Vec<(f64, f64)>,
}

/// A plot to be.
///
/// ```
/// use opsctl_web::plot::{self, Unit};
/// let days = (0..30).map(|day| (f64::from(day) * 86400.0, f64::from(day * day)));
/// let svg = plot::area("Downloads a day").series("wheels", days).x(Unit::Time).render();
/// assert!(svg.as_str().contains("<svg"));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct Plot {
    kind: Kind,
    title: String,
    series: Vec<Series>,
    labels: Vec<String>,
    x: Unit,
    y: Unit,
    small: bool,
}

/// Lines from point to point.
pub fn line(title: &str) -> Plot {
    Plot::new(Kind::Line, title)
}

/// Lines with what is below them filled, from zero on.
pub fn area(title: &str) -> Plot {
    Plot::new(Kind::Area, title)
}

/// Bars from zero; several series stand side by side.
pub fn bar(title: &str) -> Plot {
    Plot::new(Kind::Bar, title)
}

impl Plot {
    fn new(kind: Kind, title: &str) -> Self {
        let title = cut(title);
        Self { kind, title, series: Vec::new(), labels: Vec::new(), x: Unit::Count, y: Unit::Count, small: false }
    }

    /// Adds points, in any order. A `y` that is not finite is a gap in the line. At most six series are drawn.
    pub fn series(mut self, name: &str, points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        if self.series.len() < MAX_SERIES {
            let finite = points.into_iter().filter(|(x, _)| x.is_finite());
            let mut points: Vec<_> =
                finite.map(|(x, y)| (bounded(x), if y.is_finite() { bounded(y) } else { f64::NAN })).collect();
            points.sort_by(|(a, _), (b, _)| a.total_cmp(b));
            let points = if self.kind == Kind::Bar { points } else { thinned(points) };
            self.series.push(Series { name: cut(name), points });
        }
        self
    }

    /// Words for bars, in place of `x`: the first is that of 0, the next that of 1.
    pub fn labels<T: Into<String>>(mut self, labels: impl IntoIterator<Item = T>) -> Self {
        self.labels = labels.into_iter().take(MAX_BARS).map(|label| cut(&label.into())).collect();
        self
    }

    /// What `x` is; numbers if nothing is said.
    pub fn x(self, unit: Unit) -> Self {
        Self { x: unit, ..self }
    }

    /// What `y` is; numbers if nothing is said.
    pub fn y(self, unit: Unit) -> Self {
        Self { y: unit, ..self }
    }

    /// Half as wide and high, for a row of plots.
    pub fn small(self) -> Self {
        Self { small: true, ..self }
    }

    /// The drawing, with a description for those who do not see it.
    #[must_use]
    pub fn render(&self) -> Markup {
        Markup::new(draw::draw(self))
    }
}

fn bounded(value: f64) -> f64 {
    value.clamp(-LIMIT, LIMIT)
}

fn cut(text: &str) -> String {
    match text.chars().nth(MAX_NAME) {
        None => text.to_owned(),
        Some(_) => text.chars().take(MAX_NAME - 1).chain(['…']).collect(),
    }
}

/// At most `MAX_POINTS` points that look the same: of each stretch the least and the greatest, and a gap if there is one.
fn thinned(points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    if points.len() <= MAX_POINTS {
        return points;
    }
    let stretch = points.len().div_ceil(MAX_POINTS / 3);
    let mut kept = Vec::with_capacity(MAX_POINTS);
    for part in points.chunks(stretch) {
        let numbers = || part.iter().enumerate().filter(|(_, (_, y))| !y.is_nan());
        let by_y = |a: &(usize, &(f64, f64)), b: &(usize, &(f64, f64))| a.1.1.total_cmp(&b.1.1);
        let gap = part.iter().position(|(_, y)| y.is_nan());
        let mut places = [numbers().min_by(by_y).map(|(at, _)| at), numbers().max_by(by_y).map(|(at, _)| at), gap];
        places.sort_unstable();
        let mut last = None;
        for place in places.into_iter().flatten().filter(|place| last.replace(*place) != Some(*place)) {
            kept.extend(part.get(place));
        }
    }
    kept
}

#[cfg(test)]
mod tests;
