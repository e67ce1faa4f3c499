//! Taking files in: from a form that a client sends to a file that is served.
//!
//! The bytes are written beside where they will be, on the same file system, and hashed while they come (`spool`). What
//! the form says (`form`) is compared with what is in the file (`check`); what is served comes from the file alone. Then
//! (`store`) a row in the journal, the file's new name in folder or bucket (`shelf`), and one transaction that makes it
//! visible. Cut off anywhere, the next start, another machine, or whoever wants the same name finds either the whole file or
//! none (`recover`): a client that was told "200" finds its file, and one that was not can send it again.
//!
//! Receiving, checking and storing are apart, so that files of a release can be received one by one and become visible
//! together (PEP 694).

mod check;
mod error;
mod form;
mod promote;
mod receive;
mod recover;
mod shelf;
mod spool;
mod store;
mod sweep;
#[cfg(test)]
mod tests;

pub(crate) use self::check::{check, check_file};
pub(crate) use self::error::Error;
pub(crate) use self::form::Claims;
pub(crate) use self::promote::promote;
pub(crate) use self::receive::{Received, receive, receive_file};
pub(crate) use self::recover::{Recovered, cut_off, recover};
pub(crate) use self::shelf::Shelf;
pub(crate) use self::spool::{Spool, Spooled, lock};
pub(crate) use self::store::{Landed, Outcome, Pending, Sender, Store, Terms};
pub(crate) use self::sweep::Sweeper;
