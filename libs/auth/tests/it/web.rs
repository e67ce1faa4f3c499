//! The pages and what stands around a router, without a socket.

mod browser;
mod hostile;
mod oidc;
mod pages;
