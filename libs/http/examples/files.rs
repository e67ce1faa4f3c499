//! Serves the files of a folder, a page of 500 links at `/page`, and takes forms at `/form`: what `cargo xtask bench http`
//! measures.
//!
//! ```sh
//! cargo run --release -p opsctl-http --example files -- 127.0.0.1:8000 /srv/files
//! ```
#![expect(clippy::print_stdout, reason = "an example says where it listens")]

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use http::{HeaderMap, HeaderValue, Method};
use opsctl_http::{
    Activated, Endpoint, Entity, Form, FormLimits, HttpError, Limits, LocalFile, Rendered, Segment, Spawner,
    respond_file, serve,
};
use tokio::runtime::{Builder, Handle};

/// Links of the page.
const LINKS: usize = 500;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut words = std::env::args().skip(1);
    let (Some(address), Some(folder)) = (words.next(), words.next()) else {
        return Err("usage: files ADDRESS FOLDER [THREADS]".into());
    };
    let threads = words.next().map_or(Ok(1), |threads| threads.parse())?;
    let socket = address.parse::<Endpoint>()?.bind(&Activated::none())?;
    println!("listening on {}", socket.local());
    let runtime = Builder::new_multi_thread().worker_threads(threads).enable_all().build()?;
    runtime.block_on(async {
        let handle = Handle::current();
        let spawn: Spawner = Arc::new(move |task| drop(handle.spawn(task)));
        serve(socket.listener()?, router(folder.into()), Limits::default(), spawn, std::future::pending()).await
    })?;
    Ok(())
}

fn router(folder: PathBuf) -> Router {
    let page = Rendered::compressed(Entity::new(HeaderValue::from_static("text/html")), page());
    Router::new()
        .route("/page", get(async move |method: Method, headers: HeaderMap| page.respond(&method, &headers)))
        .route("/form", post(form))
        .route("/{name}", get(file))
        .with_state(Arc::new(folder))
}

async fn file(
    State(folder): State<Arc<PathBuf>>,
    Path(name): Path<String>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, HttpError> {
    // a segment with a slash in it is no name of a file
    let name = Some(name).filter(|name| !name.contains(['/', '\0']) && name != "..");
    let name = name.ok_or_else(|| HttpError::not_found("no such file"))?;
    let file = LocalFile::open(folder.join(name)).await.map_err(|error: io::Error| HttpError::internal(error))?;
    let file = file.ok_or_else(|| HttpError::not_found("no such file"))?;
    let entity = Entity::new(HeaderValue::from_static("application/octet-stream"));
    Ok(respond_file(&method, &headers, entity, file).await)
}

/// Counts the bytes of all parts.
async fn form(headers: HeaderMap, body: Body) -> Result<String, HttpError> {
    let mut form = Form::new(&headers, body, FormLimits::total(u64::MAX))?;
    let mut bytes = 0;
    while let Some(mut part) = form.next_part().await? {
        while let Some(chunk) = part.chunk().await? {
            bytes += chunk.len();
        }
    }
    Ok(format!("{bytes}\n"))
}

/// Of the size that a project with many releases has in a package index.
fn page() -> String {
    let links = (0..LINKS).map(|number| {
        let name = format!("benchproj-1.{number}-py3-none-any.whl");
        let digest = format!("{:064x}", (number as u128 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835));
        format!(
            "<a href=\"/files/{}#sha256={digest}\" data-core-metadata=\"sha256={digest}\">{name}</a><br/>\n",
            Segment(&name)
        )
    });
    format!("<!DOCTYPE html>\n<html><body>\n{}</body></html>\n", links.collect::<String>())
}
