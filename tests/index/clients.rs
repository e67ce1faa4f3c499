//! The installers: pip in all its ages, and uv, each with an environment and caches of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::{Ran, read};

/// Where `cargo xtask setup` puts Python packages, wherever cargo builds.
fn venv() -> PathBuf {
    let venv = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("target").join("venv");
    assert!(venv.join("bin/uv").exists(), "there is no {}/bin/uv: run `cargo xtask setup`", venv.display());
    venv
}

/// A program of the tests' Python environment.
pub(crate) fn tool(name: &str) -> PathBuf {
    venv().join("bin").join(name)
}

/// The versions of pip that are tried.
pub(crate) fn pips() -> Vec<PathBuf> {
    let mut wheels: Vec<_> =
        std::fs::read_dir(venv().join("pips")).unwrap().map(|entry| entry.unwrap().path()).collect();
    wheels.sort();
    assert!(wheels.len() >= 7, "{wheels:?}");
    wheels
}

/// The newest of them.
pub(crate) fn newest_pip() -> PathBuf {
    pips().pop().unwrap()
}

/// `command` without what the machine has set for Python tools, with `home` for all that they keep.
pub(crate) fn clean<'a>(command: &'a mut Command, home: &Path) -> &'a mut Command {
    let ours = |name: &str| {
        ["PIP_", "UV_", "TWINE_", "PYTHON", "POETRY_", "HATCH_", "FLIT_"].iter().any(|start| name.starts_with(start))
    };
    for (name, _) in std::env::vars().filter(|(name, _)| ours(name)) {
        command.env_remove(name);
    }
    let nothing = home.join("nothing");
    std::fs::write(&nothing, "").unwrap();
    command.env("HOME", home).env("XDG_CACHE_HOME", home.join("cache")).env("XDG_CONFIG_HOME", home.join("config"));
    command.env("PIP_CONFIG_FILE", nothing).env("PIP_DISABLE_PIP_VERSION_CHECK", "1").env("PIP_NO_INPUT", "1");
    command.env("UV_NO_CONFIG", "1").env("UV_CACHE_DIR", home.join("uv")).env("UV_PYTHON_DOWNLOADS", "never");
    command.env("UV_HTTP_TIMEOUT", "60").env("UV_HTTP_RETRIES", "0").env("NO_COLOR", "1");
    for proxy in ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        command.env_remove(proxy);
    }
    command
}

/// An installation in a folder of its own.
pub(crate) struct Install {
    dir: tempfile::TempDir,
}

impl Install {
    pub(crate) fn new() -> Install {
        Install { dir: tempfile::Builder::new().prefix("opsctl-install-").tempdir().unwrap() }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The packages, with the pip in the wheel `pip`.
    pub(crate) fn pip(&self, pip: &Path, args: &[&str]) -> Ran {
        let mut command = Command::new("/usr/bin/python3");
        clean(&mut command, self.path()).arg(pip.join("pip")).args([
            "install",
            "--quiet",
            "--no-compile",
            "--retries",
            "0",
        ]);
        Ran::of(command.args(["--target"]).arg(self.path().join("lib")).args(args))
    }

    /// The packages, with uv.
    pub(crate) fn uv(&self, args: &[&str]) -> Ran {
        let mut command = Command::new(tool("uv"));
        clean(&mut command, self.path()).args(["pip", "install", "--python", "/usr/bin/python3"]);
        Ran::of(command.args(["--target"]).arg(self.path().join("lib")).args(args))
    }

    /// What was installed of a module: its text.
    #[track_caller]
    pub(crate) fn module(&self, name: &str) -> String {
        read(self.path().join("lib").join(format!("{name}.py")))
    }
}
