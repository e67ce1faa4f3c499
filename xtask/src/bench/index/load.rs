//! What the servers of `bench index` are asked, again and again, and what that costs them.
use super::servers::Server;
use crate::bench::http::counts;
use crate::process;
use anyhow::{Context, Result, ensure};
use std::process::Command;

/// Of one measurement, in seconds; and of the one before it that does not count.
const SECONDS: u32 = 4;
const WARM_UP: u32 = 1;
const CONNECTIONS: u32 = 8;

pub(super) const JSON: &str = "application/vnd.pypi.simple.v1+json";
pub(super) const HTML: &str = "text/html";

/// A request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    pub what: &'static str,
    /// The page of many files, or the large file of the other project.
    page: bool,
    accept: &'static str,
    encoding: &'static str,
    /// The client has it already.
    known: bool,
}

const PAGE: Load = Load { what: "", page: true, accept: HTML, encoding: "identity", known: false };

pub(super) const LOADS: &[Load] = &[
    Load { what: "page of 500 files, HTML", ..PAGE },
    Load { what: "HTML, gzip", encoding: "gzip", ..PAGE },
    Load { what: "JSON", accept: JSON, ..PAGE },
    Load { what: "JSON, gzip", accept: JSON, encoding: "gzip", ..PAGE },
    Load { what: "JSON, not modified", accept: JSON, known: true, ..PAGE },
    Load { what: "file of 5 MiB", page: false, accept: "*/*", ..PAGE },
];

/// What a request costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Figures {
    /// ms of processor time.
    pub cpu: f64,
    pub requests_a_second: f64,
}

impl Load {
    fn path(&self, server: &Server) -> Result<String> {
        if self.page { Ok(server.page("benchproj")) } else { server.file("bigfile") }
    }

    /// The request's lines, if the server can do what is asked for.
    fn asked(&self, server: &Server, path: &str) -> Result<Option<Vec<String>>> {
        let mut lines = vec![format!("Accept: {}", self.accept), format!("Accept-Encoding: {}", self.encoding)];
        let (head, body) = server.get(path, &text(&lines))?;
        ensure!(head.contains(" 200 "), "{}: `{path}` is answered with\n{head}", server.name);
        let head = head.to_ascii_lowercase();
        let has = |line: &str| head.contains(line);
        let can = (self.encoding == "identity" || has("content-encoding:"))
            && (self.accept != JSON || has("content-type: application/vnd.pypi.simple.v1+json"))
            && (!self.known || has("\netag:"));
        ensure!(self.page || body.len() > 5 * 1024 * 1024, "{}: the file has {} bytes", server.name, body.len());
        if !can {
            return Ok(None);
        }
        if self.known {
            let tag = head.lines().find_map(|line| line.strip_prefix("etag: ")).context("a tag without a value")?;
            lines.push(format!("If-None-Match: {tag}"));
            let (head, _) = server.get(path, &text(&lines))?;
            ensure!(head.contains(" 304 "), "{}: a known page is answered with\n{head}", server.name);
        }
        Ok(Some(lines))
    }

    /// What it costs the server; nothing if that cannot do it.
    pub(super) fn measure(&self, server: &Server, first: bool) -> Result<Option<Figures>> {
        let path = self.path(server)?;
        let Some(lines) = self.asked(server, &path)? else { return Ok(None) };
        if first {
            wrk(server, &path, &lines, WARM_UP)?;
        }
        let before = server.cost()?.cpu;
        let output = wrk(server, &path, &lines, SECONDS)?;
        let used = server.cost()?.cpu.saturating_sub(before);
        // a slow one still answers who has gone: it is waited for
        server.get(&path, &text(&lines))?;
        let (requests, _) = counts(&output).with_context(|| format!("`wrk` printed something else:\n{output}"))?;
        let requests_a_second = requests / f64::from(SECONDS);
        Ok(Some(Figures { cpu: used.as_secs_f64() * 1e3 / requests, requests_a_second }))
    }
}

fn text(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\r\n")).collect()
}

fn wrk(server: &Server, path: &str, lines: &[String], seconds: u32) -> Result<String> {
    let mut command = Command::new("wrk");
    command.args(["-t1", &format!("-c{CONNECTIONS}"), &format!("-d{seconds}s"), "--timeout", "60s"]);
    command.args(lines.iter().flat_map(|line| ["-H", line]));
    process::capture(command.arg(format!("http://{}{path}", server.address)))
}

/// The figures of the round in the middle, by processor time.
pub(super) fn median(mut rounds: Vec<Figures>) -> Option<Figures> {
    rounds.sort_by(|one, other| one.cpu.total_cmp(&other.cpu));
    rounds.get(rounds.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_counts() {
        let figures = |cpu| Figures { cpu, requests_a_second: 1.0 };
        assert_eq!(median([3.0, 1.0, 2.0].map(figures).into()), Some(figures(2.0)));
        assert_eq!(median(Vec::new()), None);
    }
}
