//! Pages as a browser gets them: well-formed whatever is in them, and found where the shell says they are.
#![expect(clippy::panic, clippy::unwrap_used, reason = "a test says what failed by panicking")]

mod browser;
mod folder;
mod forms;
mod front;
mod gallery;
mod parts;
mod shell;
mod xml;
