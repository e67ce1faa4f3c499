//! The shell of all pages: layout, style sheet, templates. Pages are well-formed XHTML, need no script, and nothing
//! from anywhere but this program.
//!
//! What this crate never does: know a service, or write a page without escaping what came from elsewhere.

mod assets;
mod error;
mod folder;
mod page;
mod pages;

pub use assets::assets;
pub use error::{Error, TemplateFault};
pub use page::Page;
pub use pages::{Link, Pages};
