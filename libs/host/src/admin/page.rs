//! The status page's look: what its template shows of a [`Status`].

use opsctl_http::Endpoint;
use opsctl_web::{Page, Pages, duration};
use serde::Serialize;

use crate::health::Health;
use crate::shared::{self, ListenerStatus, ServiceStatus, Status};

const TEMPLATE: &str = "host/status.html";

/// The host's pages.
pub(super) fn pages() -> Pages {
    Pages::new().add(TEMPLATE, include_str!("status.html"))
}

/// The page that shows `status`.
pub(super) fn render(pages: &Pages, status: &Status) -> Result<Page, opsctl_web::Error> {
    pages.render(TEMPLATE, View::from(status))
}

/// What the template shows.
#[derive(Debug, Serialize)]
struct View<'a> {
    version: &'a str,
    pid: u32,
    uptime: String,
    healthy: bool,
    services: Vec<ServiceView<'a>>,
}

#[derive(Debug, Serialize)]
struct ServiceView<'a> {
    name: &'a str,
    about: &'a str,
    badge: &'static str,
    state: &'static str,
    reason: Option<&'a str>,
    for_time: String,
    restarts: u64,
    listeners: Vec<ListenerView<'a>>,
    last_error: Option<&'a str>,
    error_time: String,
}

#[derive(Debug, Serialize)]
struct ListenerView<'a> {
    name: &'a str,
    address: &'a str,
    href: Option<String>,
}

impl<'a> From<&'a Status> for View<'a> {
    fn from(status: &'a Status) -> Self {
        Self {
            version: &status.version,
            pid: status.pid,
            uptime: duration(status.uptime_seconds),
            healthy: status.healthy,
            services: status.services.iter().map(ServiceView::from).collect(),
        }
    }
}

impl<'a> From<&'a ServiceStatus> for ServiceView<'a> {
    fn from(service: &'a ServiceStatus) -> Self {
        let word = service.state.word();
        let (badge, state, reason) = match (service.state, &service.health) {
            (shared::State::Stopped | shared::State::Stopping, _) => ("stopped", word, None),
            (shared::State::Running, Health::Ok) => ("ok", word, None),
            (shared::State::Running, Health::Degraded(reason)) => ("degraded", "degraded", Some(reason.as_str())),
            (shared::State::Running, Health::Failed(reason)) => ("failed", "failed", Some(reason.as_str())),
            (shared::State::Starting | shared::State::Restarting, _) => ("failed", word, None),
        };
        let error = service.last_error.as_ref();
        Self {
            name: &service.name,
            about: &service.about,
            badge,
            state,
            reason,
            for_time: duration(service.seconds_in_state),
            restarts: service.restarts,
            listeners: service.listeners.iter().map(ListenerView::from).collect(),
            last_error: error.map(|error| error.text.as_str()),
            error_time: error.map(|error| duration(error.seconds_ago)).unwrap_or_default(),
        }
    }
}

impl<'a> From<&'a ListenerStatus> for ListenerView<'a> {
    fn from(listener: &'a ListenerStatus) -> Self {
        let ListenerStatus { name, address } = listener;
        Self { name, address, href: href(name, address) }
    }
}

/// A link, for listeners that a browser can open: by their names, since an address does not tell.
fn href(name: &str, address: &str) -> Option<String> {
    if !["status", "web", "https", "http"].contains(&name) {
        return None;
    }
    let endpoint: Endpoint = address.parse().ok()?;
    let address = endpoint.socket_addr()?;
    let scheme = if endpoint.tls().is_some() { "https" } else { "http" };
    Some(format!("{scheme}://{address}/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listeners_that_a_browser_can_open_are_links() {
        let check = |name, address, expected: Option<&str>| assert_eq!(href(name, address).as_deref(), expected);
        check("web", "127.0.0.1:8000", Some("http://127.0.0.1:8000/"));
        check("https", "tls:[::1]:443?cert=/c&key=/k", Some("https://[::1]:443/"));
        check("finger", "127.0.0.1:79", None);
        check("web", "unix:/run/x.sock", None);
    }

    #[test]
    fn the_page_shows_what_is_wrong_and_escapes_it() {
        let status = Status {
            version: "1".to_owned(),
            pid: 1,
            uptime_seconds: 61,
            healthy: false,
            services: vec![ServiceStatus {
                name: "x".to_owned(),
                about: "y".to_owned(),
                state: shared::State::Running,
                health: Health::Degraded("<script>".to_owned()),
                seconds_in_state: 5,
                restarts: 2,
                listeners: Vec::new(),
                last_error: Some(shared::LastError { text: "a & b".to_owned(), seconds_ago: 3 }),
            }],
        };
        let page = String::from(render(&pages(), &status).unwrap());
        assert!(pages().faults().is_empty());
        for text in ["needs attention", "degraded", "&lt;script&gt;", "a &amp; b", "1m 1s"] {
            assert!(page.contains(text), "no {text} in:\n{page}");
        }
    }
}
