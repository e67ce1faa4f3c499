//! What comes with an upload besides its bytes: headers `X-Flvio-…`, a query, the fields of a form, the metadata of a
//! resumable upload. All have the same words.

use http::HeaderMap;

/// Before the words, in headers.
const PREFIX: &str = "x-flvio-";
/// Characters of a title or a file's name.
const TEXT_MAX: usize = 300;

/// What is wished. `None` is what the account's configuration, or the item, says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Wishes {
    /// What the file is called where it comes from.
    pub(crate) filename: Option<String>,
    pub(crate) title: Option<String>,
    /// Name of a profile.
    pub(crate) profile: Option<String>,
    /// Pixels of the shorter side, at most.
    pub(crate) size: Option<u32>,
    /// Whether results are shown as soon as they are there.
    pub(crate) publish: Option<bool>,
    /// -10 to 10: what is urgent comes first, among an account's own.
    pub(crate) priority: Option<i64>,
}

/// Why a wish is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadWish {
    /// A word that nobody knows.
    #[error("`{word}` is no option of an upload; there are filename, title, profile, size, publish and priority")]
    Unknown { word: String },
    /// A value that cannot be.
    #[error("`{word}`: {expected} is expected, not `{value}`")]
    Value { word: &'static str, value: String, expected: &'static str },
}

impl Wishes {
    /// Takes the headers of a request.
    ///
    /// # Errors
    /// [`BadWish`].
    pub(crate) fn headers(mut self, headers: &HeaderMap) -> Result<Wishes, BadWish> {
        for (name, value) in headers {
            if let Some(word) = name.as_str().strip_prefix(PREFIX) {
                let unreadable = BadWish::Value { word: "filename", value: "…".to_owned(), expected: "UTF-8" };
                self.set(word, std::str::from_utf8(value.as_bytes()).map_err(|_| unreadable)?)?;
            }
        }
        Ok(self)
    }

    /// Takes pairs of words and values; those of others are left to them.
    ///
    /// # Errors
    /// [`BadWish`].
    pub(crate) fn pairs<'a>(mut self, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Wishes, BadWish> {
        for (word, value) in pairs {
            if WORDS.contains(&word) && !value.is_empty() {
                self.set(word, value)?;
            }
        }
        Ok(self)
    }

    /// Whether it is a word of these.
    pub(crate) fn knows(word: &str) -> bool {
        WORDS.contains(&word)
    }

    /// Takes one.
    ///
    /// # Errors
    /// [`BadWish`].
    pub(crate) fn set(&mut self, word: &str, value: &str) -> Result<(), BadWish> {
        let value = value.trim();
        let bad = |word, expected| BadWish::Value { word, value: value.chars().take(80).collect(), expected };
        match word {
            "filename" => self.filename = Some(last_part(&text(value).ok_or(bad("filename", "a line of text"))?)),
            "title" => self.title = Some(text(value).ok_or(bad("title", "a line of text"))?),
            "profile" => self.profile = Some(value.to_owned()),
            "size" => {
                let size = value.parse().ok().filter(|size| (16..=4320).contains(size));
                self.size = Some(size.ok_or(bad("size", "16 to 4320 pixels"))?);
            }
            "publish" | "published" => self.publish = Some(yes(value).ok_or(bad("publish", "yes or no"))?),
            "priority" => {
                let priority = value.parse().ok().filter(|priority| (-10..=10).contains(priority));
                self.priority = Some(priority.ok_or(bad("priority", "-10 to 10"))?);
            }
            _ => return Err(BadWish::Unknown { word: word.chars().take(40).collect() }),
        }
        Ok(())
    }
}

const WORDS: &[&str] = &["filename", "title", "profile", "size", "publish", "published", "priority"];

/// A line without control characters.
fn text(value: &str) -> Option<String> {
    let fits = value.chars().count() <= TEXT_MAX && !value.chars().any(char::is_control);
    fits.then(|| value.to_owned())
}

/// Browsers of old send whole paths.
fn last_part(name: &str) -> String {
    name.rsplit(['/', '\\']).next().unwrap_or_default().to_owned()
}

fn yes(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "yes" | "true" | "1" | "on" => Some(true),
        "no" | "false" | "0" | "off" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn check(headers: &[(&'static str, &'static str)], expected: Result<Wishes, &str>) {
        let map = headers.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        let found = Wishes::default().headers(&map.collect());
        match (found, expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected),
            (Err(error), Err(said)) => assert!(error.to_string().contains(said), "{error}"),
            (found, expected) => panic!("{found:?} {expected:?}"),
        }
    }

    #[test]
    fn headers() {
        let all = [
            ("x-flvio-filename", "C:\\Movies\\my_video.mpg"),
            ("x-flvio-title", "A party"),
            ("x-flvio-profile", "plain"),
            ("x-flvio-size", "360"),
            ("x-flvio-publish", "no"),
            ("x-flvio-priority", "-3"),
            ("x-other", "?"),
        ];
        let expected = Wishes {
            filename: Some("my_video.mpg".into()),
            title: Some("A party".into()),
            profile: Some("plain".into()),
            size: Some(360),
            publish: Some(false),
            priority: Some(-3),
        };
        check(&all, Ok(expected));
        check(&[("x-flvio-colour", "red")], Err("`colour` is no option"));
        check(&[("x-flvio-size", "1")], Err("16 to 4320 pixels"));
        check(&[("x-flvio-publish", "perhaps")], Err("yes or no"));
        check(&[("x-flvio-priority", "11")], Err("-10 to 10"));
        check(&[("x-flvio-title", "a\tb")], Err("a line of text"));
    }

    #[test]
    fn pairs() {
        let found = Wishes::default().pairs([("title", "x"), ("page", "2"), ("profile", "")]).unwrap();
        assert_eq!(found, Wishes { title: Some("x".into()), ..Wishes::default() });
    }
}
