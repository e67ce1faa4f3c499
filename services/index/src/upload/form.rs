//! What a form says of a file. Nothing of it is served: it is compared with the file, and a difference refuses both.

use opsctl_dist::Claim;

use super::Error;

/// What `:action` means an upload.
const UPLOAD: &str = "file_upload";
const REGISTER: &str = "Project pre-registration is no longer required or supported, upload your files instead.";
const DOCUMENTATION: &str = "Uploading documentation is no longer supported.";

/// The fields that say something about the file; others repeat what is in its metadata.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Claims {
    name: String,
    version: String,
    filetype: String,
    pyversion: Option<String>,
    md5: Option<String>,
    sha256: Option<String>,
    blake2_256: Option<String>,
    /// A JSON array (PEP 740).
    pub(crate) attestations: Option<String>,
}

impl Claims {
    /// Reads the fields; `action` is that of the URL's query, which comes before the form's.
    ///
    /// # Errors
    /// The form is for something else, or a field is not what it has to be.
    pub(crate) fn read(fields: &[(String, String)], action: Option<&str>) -> Result<Claims, Error> {
        // some tools send what they do not know as UNKNOWN; of a field that is repeated the first counts
        let field = |name: &str| {
            let value = fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.trim());
            value.filter(|value| !value.is_empty() && *value != "UNKNOWN")
        };
        match action.or_else(|| field(":action")) {
            Some(UPLOAD) => {}
            Some("submit" | "submit_pkg_info") => return Err(Error::Gone(REGISTER)),
            Some("doc_upload") => return Err(Error::Gone(DOCUMENTATION)),
            Some(_) => return Err(Error::Field("Unknown :action; an upload says file_upload.".to_owned())),
            None => return Err(Error::Field("The field :action is missing; an upload says file_upload.".to_owned())),
        }
        if field("protocol_version").or_else(|| field("protcol_version")).is_some_and(|version| version != "1") {
            return Err(Error::Field("Unknown protocol version.".to_owned()));
        }
        let text = |name: &str| field(name).map(ToOwned::to_owned);
        Ok(Claims {
            name: text("name").unwrap_or_default(),
            version: text("version").unwrap_or_default(),
            filetype: text("filetype").unwrap_or_default(),
            pyversion: text("pyversion"),
            md5: text("md5_digest"),
            sha256: text("sha256_digest"),
            blake2_256: text("blake2_256_digest"),
            attestations: text("attestations"),
        })
    }

    /// What the file can be held against.
    pub(crate) fn claim(&self) -> Claim<'_> {
        Claim {
            name: &self.name,
            version: &self.version,
            filetype: &self.filetype,
            pyversion: self.pyversion.as_deref(),
            md5_digest: self.md5.as_deref(),
            sha256_digest: self.sha256.as_deref(),
            blake2_256_digest: self.blake2_256.as_deref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn check(pairs: &[(&str, &str)], action: Option<&str>, said: &str) {
        let read = Claims::read(&fields(pairs), action);
        let error = read.as_ref().err().map(ToString::to_string).unwrap_or_default();
        assert!(error.contains(said) && error.is_empty() == said.is_empty(), "{pairs:?}: {error}");
    }

    #[test]
    fn what_is_an_upload() {
        check(&[(":action", "file_upload")], None, "");
        check(&[(":action", "file_upload"), ("protocol_version", "1"), ("filetype", "bdist_wheel")], None, "");
        check(&[(":action", "file_upload"), ("protcol_version", "1")], None, "");
        check(&[], Some("file_upload"), "");
        check(&[(":action", "submit")], None, "pre-registration");
        check(&[(":action", "file_upload")], Some("submit"), "pre-registration");
        check(&[(":action", "doc_upload")], None, "documentation");
        check(&[(":action", "browse")], None, "Unknown :action");
        check(&[("name", "a")], None, ":action is missing");
        check(&[(":action", "file_upload"), ("protocol_version", "2")], None, "protocol version");
    }

    #[test]
    fn unknown_is_nothing() {
        let pairs = [(":action", "file_upload"), ("name", " a "), ("version", "UNKNOWN"), ("name", "b")];
        let claims = Claims::read(&fields(&pairs), None).unwrap();
        assert_eq!((claims.claim().name, claims.claim().version), ("a", ""));
    }
}
