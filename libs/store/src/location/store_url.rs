//! Which store of blobs: a word or a URL, and the keys to it.

use std::fmt;
use std::str::FromStr;

use url::Url;

use super::BadUrl;

/// Which store of blobs: `folder`, or `s3://bucket/prefix?endpoint=https://…&region=…&style=virtual`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum StoreUrl {
    /// A folder per service in the data folder.
    #[default]
    Folder,
    /// A prefix per service in a bucket.
    S3(S3Url),
}

/// A bucket of an S3-compatible store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Url {
    /// The bucket. It has to exist.
    pub bucket: String,
    /// In front of every key, without a `/` at either end; may be empty.
    pub prefix: String,
    /// `https://host:port` of the server; without one it is Amazon's in `region`.
    pub endpoint: Option<String>,
    /// `us-east-1` without one.
    pub region: Option<String>,
    /// Whether the bucket is part of the host name, instead of the first part of the path.
    pub virtual_hosted: bool,
}

/// What proves to an S3 store who we are.
#[derive(Clone, PartialEq, Eq)]
pub struct S3Keys {
    /// Names the account.
    pub access_key: String,
    /// Proves it.
    pub secret_key: String,
}

impl fmt::Debug for S3Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Keys").field("access_key", &self.access_key).finish_non_exhaustive()
    }
}

impl FromStr for StoreUrl {
    type Err = BadUrl;

    fn from_str(text: &str) -> Result<Self, BadUrl> {
        if text == "folder" {
            return Ok(Self::Folder);
        }
        if !text.starts_with("s3://") {
            return bad("a store is `folder` or a URL `s3://bucket/prefix?endpoint=…`");
        }
        let Ok(url) = text.parse::<Url>() else { return bad("the store URL cannot be read") };
        if !url.username().is_empty() || url.password().is_some() || url.port().is_some() || url.fragment().is_some() {
            return bad("a store URL has a bucket, a prefix and parameters, and nothing else; keys stand beside it");
        }
        let bucket = url.host_str().filter(|bucket| is_bucket(bucket));
        let Some(bucket) = bucket else { return bad("a bucket is named by 3 to 63 letters, digits, `-` and `.`") };
        let prefix = url.path().trim_matches('/');
        if !prefix.is_empty() && prefix.split('/').any(|part| !crate::blobs::is_key_part(part)) {
            return bad("the prefix of a store is made of letters, digits and `-_.+!@=,()`, with `/` between");
        }
        let (bucket, prefix) = (bucket.to_owned(), prefix.to_owned());
        let mut store = S3Url { bucket, prefix, endpoint: None, region: None, virtual_hosted: false };
        for (key, value) in url.query_pairs() {
            match (key.as_ref(), value.as_ref()) {
                ("endpoint", value) => store.endpoint = Some(endpoint(value)?),
                ("region", value) => store.region = Some(value.to_owned()),
                ("style", "path") => store.virtual_hosted = false,
                ("style", "virtual") => store.virtual_hosted = true,
                ("style", _) => return bad("the style of a store is `path` or `virtual`"),
                (key, _) => {
                    return bad(format!(
                        "a store URL has no parameter `{}`; there are `endpoint`, `region`, `style`",
                        key.escape_debug()
                    ));
                }
            }
        }
        Ok(Self::S3(store))
    }
}

fn bad<T>(why: impl Into<String>) -> Result<T, BadUrl> {
    Err(BadUrl(why.into()))
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
fn is_bucket(name: &str) -> bool {
    let fit = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'.';
    (3..=63).contains(&name.len()) && name.bytes().all(fit)
}

fn endpoint(text: &str) -> Result<String, BadUrl> {
    let url = text.parse::<Url>().ok().filter(|url| {
        let plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
        matches!(url.scheme(), "http" | "https") && url.host().is_some() && url.path() == "/" && plain
    });
    match url {
        Some(url) => Ok(url.as_str().trim_end_matches('/').to_owned()),
        None => bad("the endpoint of a store is `https://host` or `https://host:port`"),
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder => f.write_str("folder"),
            Self::S3(store) => store.fmt(f),
        }
    }
}

impl fmt::Display for S3Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bucket, prefix, endpoint, region, virtual_hosted } = self;
        write!(f, "s3://{bucket}")?;
        if !prefix.is_empty() {
            write!(f, "/{prefix}")?;
        }
        let parameters = [
            ("endpoint", endpoint.as_deref()),
            ("region", region.as_deref()),
            ("style", virtual_hosted.then_some("virtual")),
        ];
        let given = parameters.iter().filter_map(|(key, value)| Some((key, (*value)?)));
        for (number, (key, value)) in given.enumerate() {
            write!(f, "{}{key}={value}", if number == 0 { '?' } else { '&' })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, shown: Result<&str, &str>) {
        let found = text.parse::<StoreUrl>();
        match (&found, shown) {
            (Ok(url), Ok(shown)) => {
                assert_eq!(url.to_string(), shown);
                assert_eq!(url.to_string().parse().as_ref(), Ok(url));
            }
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            _ => panic!("{text}: {found:?}"),
        }
        assert!(!format!("{found:?}").contains("hunter2"), "{found:?}");
    }

    #[test]
    fn stores() {
        check("folder", Ok("folder"));
        check("s3://bucket", Ok("s3://bucket"));
        check("s3://bucket/a/b/", Ok("s3://bucket/a/b"));
        check("s3://bucket?endpoint=http://127.0.0.1:9000/", Ok("s3://bucket?endpoint=http://127.0.0.1:9000"));
        check(
            "s3://bucket/x?region=eu-1&style=virtual&endpoint=https%3A%2F%2Fs3.example.org",
            Ok("s3://bucket/x?endpoint=https://s3.example.org&region=eu-1&style=virtual"),
        );
        check("/srv/blobs", Err("`folder` or a URL"));
        check("s3://AB", Err("bucket"));
        check("s3://key:hunter2@bucket", Err("keys stand beside it"));
        check("s3://bucket?endpoint=https://u:hunter2@h", Err("endpoint"));
        check("s3://bucket?endpoint=ftp://h", Err("endpoint"));
        check("s3://bucket?secret=hunter2", Err("no parameter `secret`"));
        check("s3://bucket?style=hidden", Err("`path` or `virtual`"));
        check("s3://bucket/a%20b", Err("prefix"));
        check("s3://bucket/.incoming", Err("prefix"));
    }

    #[test]
    fn keys_are_not_shown() {
        let keys = S3Keys { access_key: "AKIA".into(), secret_key: "hunter2".into() };
        assert_eq!(format!("{keys:?}"), "S3Keys { access_key: \"AKIA\", .. }");
    }
}
