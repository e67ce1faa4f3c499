//! `/sys/class/hwmon`, as `Documentation/hwmon/sysfs-interface.rst` has it; where there is none, `/sys/class/thermal`.

use std::path::Path;

use super::bytes::{signed, text};
use super::read;
use crate::{Sensor, SensorKind, System};

/// The files' common beginning, what they show, and how many of the file's units make one of ours.
const KINDS: [(&str, SensorKind, f64); 5] = [
    ("temp", SensorKind::Temperature, 1000.0),
    ("fan", SensorKind::Fan, 1.0),
    ("in", SensorKind::Voltage, 1000.0),
    ("curr", SensorKind::Current, 1000.0),
    ("power", SensorKind::Power, 1_000_000.0),
];

/// None is an ordinary answer: virtual machines have no sensors.
pub(crate) fn sensors(system: &System) -> Vec<Sensor> {
    let chips = system.sys("class/hwmon");
    let mut sensors: Vec<_> = read::names(&chips).iter().flat_map(|chip| chip_sensors(&chips.join(chip))).collect();
    if !sensors.iter().any(|sensor| sensor.kind == SensorKind::Temperature) {
        let zones = system.sys("class/thermal");
        sensors.extend(read::names(&zones).iter().filter_map(|zone| zone_sensor(&zones.join(zone))));
    }
    sensors
}

fn chip_sensors(folder: &Path) -> Vec<Sensor> {
    let chip = read::line(&folder.join("name")).map_or_else(String::new, |name| text(&name));
    let names = read::names(folder);
    names.iter().filter_map(|name| chip_sensor(folder, &chip, name.to_str()?.strip_suffix("_input")?)).collect()
}

fn chip_sensor(folder: &Path, chip: &str, name: &str) -> Option<Sensor> {
    let (_, kind, unit) = *KINDS.iter().find(|(prefix, ..)| {
        name.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
    })?;
    let value = |end: &str| value(&folder.join(format!("{name}_{end}")), unit);
    let label = read::line(&folder.join(format!("{name}_label"))).map_or_else(|| name.to_owned(), |label| text(&label));
    Some(Sensor {
        chip: chip.to_owned(),
        label,
        kind,
        value: value("input")?,
        high: value("max"),
        critical: value("crit"),
    })
}

fn zone_sensor(folder: &Path) -> Option<Sensor> {
    let chip = text(&read::line(&folder.join("type"))?);
    let label = folder.file_name()?.to_string_lossy().into_owned();
    let value = value(&folder.join("temp"), 1000.0)?;
    Some(Sensor { chip, label, kind: SensorKind::Temperature, value, high: None, critical: None })
}

/// A sensor that is broken or asleep fails to be read.
fn value(file: &Path, unit: f64) -> Option<f64> {
    let value = signed(&read::line(file)?)?;
    Some(value as f64 / unit)
}
