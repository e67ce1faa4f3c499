//! Configuration: layers, one document, a typed table per service. Every fault in any layer is found in one go and shows
//! its line with a caret. This crate reads neither the environment nor a file named in it: it is handed both. No fault and
//! no print ever shows a [`Secret`].
//!
//! [`Sources`] takes the layers and reads them into a [`Document`]; [`Document::table`] gives a service its table as a
//! plain type that derives `Deserialize` and `JsonSchema`. What a value means stands in its type: [`Duration`], [`Size`],
//! [`Mode`], [`ConfigPath`], [`Secret`], and for a service's own types whatever their `Deserialize` checks: its error is
//! shown at the value.

mod decode;
mod document;
mod error;
mod fault;
mod magic;
mod node;
mod schema;
mod secrets;
mod show;
mod source;
mod sources;
mod statements;
mod suggest;
#[cfg(test)]
mod tests;
mod text;
mod urls;
mod values;

pub use document::Document;
pub use error::Error;
pub use fault::Fault;
pub use schema::{document_schema, secret_paths};
pub use sources::{RESERVED, Sources};
pub use urls::mask_url;
pub use values::based::{Based, ConfigPath};
pub use values::duration::Duration;
pub use values::many::Many;
pub use values::mode::Mode;
pub use values::scalar::Scalar;
pub use values::secret::{MASK, Secret};
pub use values::size::Size;

/// The longest text of a file or of a single value, in bytes. A configuration is written by people; what is longer is a
/// mistake, such as a log file in its place.
pub const MAX_TEXT: usize = 1 << 20;
