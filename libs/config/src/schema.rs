//! JSON Schema of the whole document, put together from those of its tables; and what a schema says of a key.

mod assemble;
mod view;

pub use assemble::document_schema;
pub(crate) use view::View;
pub use view::secret_paths;
