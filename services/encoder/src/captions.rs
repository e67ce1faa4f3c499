//! Captions that come beside an item: WebVTT (W3C, section 4), and the languages that they are in (BCP 47).
//!
//! They are checked, not changed: what is stored is what came. Cue texts are a matter of the players, which read them as
//! text.

use std::fmt;
use std::str::FromStr;

/// Bytes of a file.
pub(crate) const LARGEST: usize = 2 << 20;

/// A language: `en`, `pt-br`. In small letters, as case makes no difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Language(String);

/// Why a text is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a language is a tag like `en` or `pt-BR`")]
pub(crate) struct BadLanguage;

impl Language {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Language {
    type Err = BadLanguage;

    fn from_str(text: &str) -> Result<Language, BadLanguage> {
        let mut parts = text.split('-');
        let first = parts.next().unwrap_or_default();
        let is_language = (2..=8).contains(&first.len()) && first.bytes().all(|byte| byte.is_ascii_alphabetic());
        let is_part =
            |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
        match is_language && parts.all(is_part) && text.len() <= 35 {
            true => Ok(Language(text.to_ascii_lowercase())),
            false => Err(BadLanguage),
        }
    }
}

/// What is wrong with a file, and in which line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub(crate) struct BadCaptions {
    pub(crate) line: usize,
    pub(crate) what: What,
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum What {
    #[error("the text is not UTF-8")]
    Utf8,
    #[error("a WebVTT file begins with `WEBVTT`")]
    Magic,
    #[error("a blank line is expected after the header")]
    Header,
    #[error("a line with the times of a cue is expected, `00:01.000 --> 00:02.500`")]
    Times,
    #[error("a time is `MM:SS.mmm` or `HH:MM:SS.mmm`")]
    Time,
    #[error("a cue ends after it starts")]
    Order,
    #[error("`-->` cannot be part of a cue's text; a blank line ends a cue")]
    Arrow,
    #[error("there is a NUL character")]
    Nul,
}

/// Checks a file; returns how many cues it has.
///
/// # Errors
/// The first thing that is wrong.
pub(crate) fn check(bytes: &[u8]) -> Result<usize, BadCaptions> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
        BadCaptions { line: good.iter().filter(|byte| **byte == b'\n').count() + 1, what: What::Utf8 }
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n").replace('\r', "\n");
    let mut lines = text.split('\n').enumerate().map(|(index, line)| (index + 1, line));
    let bad = |line, what| Err(BadCaptions { line, what });
    if let Some((index, _)) = text.split('\n').enumerate().find(|(_, line)| line.contains('\0')) {
        return bad(index + 1, What::Nul);
    }
    let (_, first) = lines.next().unwrap_or((1, ""));
    match first.strip_prefix("WEBVTT") {
        Some(rest) if rest.is_empty() || rest.starts_with([' ', '\t']) => {}
        _ => return bad(1, What::Magic),
    }
    for (line, text) in lines.by_ref() {
        match text {
            "" => break,
            text if text.contains("-->") => return bad(line, What::Header),
            _ => {}
        }
    }
    let mut cues = 0;
    while let Some((line, text)) = lines.next() {
        if text.is_empty() {
            continue;
        }
        let is_block =
            |word: &str| text.strip_prefix(word).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']));
        if is_block("NOTE") || is_block("STYLE") || is_block("REGION") {
            block(&mut lines, What::Arrow)?;
            continue;
        }
        let (line, times) = match text.contains("-->") {
            true => (line, text),
            // what the cue is called stands before its times
            false => {
                lines.next().filter(|(_, next)| next.contains("-->")).ok_or(BadCaptions { line, what: What::Times })?
            }
        };
        span(times).map_err(|what| BadCaptions { line, what })?;
        block(&mut lines, What::Arrow)?;
        cues += 1;
    }
    Ok(cues)
}

/// Passes the lines up to a blank one.
fn block<'a>(lines: &mut impl Iterator<Item = (usize, &'a str)>, arrow: What) -> Result<(), BadCaptions> {
    for (line, text) in lines {
        if text.is_empty() {
            break;
        }
        if text.contains("-->") {
            return Err(BadCaptions { line, what: arrow });
        }
    }
    Ok(())
}

/// `start --> end settings`.
fn span(times: &str) -> Result<(), What> {
    let (start, rest) = times.split_once("-->").ok_or(What::Times)?;
    let end = rest.split_whitespace().next().ok_or(What::Time)?;
    match (time(start.trim())?, time(end)?) {
        (start, end) if start < end => Ok(()),
        _ => Err(What::Order),
    }
}

/// In milliseconds.
fn time(text: &str) -> Result<u64, What> {
    let digits = |text: &str, least: usize, most: usize| {
        let fits = (least..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u64>().ok().filter(|_| fits)
    };
    let (whole, millis) = text.split_once('.').ok_or(What::Time)?;
    let parts: Vec<&str> = whole.split(':').collect();
    let (hours, minutes, seconds) = match *parts.as_slice() {
        [minutes, seconds] => (Some(0), digits(minutes, 2, 2), digits(seconds, 2, 2)),
        [hours, minutes, seconds] => (digits(hours, 2, 6), digits(minutes, 2, 2), digits(seconds, 2, 2)),
        _ => return Err(What::Time),
    };
    match (hours, minutes, seconds, digits(millis, 3, 3)) {
        (Some(hours), Some(minutes @ 0..=59), Some(seconds @ 0..=59), Some(millis)) => {
            Ok(((hours * 60 + minutes) * 60 + seconds) * 1000 + millis)
        }
        _ => Err(What::Time),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cues(text: &str, expected: Result<usize, (usize, What)>) {
        assert_eq!(check(text.as_bytes()), expected.map_err(|(line, what)| BadCaptions { line, what }), "{text}");
    }

    #[test]
    fn files() {
        cues("WEBVTT", Ok(0));
        cues("\u{feff}WEBVTT - subtitles\nKind: captions\n\n00:01.000 --> 00:02.500\nHello\n", Ok(1));
        cues("WEBVTT\r\n\r\n1\r\n00:00:01.000 --> 100:00:02.500 align:start line:0\r\nA\r\nB\r\n\r\n", Ok(1));
        let all = "WEBVTT\n\nSTYLE\n::cue { color: red }\n\nNOTE\nwritten by hand\n\n00:01.000 --> 00:02.000\n\n\n00:03.000 --> 00:04.000\nx";
        cues(all, Ok(2));
        cues("", Err((1, What::Magic)));
        cues("WEBVTT2\n\n", Err((1, What::Magic)));
        cues("1\n00:00:01,000 --> 00:00:02,000\nsubrip", Err((1, What::Magic)));
        cues("WEBVTT\n00:01.000 --> 00:02.000\nx", Err((2, What::Header)));
        cues("WEBVTT\n\nhello\n", Err((3, What::Times)));
        cues("WEBVTT\n\n00:01,000 --> 00:02,000\nx", Err((3, What::Time)));
        cues("WEBVTT\n\n00:61.000 --> 00:62.000\nx", Err((3, What::Time)));
        cues("WEBVTT\n\n1:00.000 --> 2:00.000\nx", Err((3, What::Time)));
        cues("WEBVTT\n\n00:01.000 -->", Err((3, What::Time)));
        cues("WEBVTT\n\na\n00:02.000 --> 00:02.000\nx", Err((4, What::Order)));
        cues("WEBVTT\n\n00:01.000 --> 00:02.000\nx\n00:03.000 --> 00:04.000", Err((5, What::Arrow)));
        cues("WEBVTT\n\n00:01.000 --> 00:02.000\n\0", Err((4, What::Nul)));
        assert_eq!(check(b"WEBVTT\n\nNOTE\n\xff").unwrap_err(), BadCaptions { line: 4, what: What::Utf8 });
    }

    #[test]
    fn languages() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(text.parse::<Language>().ok().as_ref().map(Language::as_str), expected, "{text}");
        };
        check("en", Some("en"));
        check("pt-BR", Some("pt-br"));
        check("zh-Hant-TW", Some("zh-hant-tw"));
        check("e", None);
        check("english_us", None);
        check("en-", None);
        check("../x", None);
        check("", None);
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(bytes in any::<Vec<u8>>(), text in "WEBVTT(\n|[0-9:.>a -])*") {
            let _ = check(&bytes);
            let _ = check(text.as_bytes());
        }
    }
}
