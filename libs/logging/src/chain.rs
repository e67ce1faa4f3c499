//! An error with everything that led to it, on one line.

use std::error::Error;
use std::fmt;

/// Displays `error` and its sources as `a: b: c`.
///
/// A source whose text the error before it has at its end already (some libraries do that) is not said twice.
pub fn chain<'a>(error: &'a (dyn Error + 'a)) -> impl fmt::Display + fmt::Debug + 'a {
    Chain(error)
}

#[derive(Debug)]
struct Chain<'a>(&'a (dyn Error + 'a));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = self.0.to_string();
        f.write_str(&said)?;
        let mut next = self.0.source();
        while let Some(source) = next {
            let text = source.to_string();
            if !said.ends_with(&text) {
                write!(f, ": {text}")?;
                said = text;
            }
            next = source.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Link(&'static str, Option<Box<Link>>);

    impl fmt::Display for Link {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Link {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref().map(|link| link as _)
        }
    }

    fn check(links: &[&'static str], expected: &str) {
        let error = links.iter().rev().fold(None, |source, text| Some(Box::new(Link(text, source)))).unwrap();
        assert_eq!(chain(&error).to_string(), expected);
    }

    #[test]
    fn every_link_is_said_once() {
        check(&["a"], "a");
        check(
            &["failed to start", "failed to open `x`", "no such file"],
            "failed to start: failed to open `x`: no such file",
        );
        check(&["failed to open: no such file", "no such file"], "failed to open: no such file");
        check(&["a: b: c", "b: c", "c"], "a: b: c");
        check(&["a", "b", "a"], "a: b: a");
    }
}
