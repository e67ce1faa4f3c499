//! The host: runs services in one process, under one supervisor.
//!
//! A service is a crate that implements [`Service`]; the table of them is the binary's ([`Plugin`]). [`serve`] takes a
//! program through four gates: *read* the configuration, touching nothing; *bind* every socket, then go to the
//! background and give up privileges; *open* the services; *run* them until a signal. The host owns sockets, tasks,
//! signals, restarts and reloads, so that a service has nothing to do but its work.
//!
//! Absent on purpose: no service is known here by name, nothing reads the environment or prints, and no task runs that
//! is not waited for.

mod accounts;
mod admin;
mod backoff;
mod context;
mod data;
mod data_dir;
mod health;
mod instance;
mod keeper;
mod logs;
mod plan;
mod plugin;
pub mod process;
mod reload;
mod restarts;
mod schema;
mod service;
pub mod settings;
mod shared;
mod signals;
mod sockets;
mod start;
mod supervisor;
mod troubles;
mod verb;

pub use backoff::Backoff;
pub use context::Context;
pub use health::{Health, HealthCell};
pub use opsctl_web::duration;
pub use plan::{Mode, Plan, read};
pub use plugin::{AnyService, AnyTool, Instance, Kind, Plugin, ReadConfig, faults, service, tool};
pub use schema::schema;
pub use service::{Listen, NoOptions, NoVerbs, Refused, Reload, Service, Shell, Tool};
pub use shared::{LastError, ListenerStatus, ServiceStatus, State, Status};
pub use start::{CONTROL_SOCKET, Environment, Error, Program, serve};
pub use troubles::Troubles;
pub use verb::VerbContext;
