//! Messages that are shown once, on the next page: "saved", after the redirect that follows a form.
//!
//! They wait in a signed cookie, so that any node can show them and nobody else can make them up.

use serde::{Deserialize, Serialize};

use crate::Key;

/// Longest message in bytes.
const MAX_TEXT: usize = 600;
/// Longest value of the cookie in bytes: a browser keeps 4096 with name and attributes.
const MAX_COOKIE: usize = 3800;

/// How a message, a badge or a note is meant; its word is a class of the style sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tone {
    /// It worked.
    Ok,
    /// By the way.
    Info,
    /// Look at this.
    Degraded,
    /// It did not work.
    Failed,
}

/// A message for the next page that is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Flash {
    pub(crate) tone: Tone,
    pub(crate) text: String,
}

impl Flash {
    pub(crate) fn new(tone: Tone, text: &str) -> Self {
        let mut text = text.replace(|c: char| c.is_control(), " ");
        if text.len() > MAX_TEXT {
            text.truncate(text.floor_char_boundary(MAX_TEXT));
            text.push('…');
        }
        Self { tone, text }
    }
}

/// The cookie's value: the newest messages, as many as fit.
pub(crate) fn write(key: &Key, messages: &[Flash]) -> Option<String> {
    let newest = (0..messages.len()).filter_map(|first| messages.get(first..));
    newest.filter_map(|some| Some(key.seal(&serde_json::to_vec(some).ok()?))).find(|value| value.len() <= MAX_COOKIE)
}

/// The messages in a cookie; none in one that is not ours.
pub(crate) fn read(key: &Key, value: &str) -> Vec<Flash> {
    key.open(value).and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let key = Key::new([1; 32]);
        let messages: Vec<_> =
            ["a", "b", "\" <é>\n\0", &"ä".repeat(1000)].map(|text| Flash::new(Tone::Ok, text)).into();
        let cookie = write(&key, &messages).unwrap();
        assert_eq!(read(&key, &cookie), messages);
        assert_eq!(read(&Key::new([2; 32]), &cookie), []);
        assert_eq!(read(&key, "nonsense"), []);
        assert_eq!(messages[2].text, "\" <é>  ");
        assert_eq!(messages[3].text.chars().count(), 301);
        assert_eq!(write(&key, &[]), None);
    }

    #[test]
    fn a_browser_keeps_the_newest() {
        let key = Key::new([1; 32]);
        let messages: Vec<_> =
            (0..20).map(|n| Flash::new(Tone::Degraded, &format!("{n}{}", "\"".repeat(1000)))).collect();
        let cookie = write(&key, &messages).unwrap();
        assert!(cookie.len() <= MAX_COOKIE);
        let kept = read(&key, &cookie);
        assert!(!kept.is_empty());
        assert!(messages.ends_with(&kept));
    }
}
