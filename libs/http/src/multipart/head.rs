//! The head of a part, and the boundary: parameters as clients write them, not only as they should.

use super::FormError;

/// Bytes of a boundary; RFC 2046 allows 70.
const MAX_BOUNDARY: usize = 256;

/// What a part says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) name: String,
    pub(super) file_name: Option<String>,
    pub(super) content_type: Option<String>,
}

/// The boundary in the value of a request's `Content-Type`.
pub(super) fn boundary(kind: &[u8]) -> Result<Vec<u8>, FormError> {
    let (kind, parameters) = split_once(kind, b';');
    if !kind.trim_ascii().eq_ignore_ascii_case(b"multipart/form-data") {
        return Err(FormError::NotAForm);
    }
    let boundary = Parameters(parameters).find(|(name, _)| name.eq_ignore_ascii_case(b"boundary"));
    let boundary = boundary.map(|(_, value)| value).unwrap_or_default();
    let fits = (1..=MAX_BOUNDARY).contains(&boundary.len()) && !boundary.contains(&b'\r') && !boundary.contains(&b'\n');
    if fits { Ok(boundary) } else { Err(FormError::NoBoundary) }
}

impl Head {
    /// From the lines before the empty one.
    pub(super) fn parse(text: &[u8]) -> Result<Self, FormError> {
        let mut disposition = None;
        let mut content_type = None;
        for line in unfolded(text) {
            let Some(at) = line.iter().position(|&byte| byte == b':') else {
                return Err(FormError::Malformed("a line in the head of a part has no colon"));
            };
            let (name, value) = (line[..at].trim_ascii(), line[at + 1..].trim_ascii());
            if name.eq_ignore_ascii_case(b"content-disposition") {
                disposition.get_or_insert_with(|| value.to_vec());
            } else if name.eq_ignore_ascii_case(b"content-type") {
                content_type.get_or_insert_with(|| String::from_utf8_lossy(value).into_owned());
            } else if name.eq_ignore_ascii_case(b"content-transfer-encoding") {
                check_encoding(value)?;
            }
        }
        let disposition = disposition.ok_or(FormError::Malformed("a part has no `Content-Disposition`"))?;
        let (kind, parameters) = split_once(&disposition, b';');
        if !kind.trim_ascii().eq_ignore_ascii_case(b"form-data") {
            return Err(FormError::Malformed("a part is no `form-data`"));
        }
        let name = parameter(parameters, b"name").ok_or(FormError::Malformed("a part has no name"))?;
        Ok(Self { name, file_name: parameter(parameters, b"filename"), content_type })
    }
}

/// Content is as it is on the wire (RFC 7578, section 4.7); no client encodes it.
fn check_encoding(value: &[u8]) -> Result<(), FormError> {
    let plain: [&[u8]; 3] = [b"7bit", b"8bit", b"binary"];
    match plain.iter().any(|plain| value.eq_ignore_ascii_case(plain)) {
        true => Ok(()),
        false => Err(FormError::Malformed("a part has a `Content-Transfer-Encoding`")),
    }
}

/// Lines, with those that begin with white space added to the ones before.
fn unfolded(text: &[u8]) -> Vec<Vec<u8>> {
    let mut lines: Vec<Vec<u8>> = Vec::new();
    for line in text.split(|&byte| byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match lines.last_mut() {
            Some(former) if line.starts_with(b" ") || line.starts_with(b"\t") => former.extend(line),
            _ if line.is_empty() => {}
            _ => lines.push(line.to_vec()),
        }
    }
    lines
}

/// The value of a parameter, the first if there are several. `NAME*` (RFC 5987) comes before `NAME`.
fn parameter(parameters: &[u8], name: &[u8]) -> Option<String> {
    let extended = Parameters(parameters).find_map(|(key, value)| {
        let key = key.strip_suffix(b"*")?;
        key.eq_ignore_ascii_case(name).then(|| extended(&value)).flatten()
    });
    extended.or_else(|| {
        let (_, value) = Parameters(parameters).find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        Some(unquoted(&value))
    })
}

/// Browsers write `"` and line ends in names as percent sequences, and no others (HTML, section 4.10.21.8).
fn unquoted(value: &[u8]) -> String {
    let mut text = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((&byte, after)) = rest.split_first() {
        let (byte, after) = match after.get(..2) {
            Some(b"22") if byte == b'%' => (b'"', &after[2..]),
            Some(b"0D" | b"0d") if byte == b'%' => (b'\r', &after[2..]),
            Some(b"0A" | b"0a") if byte == b'%' => (b'\n', &after[2..]),
            _ => (byte, after),
        };
        text.push(byte);
        rest = after;
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// `UTF-8''na%C3%AFve.txt`.
fn extended(value: &[u8]) -> Option<String> {
    let mut fields = value.splitn(3, |&byte| byte == b'\'');
    let (charset, _language, text) = (fields.next()?, fields.next()?, fields.next()?);
    let bytes = crate::percent::decode(text);
    if charset.eq_ignore_ascii_case(b"utf-8") {
        Some(String::from_utf8_lossy(&bytes).into_owned())
    } else if charset.eq_ignore_ascii_case(b"iso-8859-1") {
        Some(bytes.iter().map(|&byte| char::from(byte)).collect())
    } else {
        None
    }
}

fn split_once(text: &[u8], at: u8) -> (&[u8], &[u8]) {
    match text.iter().position(|&byte| byte == at) {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, &[]),
    }
}

/// `; name=value; name="value"`, what makes no sense passed over.
struct Parameters<'a>(&'a [u8]);

impl<'a> Iterator for Parameters<'a> {
    type Item = (&'a [u8], Vec<u8>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let start = self.0.iter().position(|byte| !matches!(byte, b';' | b' ' | b'\t'))?;
            let text = &self.0[start..];
            let end = text.iter().position(|byte| matches!(byte, b';' | b'=')).unwrap_or(text.len());
            let name = text[..end].trim_ascii();
            if text.get(end) != Some(&b'=') {
                self.0 = &text[end..];
                continue;
            }
            let text = text[end + 1..].trim_ascii_start();
            let Some(quoted) = text.strip_prefix(b"\"") else {
                let (value, rest) = split_once(text, b';');
                self.0 = rest;
                return Some((name, value.trim_ascii().to_vec()));
            };
            let (value, rest) = quoted_string(quoted)?;
            (_, self.0) = split_once(rest, b';');
            return Some((name, value));
        }
    }
}

/// Up to the closing quote. A backslash protects a quote or a backslash; before anything else it is itself, as in the
/// paths that old browsers send.
fn quoted_string(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut value = Vec::new();
    let mut rest = text;
    loop {
        rest = match rest {
            [] => return None,
            [b'"', rest @ ..] => return Some((value, rest)),
            [b'\\', byte @ (b'"' | b'\\'), rest @ ..] | [byte, rest @ ..] => {
                value.push(*byte);
                rest
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::*;

    #[track_caller]
    fn check_boundary(kind: &str, expected: Option<&str>) {
        let boundary = boundary(kind.as_bytes()).ok().map(|boundary| String::from_utf8(boundary).unwrap());
        assert_eq!(boundary.as_deref(), expected, "{kind}");
    }

    #[test]
    fn boundaries() {
        check_boundary("multipart/form-data; boundary=abc", Some("abc"));
        check_boundary("Multipart/Form-Data ;charset=utf-8; BOUNDARY = abc ; x=y", Some("abc"));
        check_boundary("multipart/form-data; boundary=\"a b;c\"", Some("a b;c"));
        check_boundary("multipart/form-data; boundary===abc==", Some("==abc=="));
        check_boundary("multipart/form-data; boundary=\"\"; boundary=abc", None);
        for kind in [
            "multipart/form-data",
            "multipart/form-data; boundary",
            "multipart/form-data; boundary=",
            "multipart/form-data; boundary=\"abc",
            "multipart/mixed; boundary=abc",
            "application/x-www-form-urlencoded",
        ] {
            check_boundary(kind, None);
        }
        check_boundary(&format!("multipart/form-data; boundary={}", "x".repeat(256)), Some(&"x".repeat(256)));
        check_boundary(&format!("multipart/form-data; boundary={}", "x".repeat(257)), None);
    }

    #[track_caller]
    fn check(disposition: &str, name: &str, file_name: Option<&str>) {
        let head = Head::parse(format!("Content-Disposition: {disposition}").as_bytes()).unwrap();
        assert_eq!((&*head.name, head.file_name.as_deref()), (name, file_name), "{disposition}");
    }

    #[test]
    fn names() {
        check(r#"form-data; name="content"; filename="a.whl""#, "content", Some("a.whl"));
        check("form-data;name=content;filename=a.whl", "content", Some("a.whl"));
        check("FORM-DATA ; Name = \"a\" ; x ; filename = \"b\"", "a", Some("b"));
        check(r#"form-data; filename="a;name=x"; name="y""#, "y", Some("a;name=x"));
        check(r#"form-data; name="a\"b\\c"; filename="C:\dir\a.txt""#, r#"a"b\c"#, Some(r"C:\dir\a.txt"));
        check(r#"form-data; name="a%22b%0D%0a%41""#, "a\"b\r\n%41", None);
        check("form-data; name=\"naïve\"; filename=\"日本.whl\"", "naïve", Some("日本.whl"));
        check("form-data; name=a; filename=\"x\"; filename*=utf-8''na%C3%AFve", "a", Some("naïve"));
        check("form-data; name=a; filename*=iso-8859-1'en'na%EFve", "a", Some("naïve"));
        check("form-data; name=a; filename*=koi8-r''x; filename=y", "a", Some("y"));
        check("form-data; name=a; filename*=x; filename=", "a", Some(""));
        check(r#"form-data; name="a"; name="b""#, "a", None);
        check("form-data; name=\"\"", "", None);
        check("form-data;\r\n\tname=\"a\";\n filename=\"b\"", "a", Some("b"));
    }

    #[test]
    fn other_lines() {
        let head = b"content-type : text/plain\r\nX-Y: z\nCONTENT-DISPOSITION:form-data; name=a\r\n\
            Content-Transfer-Encoding: binary";
        let expected = Head { name: "a".into(), file_name: None, content_type: Some("text/plain".into()) };
        assert_eq!(Head::parse(head).unwrap(), expected);
    }

    #[test]
    fn refused() {
        for (head, why) in [
            ("", "no `Content-Disposition`"),
            ("nonsense", "no colon"),
            ("Content-Disposition: form-data", "no name"),
            ("Content-Disposition: form-data; filename=a", "no name"),
            ("Content-Disposition: form-data; name=\"a", "no name"),
            ("Content-Disposition: attachment; name=a", "no `form-data`"),
            ("Content-Disposition: form-data; name=a\nContent-Transfer-Encoding: base64", "Encoding"),
        ] {
            let error = Head::parse(head.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(why), "{head}: {error}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(bytes in any::<Vec<u8>>(), text in "[a\"\\\\=;* '%2\r\n:-]{0,60}") {
            for bytes in [&bytes[..], text.as_bytes()] {
                let _ = Head::parse(bytes);
                let _ = Head::parse(&[b"Content-Disposition: form-data; name=", bytes].concat());
                let _ = boundary(&[b"multipart/form-data; boundary=", bytes].concat());
            }
        }
    }
}
