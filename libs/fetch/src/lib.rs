//! Fetching from elsewhere over HTTP, without being sent where nobody meant to go.
//!
//! A URL that the administrator wrote is trusted; one that came with a page, a redirect or a user is not. What is not
//! trusted must be https and must lead to a public address: not to this machine, not to the network around it. The
//! address is judged after it was looked up, and the connection goes to the address that was judged, so that a name
//! cannot change its mind in between (DNS rebinding). Every answer is bounded in size and in time.
//!
//! What this crate never does: read the environment (proxies too come from the configuration), follow a redirect that
//! it would not have fetched by itself, or send credentials to another origin than the one they are for.

mod address;
mod answer;
mod credentials;
pub mod documents;
mod error;
mod fetch;
pub mod files;
mod origin;
mod resolve;
mod roots;

pub use address::is_public;
pub use answer::Answer;
pub use credentials::Credentials;
pub use error::Error;
pub use fetch::{Fetch, Settings};
pub use origin::{Origin, Reach};
pub use roots::tls;
pub use url::Url;
