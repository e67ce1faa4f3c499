//! The client: one request at a time, redirects followed by hand, each judged like the first.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, LOCATION};
use http::{HeaderMap, Method, StatusCode};
use url::Url;

use crate::origin::{Origin, Reach, shown};
use crate::resolve::{Judged, NotPublic};
use crate::{Answer, Credentials, Error, roots};

/// Most redirects that are followed; RFC 9110 section 15.4 names no number, 5 was HTTP's first advice.
const REDIRECTS: usize = 5;

/// How a client behaves.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where it may go.
    pub reach: Reach,
    /// For which a connection may take.
    pub connect_timeout: Duration,
    /// For which a server may send nothing.
    pub read_timeout: Duration,
    /// Certificate authorities to believe besides the system's: a PEM file.
    pub authorities: Option<PathBuf>,
    /// A proxy for all requests; whoever names one trusts it with the judging of addresses.
    pub proxy: Option<Url>,
    /// Shown to its origin with every request.
    pub credentials: Option<Credentials>,
    /// Who asks.
    pub user_agent: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            reach: Reach::default(),
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(30),
            authorities: None,
            proxy: None,
            credentials: None,
            user_agent: concat!("opsctl/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// A client. Cheap to clone; connections are kept and shared.
#[derive(Debug, Clone)]
pub struct Fetch {
    client: reqwest::Client,
    reach: Arc<Reach>,
    credentials: Option<Credentials>,
}

impl Fetch {
    /// Reads the certificate authorities and makes a client; connects nowhere yet.
    ///
    /// # Errors
    /// [`Error::Certificates`], [`Error::SetUp`].
    pub fn new(settings: Settings) -> Result<Self, Error> {
        let Settings { reach, connect_timeout, read_timeout, authorities, proxy, credentials, user_agent } = settings;
        let reach = Arc::new(reach);
        let set_up = |error: reqwest::Error| Error::SetUp(error.into());
        let mut client = reqwest::Client::builder()
            .tls_backend_preconfigured(roots::tls(authorities.as_deref())?)
            .dns_resolver(Arc::new(Judged(Arc::clone(&reach))))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(connect_timeout)
            .read_timeout(read_timeout)
            .user_agent(user_agent)
            .no_proxy();
        if let Some(proxy) = proxy {
            client = client.proxy(reqwest::Proxy::all(proxy).map_err(set_up)?);
        }
        Ok(Self { client: client.build().map_err(set_up)?, reach, credentials })
    }

    /// GET, with redirects.
    ///
    /// # Errors
    /// [`Error::Refused`] if the URL or where it leads may not be gone to; [`Error::Failed`], [`Error::TimedOut`].
    pub async fn get(&self, url: &Url, headers: HeaderMap) -> Result<Answer, Error> {
        self.send(Method::GET, url, headers, Bytes::new()).await
    }

    /// Any request. Redirects are followed for GET and HEAD alone: a POST is not sent to where nobody meant it.
    ///
    /// # Errors
    /// Those of [`Self::get`].
    pub async fn send(&self, method: Method, url: &Url, headers: HeaderMap, body: Bytes) -> Result<Answer, Error> {
        let (mut url, mut headers) = (url.clone(), headers);
        for _ in 0..=REDIRECTS {
            self.reach.judge(&url)?;
            let mut request = self.client.request(method.clone(), url.clone()).headers(headers.clone());
            if let Some(Credentials { value, .. }) =
                self.credentials_for(&url).filter(|_| !headers.contains_key(AUTHORIZATION))
            {
                request = request.header(AUTHORIZATION, value);
            }
            let request = if body.is_empty() { request } else { request.body(body.clone()) };
            let response = request.send().await.map_err(|error| failed(&url, error))?;
            match target(&method, &response) {
                None => return Ok(Answer::new(response)),
                Some(next) => {
                    let next = next.ok_or(Error::Refused { url: shown(&url), why: "it leads to what is no URL" })?;
                    if Origin::of(&next) != Origin::of(&url) {
                        headers.remove(AUTHORIZATION);
                    }
                    url = next;
                }
            }
        }
        Err(Error::Refused { url: shown(&url), why: "it leads from one place to the next" })
    }

    fn credentials_for(&self, url: &Url) -> Option<&Credentials> {
        self.credentials.as_ref().filter(|credentials| Origin::of(url).as_ref() == Some(&credentials.origin))
    }
}

/// Where a response sends us: None if nowhere, Some(None) if to nonsense.
fn target(method: &Method, response: &reqwest::Response) -> Option<Option<Url>> {
    let redirect = matches!(
        response.status(),
        StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT
    );
    if !redirect || !matches!(*method, Method::GET | Method::HEAD) {
        return None;
    }
    let location = response.headers().get(LOCATION)?;
    Some(location.to_str().ok().and_then(|location| response.url().join(location).ok()))
}

/// What reqwest has to say, as one of ours.
pub(crate) fn failed(url: &Url, error: reqwest::Error) -> Error {
    if error.is_timeout() {
        return Error::TimedOut { url: shown(url) };
    }
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(each) = cause {
        if each.is::<NotPublic>() {
            return Error::Refused { url: shown(url), why: "its host has no public address" };
        }
        cause = each.source();
    }
    Error::Failed { url: shown(url), source: error.without_url().into() }
}
