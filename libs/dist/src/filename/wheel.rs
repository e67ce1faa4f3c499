//! Names of wheels: `{name}-{version}(-{build})?-{python}-{abi}-{platform}.whl` (PEP 427, tags PEP 425).

use super::{BadFileName, FileName, Kind, Reader};
use crate::Level;

/// The compatibility tags of a wheel, compressed as they stand in its name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Tags {
    python: Box<str>,
    abi: Box<str>,
    platform: Box<str>,
}

/// What tells two builds of one version apart. None sorts before all.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BuildTag {
    /// The digits in front.
    pub number: u64,
    /// What follows.
    pub suffix: Box<str>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wheel {
    pub(super) build: Option<BuildTag>,
    pub(super) tags: Tags,
}

impl Tags {
    /// The interpreters, `py2` and `py3` of `py2.py3-none-any`.
    pub fn python(&self) -> impl Iterator<Item = &str> {
        self.python.split('.')
    }

    /// The binary interfaces; `none` for pure Python.
    pub fn abi(&self) -> impl Iterator<Item = &str> {
        self.abi.split('.')
    }

    /// The platforms; `any` for all.
    pub fn platform(&self) -> impl Iterator<Item = &str> {
        self.platform.split('.')
    }

    /// Each combination by itself, `py2-none-any` and `py3-none-any`, as WHEEL lists them.
    #[must_use]
    pub fn expanded(&self) -> Vec<String> {
        let mut tags = Vec::new();
        for python in self.python() {
            for abi in self.abi() {
                tags.extend(self.platform().map(|platform| format!("{python}-{abi}-{platform}")));
            }
        }
        tags
    }
}

impl std::fmt::Display for Tags {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Tags { python, abi, platform } = self;
        write!(f, "{python}-{abi}-{platform}")
    }
}

pub(super) fn parse(reader: &Reader<'_>) -> Result<FileName, BadFileName> {
    let parts: Vec<_> = reader.stem.split('-').collect();
    let (name, version, build, [python, abi, platform]) = match parts[..] {
        [name, version, python, abi, platform] => (name, version, None, [python, abi, platform]),
        [name, version, build, python, abi, platform] => (name, version, Some(build), [python, abi, platform]),
        _ => return Err(reader.parts("a wheel", "name-version(-build)-python-abi-platform.whl")),
    };
    if name.contains("__") {
        return Err(reader.parts("a wheel", "a name without `__` and the other parts"));
    }
    let project = reader.name(name)?;
    let version = match reader.level {
        Level::Strict => reader.version(version)?,
        Level::Legacy | Level::Lenient => reader.escaped_version(version)?,
    };
    let build = build.map(|tag| build_tag(reader, tag)).transpose()?;
    let tags = Tags { python: python.into(), abi: abi.into(), platform: platform.into() };
    if !is_valid(&tags) {
        return Err(BadFileName::Tags { file: reader.text.to_owned(), tags: tags.to_string() });
    }
    let done = reader.done((project, version), Kind::Wheel, python);
    Ok(FileName { wheel: Some(Wheel { build, tags }), ..done })
}

fn build_tag(reader: &Reader<'_>, tag: &str) -> Result<BuildTag, BadFileName> {
    let end = tag.find(|c: char| !c.is_ascii_digit()).unwrap_or(tag.len());
    let (digits, suffix) = tag.split_at(end);
    match digits.parse() {
        Ok(number) => Ok(BuildTag { number, suffix: suffix.into() }),
        Err(_) => Err(BadFileName::Build { file: reader.text.to_owned(), tag: tag.to_owned() }),
    }
}

fn is_valid(tags: &Tags) -> bool {
    let word = |tag: &str| !tag.is_empty() && tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let identifier = |tag: &str| word(tag) && !tag.starts_with(|c: char| c.is_ascii_digit());
    tags.python().all(identifier) && tags.abi().all(word) && tags.platform().all(word)
}
