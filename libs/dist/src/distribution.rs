//! A distribution: everything that an index knows of one file, from its name and its bytes.

mod contents;
mod egg;
mod sdist;
mod wheel;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::archive::source::Source;
use crate::archive::tar;
use crate::archive::zip::Zip;
use crate::level::Findings;
use crate::{
    Container, Digest, Digests, Error, Fault, FileName, Hasher, Kind, Level, Limits, METADATA_MAX, Metadata,
    ProjectName, Version, Wanted,
};

use contents::Contents;
pub use egg::BadEgg;
pub use sdist::BadSdist;
pub use wheel::BadWheel;

/// [`METADATA_MAX`] and one byte more, so that whoever reads the metadata sees that they are longer.
const METADATA_LIMIT: usize = METADATA_MAX + 1;

/// Files up to this length are read into memory at once; that is faster for the many small ones.
const AT_ONCE: u64 = 1 << 20;

/// The facts about one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    /// Its name, kind and tags.
    pub file_name: FileName,
    /// The project, spelled as in the metadata if there are some.
    pub project: ProjectName,
    /// The version, spelled as in the metadata if there are some.
    pub version: Version,
    /// Bytes of the file.
    pub size: u64,
    /// Digests of the file.
    pub digests: Digests,
    /// What METADATA or PKG-INFO says; None if there is none, or the kind of file is not looked into.
    pub metadata: Option<Metadata>,
    /// METADATA or PKG-INFO exactly as in the archive.
    pub metadata_bytes: Option<Vec<u8>>,
    /// What is wrong with it, but not enough to keep it out.
    pub warnings: Vec<Fault>,
}

impl Distribution {
    /// Reads a file of a folder, at [`Level::Lenient`]: all of its bytes for SHA-256, of a wheel only the central directory
    /// and METADATA besides, of a packed tar file all until its end, which half a file does not have. The file's last
    /// component must be valid UTF-8.
    ///
    /// # Errors
    /// If it cannot be read, is no distribution, or says nothing that makes sense. Blocks on the disk.
    pub fn read(path: &Path) -> Result<Distribution, Error> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // before anything is opened: most of what lies around is refused here
        FileName::parse(&name, None, Level::Lenient).map_err(Fault::from)?;
        let file = File::open(path).map_err(Error::Read)?;
        let metadata = file.metadata().map_err(Error::Read)?;
        if !metadata.is_file() {
            return Err(Error::NoFile);
        }
        let length = metadata.len();
        if length > AT_ONCE {
            let digests = hash(&file, length)?;
            let source = Source::File { file: &file, length };
            return Distribution::of(source, &name, digests, Level::Lenient, &Limits::default());
        }
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0) + 1);
        (&file).take(length + 1).read_to_end(&mut bytes).map_err(Error::Read)?;
        if bytes.len() as u64 != length {
            return Err(Error::Changed);
        }
        let digests = Digests::of(&bytes, Wanted::Sha256);
        Distribution::of(Source::Bytes(&bytes), &name, digests, Level::Lenient, &Limits::default())
    }

    /// Reads a file that was hashed already: an upload that was spooled to a file of any name. `name` is the one that the
    /// client gave it. The file's position is not used.
    ///
    /// # Errors
    /// If it cannot be read, or something about it matters at that level. Blocks on the disk.
    pub fn inspect(
        file: &File,
        name: &str,
        digests: Digests,
        level: Level,
        limits: &Limits,
    ) -> Result<Distribution, Error> {
        let length = file.metadata().map_err(Error::Read)?.len();
        Distribution::of(Source::File { file, length }, name, digests, level, limits)
    }

    /// As [`Distribution::inspect`], from memory.
    ///
    /// # Errors
    /// If something about it matters at that level.
    pub fn from_bytes(bytes: &[u8], name: &str, level: Level, limits: &Limits) -> Result<Distribution, Error> {
        Distribution::of(Source::Bytes(bytes), name, Digests::of(bytes, Wanted::All), level, limits)
    }

    /// Only METADATA or PKG-INFO of a file that was read before, exactly as in the archive; None if it has none. No digest of
    /// the file is computed, so that little is read of a wheel, however long it is.
    ///
    /// # Errors
    /// If it cannot be read, or is not what its name says. Blocks on the disk.
    pub fn metadata_of(file: &File, name: &str) -> Result<Option<Vec<u8>>, Error> {
        let length = file.metadata().map_err(Error::Read)?.len();
        let name = FileName::parse(name, None, Level::Lenient).map_err(Fault::from)?;
        let mut findings = Findings::new(Level::Lenient);
        Ok(contents(Source::File { file, length }, &name, &Limits::default(), &mut findings)?.metadata)
    }

    fn of(
        source: Source<'_>,
        name: &str,
        digests: Digests,
        level: Level,
        limits: &Limits,
    ) -> Result<Distribution, Error> {
        let mut findings = Findings::new(level);
        let mut file_name = FileName::parse(name, None, level).map_err(Fault::from)?;
        check_kind(&file_name, level)?;
        let contents = contents(source, &file_name, limits, &mut findings)?;
        if level == Level::Lenient {
            sdist::check_end(source, file_name.container(), limits)?;
        }
        let (mut project, mut version) = (file_name.project().clone(), file_name.version().clone());
        let mut metadata = None;
        if let Some(bytes) = &contents.metadata {
            let read = Metadata::read(bytes, &mut findings)?;
            contents.check_licences(&read, &mut findings)?;
            if let (Ok(said), Ok(said_version)) = (ProjectName::parse(&read.name), Version::legacy(&read.version)) {
                // only the metadata know where a name with a `-` ends
                file_name = FileName::parse(name, Some(&said), level).map_err(Fault::from)?;
                check_version(&file_name, &said_version)?;
                check_spelling(&file_name, &said_version, level)?;
                (project, version) = (said, said_version);
            }
            metadata = Some(read);
        }
        Ok(Distribution {
            file_name,
            project,
            version,
            size: source.len(),
            digests,
            metadata,
            metadata_bytes: contents.metadata,
            warnings: findings.into_warnings(),
        })
    }

    /// The bytes that can be served as the file's core metadata, with their SHA-256 (PEP 658): those of a wheel, and those
    /// of a source distribution if no build changes them. The digest is computed anew each time.
    #[must_use]
    pub fn core_metadata(&self) -> Option<(&[u8], Digest<32>)> {
        let (bytes, metadata) = self.metadata_bytes.as_deref().zip(self.metadata.as_ref())?;
        let served = match self.file_name.kind() {
            Kind::Wheel => true,
            Kind::Sdist => metadata.is_static(),
            _ => false,
        };
        served.then(|| (bytes, Digests::of(bytes, Wanted::Sha256).sha256))
    }

    /// Which versions of Python, as the file itself says.
    #[must_use]
    pub fn requires_python(&self) -> Option<&str> {
        self.metadata.as_ref()?.requires_python.as_deref()
    }
}

/// What is in a file of any kind.
fn contents(source: Source<'_>, name: &FileName, limits: &Limits, findings: &mut Findings) -> Result<Contents, Error> {
    if findings.level() != Level::Lenient {
        check_form(source, name, limits)?;
    }
    match (name.kind(), name.container()) {
        (_, Container::Opaque) => Ok(Contents::default()),
        (Kind::Wheel, _) => wheel::read(source, name, limits, findings),
        (Kind::Egg, _) => egg::read(source, limits, findings),
        _ => sdist::read(source, name, limits, findings),
    }
}

/// It is in no second form that other readers would take it for.
fn check_form(source: Source<'_>, name: &FileName, limits: &Limits) -> Result<(), Error> {
    let is_other = match name.container() {
        Container::Zip => tar::starts(source)?,
        _ => Zip::open(source, limits).is_ok(),
    };
    if is_other { Err(Fault::ZipAndTar.into()) } else { Ok(()) }
}

/// Uploads are what can be checked, and those by tools of today what is still in use.
fn check_kind(name: &FileName, level: Level) -> Result<(), Fault> {
    match level {
        Level::Strict if name.kind().is_legacy() => Err(Fault::Kind(name.kind())),
        Level::Strict | Level::Legacy if name.container() == Container::Opaque => {
            Err(Fault::Opaque(name.text().to_owned()))
        }
        _ => Ok(()),
    }
}

fn check_version(name: &FileName, said: &Version) -> Result<(), Fault> {
    if said == name.version() {
        return Ok(());
    }
    Err(Fault::OtherVersion { file: name.version().to_string(), metadata: said.to_string() })
}

/// New file names are spelled in one way: a source distribution's completely (PEP 625), a wheel's where the project's name
/// is (PEP 427).
fn check_spelling(name: &FileName, version: &Version, level: Level) -> Result<(), Fault> {
    let escaped = name.project().escaped();
    let expected = match name.kind() {
        Kind::Sdist => format!("{escaped}-{}.tar.gz", version.normalized()),
        _ => {
            let rest = name.text().split_once('-').map_or("", |(_, rest)| rest);
            format!("{escaped}-{rest}")
        }
    };
    if level == Level::Strict && name.text() != expected {
        return Err(Fault::Spelling { file: name.text().to_owned(), expected });
    }
    Ok(())
}

/// Reads a long file from its beginning to its end.
fn hash(file: &File, length: u64) -> Result<Digests, Error> {
    let mut hasher = Hasher::new(Wanted::Sha256);
    let mut reader = Source::File { file, length: u64::MAX }.reader(0, u64::MAX);
    let mut buffer = vec![0; 256 << 10];
    loop {
        match reader.read(&mut buffer).map_err(Error::Read)? {
            0 => break,
            count => hasher.update(buffer.get(..count).unwrap_or_default()),
        }
    }
    if hasher.length() == length { Ok(hasher.finish()) } else { Err(Error::Changed) }
}
