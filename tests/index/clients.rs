//! The clients that people have: pip in all its ages, uv, and what publishes, each with an environment and caches of its
//! own. What they do with an index is in the modules below this one.

mod old;
mod parsers;
mod publish;
mod resolve;
pub(crate) mod tap;
mod tls;

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

/// A program of the environment of those that publish.
pub(crate) fn publisher(name: &str) -> PathBuf {
    let path = venv().with_file_name("venv-publishers").join("bin").join(name);
    assert!(path.exists(), "there is no {}: run `cargo xtask setup`", path.display());
    path
}

/// A program of other people's indexes.
pub(crate) fn peer(name: &str) -> PathBuf {
    let path = venv().with_file_name("venv-peers").join("bin").join(name);
    assert!(path.exists(), "there is no {}: run `cargo xtask setup`", path.display());
    path
}

/// Where the setuptools with the last easy_install lies.
pub(crate) fn easy_install_folder() -> PathBuf {
    venv().join("easy_install")
}

/// The pip of this version.
pub(crate) fn pip(version: &str) -> PathBuf {
    let named = |path: &PathBuf| path.to_string_lossy().contains(&format!("pip-{version}-"));
    pips().into_iter().find(named).unwrap_or_else(|| panic!("there is no pip {version}"))
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
    for authority in ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"] {
        command.env_remove(authority);
    }
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
        let lib = self.path().join("lib").display().to_string();
        self.run_pip(pip, &[&["install", "--quiet", "--no-compile", "--retries", "0", "--target", &lib], args].concat())
    }

    /// pip with these arguments.
    pub(crate) fn run_pip(&self, pip: &Path, args: &[&str]) -> Ran {
        let mut command = Command::new("/usr/bin/python3");
        Ran::of(clean(&mut command, self.path()).current_dir(self.path()).arg(pip.join("pip")).args(args))
    }

    /// The packages, with uv.
    pub(crate) fn uv(&self, args: &[&str]) -> Ran {
        let mut command = Command::new(tool("uv"));
        clean(&mut command, self.path()).args(["pip", "install", "--python", "/usr/bin/python3"]);
        Ran::of(command.args(["--target"]).arg(self.path().join("lib")).args(args))
    }

    /// uv with these arguments, in the folder of the installation.
    pub(crate) fn run_uv(&self, args: &[&str]) -> Ran {
        let mut command = Command::new(tool("uv"));
        Ran::of(clean(&mut command, self.path()).current_dir(self.path()).args(args))
    }

    /// What was installed of a module: its text.
    #[track_caller]
    pub(crate) fn module(&self, name: &str) -> String {
        read(self.path().join("lib").join(format!("{name}.py")))
    }
}
