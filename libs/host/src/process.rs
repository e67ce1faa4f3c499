//! The process as the system sees it: background, pid file, account, service manager.
//!
//! All of it happens around the one moment at which the process has a single thread: [`daemon::detach`] and
//! [`privileges::Identity::assume`] come before the runtime, because a fork copies one thread only and because Linux
//! keeps capabilities and no_new_privs per thread. Both refuse a process that already has more.
//!
//! Nothing here reads the environment, logs, or knows a service: values come in as parameters and faults go out as
//! errors.

pub mod daemon;
mod fork;
pub mod notify;
pub mod pidfile;
pub mod privileges;
#[cfg(test)]
mod testing;
mod threads;
