//! Private Python package index: what pip, uv, poetry, twine and 2007's easy_install install from and upload to.
//!
//! # Where the truth is
//! With the local store the *folder* is the master: a file that is put into it is served, one that is taken out is not,
//! and an upload lands in it as `<root>/<project>/<file>`. With an S3 store the *bucket* is the master, and only uploads land
//! in it, from any of the servers that share it and the database. The *database* holds what exists nowhere else (which
//! bytes a file name belongs to, for ever; when a file came; who yanked it and why; every change) and a copy of what can be
//! read again from the files (where one is, its stamp, its facts); `migrations/index` says which is which. What is *served* is an immutable snapshot in memory, made of the database's rows, project by project.
//!
//! So every change takes the same way: the folder (or the store), a transaction, and then
//! `Catalog::refresh(index, projects)`. Nothing else makes a file visible. A second server on the same database, and a
//! verb of the command line beside a running server, do the same.
//!
//! # Where to look
//! `service` puts everything together; `config` and `options` are what can be set. `folder` keeps a folder and the
//! database in step: `walk` lists, `scan` compares, `settle` waits for half-written files, `watch` asks the kernel,
//! `read` reads new ones, `keep` is the task. `records` is the database, one file for each purpose. `catalog` is what
//! is served: `snapshot` (all of it, at one moment), `project`, `file`, `pages` (bytes in all forms, made when first
//! asked for), `render`. `upload` takes files in. `mirror` is an upstream seen through here, `origins` where each name may
//! come from, `routes` what a page is made of: an index, its bases, an upstream. `http` has one endpoint in each file,
//! `verbs` are the command line's; `open` opens what both work on. `changes` is what people do to what is
//! there, `follow` takes on what others have changed in the database, `bucket` is files in a bucket. `access` decides who may do what, and nobody else.
//! `roots` keeps verbs from looking into another folder than the server.
//! `opsctl-dist` knows what names, versions, archives and metadata are.
//!
//! # Invariants
//! A file name is bound to its bytes for good, unless its index is volatile. Bytes are sent under the address of their
//! digest only. Nothing that somebody put into a folder is ever moved, changed or removed. No path is made of what a
//! client says. A request holds no lock and asks no database, but for a file that another server may know already.

mod access;
mod bucket;
mod catalog;
mod changes;
mod clock;
mod config;
mod folder;
mod follow;
mod http;
mod metadata;
mod mirror;
mod open;
mod options;
mod origins;
mod provenance;
mod records;
mod roots;
mod routes;
mod service;
mod upload;
mod verbs;

pub use config::{BadIndexName, Config, IndexConfig, IndexName};
pub use mirror::{HttpUrl, Mode, UpstreamUrl};
pub use options::Options;
pub use service::Index;
pub use verbs::Verbs;
