//! Plots are well-formed and bounded whatever is in them.

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
use quick_xml::Reader;
use quick_xml::events::Event;

use super::*;

/// How often each element is there; panics unless the drawing is well-formed and all its numbers are.
fn elements(svg: &str) -> std::collections::BTreeMap<String, usize> {
    let mut reader = Reader::from_str(svg);
    reader.config_mut().allow_dangling_amp = false;
    let mut found = std::collections::BTreeMap::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Start(element) | Event::Empty(element) => {
                let attributes: Vec<_> = element.attributes().with_checks(true).map(Result::unwrap).collect();
                let class = attributes.iter().find(|attribute| attribute.key.as_ref() == b"class");
                let class = class.map_or(String::new(), |class| String::from_utf8_lossy(&class.value).into_owned());
                for attribute in attributes {
                    let value = String::from_utf8_lossy(&attribute.value);
                    let is_text = attribute.key.as_ref() == b"aria-label";
                    assert!(is_text || !(value.contains("NaN") || value.contains("inf")), "{value} in {svg}");
                    assert_ne!(attribute.key.as_ref(), b"style");
                }
                let name = String::from_utf8_lossy(element.name().as_ref()).into_owned();
                *found.entry(format!("{name} {class}").trim_end().to_owned()).or_default() += 1;
            }
            Event::Eof => return found,
            _ => {}
        }
    }
}

fn draw(plot: &Plot) -> (String, std::collections::BTreeMap<String, usize>) {
    let svg = plot.render().as_str().to_owned();
    let found = elements(&format!("<figure>{svg}</figure>"));
    (svg, found)
}

#[test]
fn a_line() {
    let points = [(0.0, 1.0), (1.0, 3.0), (2.0, f64::NAN), (3.0, 2.0), (f64::INFINITY, 1.0)];
    let (svg, found) = draw(&line("Downloads <a day>").series("wheels", points));
    assert_eq!((found["path line s0"], found["circle point s0"]), (2, 3), "a gap parts the line: {svg}");
    assert!(svg.contains("<title>Downloads &lt;a day&gt;</title>"), "{svg}");
    assert!(svg.contains("<desc>wheels: from 1 to 3, the last at 3 is 2.</desc>"), "{svg}");
    assert!(svg.contains("h0\""), "a lonely point is seen: {svg}");
    assert!(!found.contains_key("li s0"), "one series needs no legend");
}

#[test]
fn areas_and_bars() {
    let points = [(0.0, 1.0), (1.0, 3.0)];
    let (_, found) = draw(&area("a").series("x", points).series("y", points));
    assert_eq!((found["path area s0"], found["path area s1"], found["li s1"]), (1, 1, 1));
    let plot = bar("b").series("x", [(0.0, 5.0), (1.0, -2.0)]).labels(["Mon", "Tue"]).y(Unit::Bytes);
    let (svg, found) = draw(&plot);
    assert_eq!(found["rect column s0"], 2);
    assert!(svg.contains("<title>Mon: 5 bytes</title>") && svg.contains("<title>Tue: −2 bytes</title>"), "{svg}");
}

#[test]
fn nothing_to_draw() {
    for plot in [line("a"), area("a").series("x", []), bar("a").series("x", [(1.0, f64::NAN)]).small()] {
        let (svg, _) = draw(&plot);
        assert!(svg.contains("no values yet"), "{svg}");
    }
}

#[test]
fn many_points_look_the_same() {
    let points = (0..100_000).map(|x| (f64::from(x), if x == 77_777 { 1e6 } else { f64::from(x % 7) }));
    let plot = line("a").series("x", points);
    assert!(plot.series[0].points.len() <= MAX_POINTS);
    assert!(plot.series[0].points.contains(&(77_777.0, 1e6)), "the spike stays");
    let (svg, _) = draw(&plot);
    assert!(svg.len() < 40_000, "{}", svg.len());
    let (_, found) = draw(&bar("a").series("x", (0..5000).map(|x| (f64::from(x), 1.0))));
    assert_eq!(found["rect column s0"], MAX_BARS);
    let crowd = (0..100).fold(line("a"), |plot, number| plot.series(&number.to_string(), [(0.0, 1.0)]));
    assert_eq!(crowd.series.len(), MAX_SERIES);
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![any::<f64>(), -1e3..1e3, Just(0.0), Just(f64::NAN), Just(f64::INFINITY), Just(f64::MIN_POSITIVE)]
}

proptest! {
    #[test]
    fn any_plot(
        title in any::<String>(),
        names in vec((any::<String>(), vec((number(), number()), 0..40)), 0..8),
        labels in vec(any::<String>(), 0..5),
        small in any::<bool>(),
        units in (0_usize..5, 0_usize..5),
    ) {
        const UNITS: [Unit; 5] = [Unit::Count, Unit::Bytes, Unit::Seconds, Unit::Percent, Unit::Time];
        for plot in [line(&title), area(&title), bar(&title).labels(labels)] {
            let plot = names.iter().fold(plot, |plot, (name, points)| plot.series(name, points.iter().copied()));
            let plot = plot.x(UNITS[units.0]).y(UNITS[units.1]);
            let (svg, _) = draw(&if small { plot.small() } else { plot });
            assert!(svg.len() < 200_000, "{}", svg.len());
        }
    }
}
