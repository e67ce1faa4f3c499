//! `/metrics`, in Prometheus' text format (OpenMetrics 1.0): the host's own, then each service's.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::{Registry, Unit};

use crate::health::Health;
use crate::shared::{self, Shared};

/// What the text is.
pub(super) const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    service: String,
}

/// All of them.
///
/// # Errors
/// Formatting failed, which a text in memory does not.
pub(super) fn text(host: &Shared) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    encode(host, &mut text)?;
    Ok(text)
}

fn encode(host: &Shared, text: &mut String) -> std::fmt::Result {
    encode_registry(text, &of_host(host))?;
    encode_registry(text, &of_process())?;
    let services: Vec<_> = host.cards().iter().filter_map(|card| card.current()).collect();
    for cx in services {
        cx.encode_metrics(text)?;
    }
    encode_eof(text)
}

fn of_host(host: &Shared) -> Registry {
    let status = host.status();
    let (up, healthy, restarts) = (Family::<Labels, Gauge>::default(), Family::default(), Family::default());
    for service in status.services {
        let labels = Labels { service: service.name };
        up.get_or_create(&labels).set(i64::from(service.state == shared::State::Running));
        let healthy: &Family<Labels, Gauge> = &healthy;
        healthy.get_or_create(&labels).set(i64::from(service.health == Health::Ok));
        let restarts: &Family<Labels, Counter> = &restarts;
        restarts.get_or_create(&labels).inc_by(service.restarts);
    }
    let mut registry = Registry::with_prefix("opsctl");
    registry.register("service_up", "Whether the service runs", up);
    registry.register("service_healthy", "Whether the service says that it is well", healthy);
    registry.register("service_restarts", "How often the service was started again", restarts);
    let uptime = ConstGauge::new(i64::try_from(status.uptime_seconds).unwrap_or(i64::MAX));
    registry.register_with_unit("uptime", "Since the process started", Unit::Seconds, uptime);
    registry
}

/// The figures that every Prometheus client library gives of its process.
fn of_process() -> Registry {
    let mut registry = Registry::with_prefix("process");
    if let Some(resident) = resident_bytes() {
        let gauge: Gauge = Gauge::default();
        gauge.set(i64::try_from(resident).unwrap_or(i64::MAX));
        registry.register_with_unit("resident_memory", "Resident memory", Unit::Bytes, gauge);
    }
    if let Ok(files) = std::fs::read_dir("/proc/self/fd") {
        let gauge: Gauge = Gauge::default();
        gauge.set(i64::try_from(files.count()).unwrap_or(i64::MAX));
        registry.register("open_fds", "Open file descriptors", gauge);
    }
    if let Ok(time) = nix::time::clock_gettime(nix::time::ClockId::CLOCK_PROCESS_CPUTIME_ID) {
        let counter = ConstCounter::new(std::time::Duration::from(time).as_secs_f64());
        registry.register_with_unit("cpu", "CPU time, user and system", Unit::Seconds, counter);
    }
    registry
}

/// Second field of proc_pid_statm(5), in pages.
fn resident_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split(' ').nth(1)?.parse().ok()?;
    let page = u64::try_from(rustix::param::page_size()).ok()?;
    pages.checked_mul(page)
}
