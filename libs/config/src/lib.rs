//! Configuration: layers, one document, a typed table per service. Every fault in any layer is found in one go and shows
//! its line with a caret. This crate reads neither the environment nor a file named in it: it is handed both.

mod error;
mod magic;
mod values;

pub use error::Error;
pub use values::based::{Based, ConfigPath};
pub use values::duration::Duration;
pub use values::many::Many;
pub use values::mode::Mode;
pub use values::scalar::Scalar;
pub use values::secret::{MASK, Secret};
pub use values::size::Size;
