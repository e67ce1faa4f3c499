//! Every part of the shell in a browser: `cargo run -p opsctl-web --example gallery`, then open what it prints.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "it shows parts to somebody who works on them")]

#[path = "../tests/it/gallery.rs"]
mod gallery;

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let address = gallery::start(runtime.handle());
    gallery::ADDRESSES.iter().for_each(|path| println!("http://{address}{path}"));
    runtime.block_on(std::future::pending::<()>());
}
