//! File names of distributions: what kind a file is, of which project and version, and for which machines.
//!
//! A [`FileName`] holds only ASCII letters, digits and `._+!~-`, starts with a letter or digit and has at most 255 bytes:
//! it can stand in a path, a URL's path, a header and HTML as it is.

mod legacy;
mod sdist;
mod wheel;

use std::fmt;

pub use wheel::{BuildTag, Tags};

use crate::{BadName, BadVersion, Level, ProjectName, Version};

/// Longest file name in bytes: what Linux's file systems take.
pub const FILE_NAME_MAX: usize = 255;

/// What kind of distribution a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// PEP 427.
    Wheel,
    /// Source: PEP 625 and everything before.
    Sdist,
    /// What setuptools built before wheels.
    Egg,
    /// An installer for Windows by distutils, `.exe`.
    Wininst,
    /// A package for RPM by distutils.
    Rpm,
    /// A copy of an installation by distutils, `foo-1.0.linux-x86_64.tar.gz`.
    Dumb,
    /// An installer for Windows by distutils, `.msi`.
    Msi,
}

/// How a file is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Container {
    /// A zip archive.
    Zip,
    /// A tar archive as it is.
    Tar,
    /// A tar archive packed by gzip.
    TarGz,
    /// A tar archive packed by bzip2.
    TarBz2,
    /// Something that is served but not looked into: its facts are those of its name.
    Opaque,
}

/// The endings of distributions. Longer ones stand before those that they end in.
const SUFFIXES: &[(&str, Kind, Container)] = &[
    (".whl", Kind::Wheel, Container::Zip),
    (".tar.gz", Kind::Sdist, Container::TarGz),
    (".tgz", Kind::Sdist, Container::TarGz),
    (".zip", Kind::Sdist, Container::Zip),
    (".tar.bz2", Kind::Sdist, Container::TarBz2),
    (".tbz", Kind::Sdist, Container::TarBz2),
    (".tar.xz", Kind::Sdist, Container::Opaque),
    (".txz", Kind::Sdist, Container::Opaque),
    (".tar.lzma", Kind::Sdist, Container::Opaque),
    (".tar.Z", Kind::Sdist, Container::Opaque),
    (".tar", Kind::Sdist, Container::Tar),
    (".egg", Kind::Egg, Container::Zip),
    (".exe", Kind::Wininst, Container::Opaque),
    (".rpm", Kind::Rpm, Container::Opaque),
    (".msi", Kind::Msi, Container::Opaque),
];

/// A checked file name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileName {
    text: Box<str>,
    project: ProjectName,
    version: Version,
    kind: Kind,
    container: Container,
    python: Box<str>,
    wheel: Option<wheel::Wheel>,
}

/// Why a file name is none of a distribution.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadFileName {
    /// More than [`FILE_NAME_MAX`] bytes.
    #[error("a file name has more than {FILE_NAME_MAX} bytes")]
    TooLong,
    /// Path separators, control characters, or anything else that is not needed.
    #[error("`{}` has characters that no name of a distribution has; allowed are ASCII letters, digits and `._+!~-`",
        .0.escape_debug())]
    Characters(String),
    /// It ends like no distribution.
    #[error("`{0}` ends like no distribution: use .whl, .tar.gz or .zip")]
    Suffix(String),
    /// It has not the parts that its kind has.
    #[error("`{file}` is no file name of {kind}: those are made of {shape}")]
    Parts {
        /// The file name.
        file: String,
        /// Which kind.
        kind: &'static str,
        /// How such names are made.
        shape: &'static str,
    },
    /// The project's name in it is none.
    #[error("`{file}` names no project: {reason}")]
    Name {
        /// The file name.
        file: String,
        /// What is wrong with the name.
        reason: BadName,
    },
    /// The version in it is none.
    #[error("`{file}` names no version: {reason}")]
    Version {
        /// The file name.
        file: String,
        /// What is wrong with the version.
        reason: BadVersion,
    },
    /// Another project's.
    #[error("start the file name for `{project}` with `{start}`, not `{file}`")]
    OtherProject {
        /// The file name.
        file: String,
        /// Whose file it should be.
        project: String,
        /// How such file names start.
        start: String,
    },
    /// A build tag of a wheel that does not start with digits.
    #[error("`{file}` has the build tag `{tag}`, which does not start with a number")]
    Build {
        /// The file name.
        file: String,
        /// The tag.
        tag: String,
    },
    /// A compatibility tag of a wheel that is empty, or no tag.
    #[error("`{file}` has the compatibility tags `{tags}`, one of which is none")]
    Tags {
        /// The file name.
        file: String,
        /// The tags.
        tags: String,
    },
}

impl FileName {
    /// Reads the name of a file, without folders.
    ///
    /// `project` is whose file it is, if that is known: names of source distributions have no clear end, and `foo-1.0-1.tar.gz`
    /// is `foo` 1.0-1 or `foo-1.0` 1. Without it they end at the last `-`, as PyPA's `packaging` has it.
    ///
    /// # Errors
    /// If it is none of a distribution, or another project's. With [`Level::Strict`] also if its version is not one of
    /// PEP 440. That the name is spelled as new uploads must be is not checked here: that needs the metadata.
    pub fn parse(text: &str, project: Option<&ProjectName>, level: Level) -> Result<FileName, BadFileName> {
        if text.len() > FILE_NAME_MAX {
            return Err(BadFileName::TooLong);
        }
        if !is_harmless(text) {
            return Err(BadFileName::Characters(text.to_owned()));
        }
        let Some((stem, kind, container)) = split_suffix(text) else {
            return Err(BadFileName::Suffix(text.to_owned()));
        };
        let reader = Reader { text, stem, container, project, level };
        let name = match kind {
            Kind::Wheel => wheel::parse(&reader),
            Kind::Sdist if legacy::is_dumb(stem) => legacy::dumb(&reader),
            Kind::Sdist => sdist::parse(&reader),
            Kind::Egg => legacy::egg(&reader),
            Kind::Rpm => legacy::rpm(&reader),
            Kind::Wininst | Kind::Msi => legacy::windows(&reader, kind),
            Kind::Dumb => legacy::dumb(&reader),
        }?;
        match project {
            Some(project) if *project != name.project => Err(reader.other_project(project)),
            _ => Ok(name),
        }
    }

    /// What kind of distribution a file name ends like, however little sense the rest makes; None for none.
    #[must_use]
    pub fn kind_of(text: &str) -> Option<(Kind, Container)> {
        let (stem, kind, container) = split_suffix(text)?;
        match kind {
            Kind::Sdist if legacy::is_dumb(stem) => Some((Kind::Dumb, Container::Opaque)),
            _ => Some((kind, container)),
        }
    }

    /// The name itself.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The project, spelled as in the file name.
    #[must_use]
    pub fn project(&self) -> &ProjectName {
        &self.project
    }

    /// The version, spelled as in the file name.
    #[must_use]
    pub fn version(&self) -> &Version {
        &self.version
    }

    /// What kind of distribution it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// How it is packed.
    #[must_use]
    pub fn container(&self) -> Container {
        self.container
    }

    /// What uploads call `pyversion`: `source`, the Python tags of a wheel (`py2.py3`), `2.5` of an egg, or `any`.
    #[must_use]
    pub fn python(&self) -> &str {
        &self.python
    }

    /// The build tag of a wheel that has one.
    #[must_use]
    pub fn build(&self) -> Option<&BuildTag> {
        self.wheel.as_ref().and_then(|wheel| wheel.build.as_ref())
    }

    /// The compatibility tags of a wheel.
    #[must_use]
    pub fn tags(&self) -> Option<&Tags> {
        self.wheel.as_ref().map(|wheel| &wheel.tags)
    }

    /// The folder of the metadata in a wheel of that name, `foo-1.0.dist-info`, as the file name spells it.
    pub(crate) fn dist_info(&self) -> String {
        let mut parts = self.text.splitn(3, '-');
        let (name, version) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        format!("{name}-{version}.dist-info")
    }
}

/// Has it nothing that means something in a path, a URL, a header or HTML?
pub(crate) fn is_harmless(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._+!~-".contains(&byte);
    text.len() <= FILE_NAME_MAX && text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.bytes().all(plain)
}

/// A file name on its way to be a [`FileName`].
struct Reader<'a> {
    text: &'a str,
    /// Without the ending.
    stem: &'a str,
    container: Container,
    project: Option<&'a ProjectName>,
    level: Level,
}

impl Reader<'_> {
    fn name(&self, text: &str) -> Result<ProjectName, BadFileName> {
        ProjectName::parse(text).map_err(|reason| BadFileName::Name { file: self.text.to_owned(), reason })
    }

    fn version(&self, text: &str) -> Result<Version, BadFileName> {
        let version = match self.level {
            Level::Strict => Version::parse(text),
            Level::Legacy | Level::Lenient => Version::legacy(text),
        };
        version.map_err(|reason| BadFileName::Version { file: self.text.to_owned(), reason })
    }

    /// A version in which `-` had to be written as `_`.
    fn escaped_version(&self, text: &str) -> Result<Version, BadFileName> {
        match Version::parse(text) {
            Ok(version) => Ok(version),
            Err(_) => self.version(&text.replace('_', "-")),
        }
    }

    fn parts(&self, kind: &'static str, shape: &'static str) -> BadFileName {
        BadFileName::Parts { file: self.text.to_owned(), kind, shape }
    }

    fn other_project(&self, project: &ProjectName) -> BadFileName {
        BadFileName::OtherProject { file: self.text.to_owned(), project: project.to_string(), start: project.escaped() }
    }

    fn done(&self, (project, version): (ProjectName, Version), kind: Kind, python: &str) -> FileName {
        FileName {
            text: self.text.into(),
            project,
            version,
            kind,
            container: self.container,
            python: python.into(),
            wheel: None,
        }
    }
}

/// Takes the ending off; case matters, as it does to installers.
fn split_suffix(text: &str) -> Option<(&str, Kind, Container)> {
    SUFFIXES.iter().find_map(|(suffix, kind, container)| Some((text.strip_suffix(suffix)?, *kind, *container)))
}

impl Kind {
    const ALL: [(Kind, &'static str); 7] = [
        (Kind::Wheel, "bdist_wheel"),
        (Kind::Sdist, "sdist"),
        (Kind::Egg, "bdist_egg"),
        (Kind::Wininst, "bdist_wininst"),
        (Kind::Rpm, "bdist_rpm"),
        (Kind::Dumb, "bdist_dumb"),
        (Kind::Msi, "bdist_msi"),
    ];

    /// As uploads name it (`filetype`) and the JSON API does (`packagetype`): `bdist_wheel`, `sdist`, `bdist_egg`, …
    #[must_use]
    pub fn filetype(self) -> &'static str {
        Self::ALL.into_iter().find(|(kind, _)| *kind == self).map_or("sdist", |(_, filetype)| filetype)
    }

    /// The kind that an upload names so; None: no such.
    #[must_use]
    pub fn from_filetype(filetype: &str) -> Option<Kind> {
        Self::ALL.into_iter().find(|(_, name)| *name == filetype).map(|(kind, _)| kind)
    }

    /// Was it given up (PEP 527, PEP 715)? Everything but wheels and sdists.
    #[must_use]
    pub fn is_legacy(self) -> bool {
        !matches!(self, Kind::Wheel | Kind::Sdist)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.filetype())
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests;
