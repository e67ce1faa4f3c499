//! What a client says of the file that it uploads, and whether the file says the same (legacy upload API).
//!
//! The form is a claim. Nothing of it is kept that the file can tell by itself.

use std::str::FromStr;

use crate::{Digest, Distribution, Fault, Kind, ProjectName, Version};

/// The fields of an upload's form that the file can be held against. Empty and None are the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Claim<'a> {
    /// `name`.
    pub name: &'a str,
    /// `version`.
    pub version: &'a str,
    /// `filetype`: `bdist_wheel`, `sdist`, …
    pub filetype: &'a str,
    /// `pyversion`; some clients leave it out for source distributions.
    pub pyversion: Option<&'a str>,
    /// `md5_digest`, hexadecimal.
    pub md5_digest: Option<&'a str>,
    /// `sha256_digest`, hexadecimal.
    pub sha256_digest: Option<&'a str>,
    /// `blake2_256_digest`, hexadecimal.
    pub blake2_256_digest: Option<&'a str>,
}

/// Where file and form contradict each other, in the words of the public index where it has some.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Disagreement {
    /// `filetype` is none that there is.
    #[error("`{}` is an unknown file type: use a known file type", .0.escape_debug())]
    UnknownType(String),
    /// `filetype` is not what the file name says.
    #[error("invalid file extension: `{file}` is invalid for filetype `{filetype}`")]
    Type {
        /// The file name.
        file: String,
        /// The form's.
        filetype: Kind,
    },
    /// The form names another project, or none.
    #[error("the form is for project `{}`, the file for `{file}`", .form.escape_debug())]
    Project {
        /// In the form.
        form: String,
        /// In the file.
        file: String,
    },
    /// The form names another version, or none.
    #[error("the form is for version `{}`, the file for `{file}`", .form.escape_debug())]
    Version {
        /// In the form.
        form: String,
        /// In the file.
        file: String,
    },
    /// `pyversion` of a source distribution.
    #[error("use `source` as Python version for an sdist, not `{}`", .0.escape_debug())]
    Python(String),
    /// No digest at all.
    #[error("include at least one message digest")]
    NoDigest,
    /// A digest that is none.
    #[error("use a valid, hex-encoded, {0} message digest")]
    BadDigest(&'static str),
    /// Bytes got lost or changed on their way.
    #[error("the digest supplied does not match a digest calculated from the uploaded file")]
    Digest,
}

impl Distribution {
    /// Is this the file that the form speaks of? Names are compared normalised, versions by PEP 440, and all digests that
    /// were given; those that were not computed count as wrong.
    ///
    /// # Errors
    /// The first contradiction.
    pub fn agrees_with(&self, claim: &Claim<'_>) -> Result<(), Fault> {
        Ok(self.compare(claim)?)
    }

    fn compare(&self, claim: &Claim<'_>) -> Result<(), Disagreement> {
        let Claim { name, version, filetype, pyversion, md5_digest, sha256_digest, blake2_256_digest } = *claim;
        let kind = Kind::from_filetype(filetype).ok_or_else(|| Disagreement::UnknownType(filetype.to_owned()))?;
        if kind != self.file_name.kind() {
            return Err(Disagreement::Type { file: self.file_name.to_string(), filetype: kind });
        }
        if ProjectName::parse(name).ok().as_ref() != Some(&self.project) {
            return Err(Disagreement::Project { form: name.to_owned(), file: self.project.to_string() });
        }
        if Version::legacy(version).ok().as_ref() != Some(&self.version) {
            return Err(Disagreement::Version { form: version.to_owned(), file: self.version.to_string() });
        }
        let python = given(pyversion);
        if let Some(python) = python.filter(|python| kind == Kind::Sdist && *python != "source") {
            return Err(Disagreement::Python(python.to_owned()));
        }
        let compared = [
            same("MD5", given(md5_digest), self.digests.md5)?,
            same("SHA256", given(sha256_digest), Some(self.digests.sha256))?,
            same("BLAKE2", given(blake2_256_digest), self.digests.blake2b_256)?,
        ];
        if compared.contains(&true) { Ok(()) } else { Err(Disagreement::NoDigest) }
    }
}

fn given(field: Option<&str>) -> Option<&str> {
    field.map(str::trim).filter(|text| !text.is_empty())
}

/// Whether there was one to compare.
fn same<const N: usize>(
    algorithm: &'static str,
    claimed: Option<&str>,
    computed: Option<Digest<N>>,
) -> Result<bool, Disagreement> {
    let Some(text) = claimed else { return Ok(false) };
    let claimed = Digest::from_str(text).map_err(|_| Disagreement::BadDigest(algorithm))?;
    if computed == Some(claimed) { Ok(true) } else { Err(Disagreement::Digest) }
}
