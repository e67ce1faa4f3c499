//! Sensors of the hardware: temperatures, fans, voltages.

/// What a sensor measures, and in what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SensorKind {
    /// Degrees Celsius.
    Temperature,
    /// Turns per minute.
    Fan,
    /// Volts.
    Voltage,
    /// Ampere.
    Current,
    /// Watts.
    Power,
}

/// One sensor.
#[derive(Clone, Debug, PartialEq)]
pub struct Sensor {
    /// The chip or zone that it belongs to: `coretemp`.
    pub chip: String,
    /// What it is fixed to, in the maker's words if there are any: `Core 0`.
    pub label: String,
    /// What it measures.
    pub kind: SensorKind,
    /// What it shows.
    pub value: f64,
    /// From here on it is too much.
    pub high: Option<f64>,
    /// From here on there will be damage.
    pub critical: Option<f64>,
}
