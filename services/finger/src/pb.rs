//! Perspective Broker
pub(crate) mod banana;
pub(crate) mod broker;
pub(crate) mod root;
