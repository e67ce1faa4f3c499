//! Where services listen and how HTTP is served: endpoints, bound sockets, listeners, TLS, HTTP/1 and HTTP/2.
//!
//! What this crate never does: read the environment, look a name up, bind again what is bound, or spawn a task by
//! itself. Sockets are bound once, without a runtime, by whoever owns them; listeners on them come and go.

mod access_log;
mod activated;
mod client;
mod conditional;
mod cookies;
mod date;
mod disposition;
mod encoding;
mod endpoint;
mod entity;
mod error;
mod etag;
mod file;
mod listener;
mod multipart;
mod negotiate;
mod percent;
mod problem;
mod range;
mod rendered;
mod serve;
mod socket;
mod source;
mod stamp;
mod stream;
mod sys;
mod tls;

use std::pin::Pin;

pub use access_log::{AccessLog, RemoteUser};
pub use activated::Activated;
pub use client::{Client, NotAProxy, Proxy};
pub use conditional::{Condition, Validators};
pub use cookies::{SameSite, SetCookie, cookie, cookies};
pub use date::{HttpDate, NotADate};
pub use disposition::{attachment, inline};
pub use encoding::Coding;
pub use endpoint::{Address, Endpoint, EndpointError, Endpoints, Pair};
pub use entity::Entity;
pub use error::Error;
pub use etag::ETag;
pub use file::{LocalFile, respond_file};
pub use listener::{Accepted, Listener};
pub use multipart::{Form, FormError, FormLimits, Part};
pub use negotiate::{XHTML, lists_xhtml, negotiate};
pub use percent::Segment;
pub use problem::{ErrorPage, HttpError, PAGE_POLICY, Problem};
pub use range::Wanted;
pub use rendered::Rendered;
pub use serve::{Limits, Listeners, RequestId, Site, Spawner, serve};
pub use socket::Socket;
pub use source::respond_stream;
pub use stamp::Stamp;
pub use stream::{Peer, Stream, TlsStream};
pub use tls::Tls;

/// A future on the heap.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The manual's code is compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
