//! Packages to install: small wheels, source distributions and eggs, made here byte by byte with what Python has, so
//! that no build tool has a say in what is in them.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::{Ran, program};

/// Makes `args[1]/args[2]` from the fields in the other arguments.
const MAKE: &str = r##"
import base64, gzip, hashlib, io, json, sys, tarfile, zipfile
path, spec = sys.argv[1], json.loads(sys.argv[2])
name, version, kind = spec["name"], spec["version"], spec["kind"]
flat = name.replace("-", "_").replace(".", "_").lower()
meta = f"Metadata-Version: {spec['metadata_version']}\nName: {name}\nVersion: {version}\n"
meta += f"Summary: {spec['summary']}\n" if spec["summary"] else ""
meta += f"Requires-Python: {spec['python']}\n" if spec["python"] else ""
meta += "".join(f"Requires-Dist: {need}\n" for need in spec["needs"])
module = f"version = {version!r}\n" + "#" * spec["padding"] + "\n"
if kind == "whl":
    info = f"{flat}-{version}.dist-info"
    files = {
        f"{flat}.py": module,
        f"{info}/METADATA": meta,
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\nTag: py2-none-any\n",
    }
    digest = lambda text: base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
    record = "".join(f"{path},sha256={digest(text)},{len(text)}\n" for path, text in files.items())
    files[f"{info}/RECORD"] = record + f"{info}/RECORD,,\n"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file, text in files.items(): archive.writestr(zipfile.ZipInfo(file, (2026, 1, 1, 0, 0, 0)), text)
elif kind == "tar.gz":
    top = f"{flat}-{version}"
    setup = f"from setuptools import setup\nsetup(name={name!r}, version={version!r}, py_modules=[{flat!r}])\n"
    files = {"PKG-INFO": meta, "setup.py": setup, f"{flat}.py": module}
    with open(path, "wb") as raw, gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed, \
         tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for file, text in files.items():
            member = tarfile.TarInfo(f"{top}/{file}"); member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
elif kind == "egg":
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("EGG-INFO/PKG-INFO", meta)
        archive.writestr("EGG-INFO/zip-safe", "\n")
        archive.writestr("EGG-INFO/top_level.txt", flat + "\n")
        archive.writestr(f"{flat}.py", module)
"##;

/// A package to be made.
#[derive(Debug, Clone)]
pub(crate) struct Package {
    name: String,
    version: String,
    kind: &'static str,
    metadata_version: &'static str,
    summary: String,
    python: String,
    needs: Vec<String>,
    padding: usize,
}

impl Package {
    /// A wheel for every Python.
    pub(crate) fn wheel(name: &str, version: &str) -> Package {
        Package {
            name: name.to_owned(),
            version: version.to_owned(),
            kind: "whl",
            metadata_version: "2.1",
            summary: String::new(),
            python: String::new(),
            needs: Vec::new(),
            padding: 0,
        }
    }

    /// A source distribution.
    pub(crate) fn sdist(name: &str, version: &str) -> Package {
        Package { kind: "tar.gz", ..Package::wheel(name, version) }
    }

    /// An egg for Python 2.7.
    pub(crate) fn egg(name: &str, version: &str) -> Package {
        Package { kind: "egg", metadata_version: "1.0", ..Package::wheel(name, version) }
    }

    /// With `Requires-Dist`.
    pub(crate) fn needs(mut self, need: &str) -> Package {
        self.needs.push(need.to_owned());
        self
    }

    /// With `Requires-Python`.
    pub(crate) fn python(self, python: &str) -> Package {
        Package { python: python.to_owned(), ..self }
    }

    /// With `Summary`.
    pub(crate) fn summary(self, summary: &str) -> Package {
        Package { summary: summary.to_owned(), ..self }
    }

    /// With so many bytes of comment, so that its content is another one.
    pub(crate) fn padding(self, padding: usize) -> Package {
        Package { padding, ..self }
    }

    /// Its file name.
    pub(crate) fn filename(&self) -> String {
        let flat = self.name.replace(['-', '.'], "_").to_lowercase();
        let Package { version, kind, .. } = self;
        match *kind {
            "whl" => format!("{flat}-{version}-py2.py3-none-any.whl"),
            "egg" => format!("{flat}-{version}-py2.7.egg"),
            _ => format!("{flat}-{version}.tar.gz"),
        }
    }

    /// Makes it in `folder`; returns its path.
    #[track_caller]
    pub(crate) fn make(&self, folder: &Path) -> PathBuf {
        std::fs::create_dir_all(folder).unwrap();
        let path = folder.join(self.filename());
        self.make_at(&path);
        path
    }

    /// Makes it at `path`, whatever that is called.
    #[track_caller]
    pub(crate) fn make_at(&self, path: &Path) {
        let list = |texts: &[String]| texts.iter().map(|text| json(text)).collect::<Vec<_>>().join(", ");
        let Package { name, version, kind, metadata_version, summary, python, needs, padding } = self;
        let spec = format!(
            "{{\"name\": {}, \"version\": {}, \"kind\": \"{kind}\", \"metadata_version\": \"{metadata_version}\", \
             \"summary\": {}, \"python\": {}, \"needs\": [{}], \"padding\": {padding}}}",
            json(name),
            json(version),
            json(summary),
            json(python),
            list(needs)
        );
        Ran::of(Command::new(program("python3", "python3")).args(["-c", MAKE]).arg(path).arg(spec)).ok();
    }
}

fn json(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
