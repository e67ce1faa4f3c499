//! irc
mod line;
mod session;
