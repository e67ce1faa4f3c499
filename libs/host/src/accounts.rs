//! The user base of all services: opened once in a process, by the first service that asks for it.

use opsctl_auth::{Auth, Author, Clock, Settings};
use opsctl_http::Endpoint;
use opsctl_store::Location;
use tokio::sync::OnceCell;

use crate::verb;

/// One per running host.
#[derive(Debug)]
pub(crate) struct Accounts {
    settings: Settings,
    opened: OnceCell<Auth>,
}

impl Accounts {
    pub(crate) fn new(settings: Settings) -> Self {
        Self { settings, opened: OnceCell::new() }
    }

    /// The user base. Where there is nobody in it yet, whoever reads the log gets a link to become the administrator;
    /// `addresses` are those of the service that asks.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn get(
        &self,
        location: &Location,
        addresses: impl Iterator<Item = Endpoint>,
    ) -> anyhow::Result<Auth> {
        let open = async || {
            let auth = open(location, self.settings.clone()).await?;
            if let Some(text) = auth.invite_first(&Author::program("first start")).await? {
                let link = match self.settings.url {
                    Some(_) => auth.link(&text),
                    None => addresses.filter_map(|address| site(&address)).next().unwrap_or_default() + &text.path(),
                };
                tracing::warn!(%link, "there are no users yet: open this link to become the administrator");
            }
            anyhow::Ok(auth)
        };
        self.opened.get_or_try_init(open).await.cloned()
    }
}

/// Opens the user base at `location`.
///
/// # Errors
/// The database's, or there is no place for it.
pub(crate) async fn open(location: &Location, settings: Settings) -> anyhow::Result<Auth> {
    verb::prepare(location, None)?;
    Ok(Auth::open(location, settings, Clock::system()).await?)
}

/// How a browser names `endpoint`: `http://127.0.0.1:8080`. Every address is this machine, by its name.
fn site(endpoint: &Endpoint) -> Option<String> {
    let address = endpoint.socket_addr()?;
    let scheme = if endpoint.tls().is_some() { "https" } else { "http" };
    if !address.ip().is_unspecified() {
        return Some(format!("{scheme}://{address}"));
    }
    let system = rustix::system::uname();
    let name = system.nodename().to_str().unwrap_or("localhost");
    Some(format!("{scheme}://{name}:{}", address.port()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sites() {
        let check = |endpoint: &str, expected: Option<&str>| {
            assert_eq!(site(&endpoint.parse().unwrap()).as_deref(), expected, "{endpoint}");
        };
        check("127.0.0.1:8080", Some("http://127.0.0.1:8080"));
        check("[::1]:8080", Some("http://[::1]:8080"));
        check("tls:192.0.2.1:443?cert=a&key=b", Some("https://192.0.2.1:443"));
        check("unix:/run/x.sock", None);
        let any = site(&"0.0.0.0:8080".parse().unwrap()).unwrap();
        assert!(any.starts_with("http://") && any.ends_with(":8080") && !any.contains("0.0.0.0"), "{any}");
    }
}
