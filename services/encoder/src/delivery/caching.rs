//! What browsers and shared caches may keep, and for how long.

use std::time::Duration;

use http::HeaderValue;

/// `Cache-Control` of what is delivered.
#[derive(Debug, Clone)]
pub(crate) struct Caching {
    public: HeaderValue,
    /// Seconds for browsers.
    age: u64,
}

impl Caching {
    /// For browsers, and for caches that others share if they may keep it for another time (RFC 9111, section 5.2.2.10).
    pub(crate) fn new(age: Duration, shared: Option<Duration>) -> Caching {
        let public = match (age.as_secs(), shared) {
            (0, None) => "public, no-cache".to_owned(),
            (age, None) => format!("public, max-age={age}"),
            (age, Some(shared)) => format!("public, max-age={age}, s-maxage={}", shared.as_secs()),
        };
        Caching { public: value(public), age: age.as_secs() }
    }

    /// Of what everybody may see.
    pub(crate) fn public(&self) -> HeaderValue {
        self.public.clone()
    }

    /// Of what is good for `left` seconds more. A cache that does not check signatures must not have it.
    pub(crate) fn signed(&self, left: u64) -> HeaderValue {
        value(format!("private, max-age={}", self.age.min(left)))
    }

    /// Of what is its owner's.
    pub(crate) fn private() -> HeaderValue {
        HeaderValue::from_static("private, no-cache")
    }
}

/// ASCII: it cannot fail.
fn value(text: String) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or_else(|_| Caching::private())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives() {
        let caching =
            |age, shared: Option<u64>| Caching::new(Duration::from_secs(age), shared.map(Duration::from_secs));
        assert_eq!(caching(300, None).public(), "public, max-age=300");
        assert_eq!(caching(300, Some(86400)).public(), "public, max-age=300, s-maxage=86400");
        assert_eq!(caching(0, None).public(), "public, no-cache");
        assert_eq!(caching(0, Some(60)).public(), "public, max-age=0, s-maxage=60");
        assert_eq!(caching(300, None).signed(20), "private, max-age=20");
        assert_eq!(caching(300, Some(9)).signed(9000), "private, max-age=300");
    }
}
