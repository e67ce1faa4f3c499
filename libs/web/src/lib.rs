//! The shell of all pages: layout, style sheet, templates. Pages are well-formed XHTML, need no script, and nothing
//! from anywhere but this program.
//!
//! What this crate never does: know a service, or write a page without escaping what came from elsewhere.

mod assets;
mod confirm;
mod cookie;
mod csrf;
mod error;
mod flash;
mod folder;
mod form;
mod front;
mod functions;
mod key;
mod markup;
mod page;
mod pages;
pub mod plot;
mod prose;
mod query;
mod table;
mod units;
mod visit;

pub use assets::assets;
pub use confirm::Confirm;
pub use csrf::CSRF_FIELD;
pub use error::{Error, TemplateFault};
pub use flash::Tone;
pub use form::{Form, Invalid};
pub use front::Front;
pub use key::Key;
pub use markup::Markup;
pub use page::Page;
pub use pages::{Link, Pages, wants_page};
pub use prose::{markdown, plain, readme};
pub use query::{Query, segment, web_address};
pub use table::{Paging, Slice, Sort};
pub use units::{bytes, duration, grouped};
pub use visit::{UserMenu, Visit};
