//! Against a model that looks at the whole body, one byte after the other, however the body is cut up.

use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};

use super::*;

const BOUNDARY: &[u8] = b"bound";

type Parts = Vec<(String, Vec<u8>)>;

/// What comes out when `body` goes in in pieces of these lengths, the last one repeated.
fn parse(body: &[u8], lengths: &[usize]) -> Result<Parts, String> {
    let mut parser = Parser::new(BOUNDARY, 1000);
    let mut parts = Parts::new();
    let mut open = false;
    let mut rest = body;
    let mut lengths = lengths.iter().chain(std::iter::repeat(lengths.last().unwrap_or(&1)));
    loop {
        match parser.next().map_err(|error| error.to_string())? {
            Some(Event::Head(head)) => {
                assert!(!std::mem::replace(&mut open, true));
                parts.push((head.name, Vec::new()));
            }
            Some(Event::Data(data)) => {
                assert!(open && !data.is_empty());
                parts.last_mut().unwrap().1.extend(data);
            }
            Some(Event::PartEnd) => assert!(std::mem::replace(&mut open, false)),
            Some(Event::End) => {
                assert!(!open && rest.is_empty());
                return Ok(parts);
            }
            None if rest.is_empty() => parser.finish(),
            None => {
                let (piece, after) = rest.split_at((*lengths.next().unwrap()).clamp(1, rest.len()));
                parser.feed(Bytes::copy_from_slice(piece));
                rest = after;
            }
        }
    }
}

/// The same, in the plainest way.
fn model(body: &[u8]) -> Option<Parts> {
    let (mut at, mut mode) = (0, None);
    // the first delimiter
    let mut after = loop {
        let begins = at == 0 || body[at - 1] == b'\n';
        if let Some(after) = delimiter(body, at, None).filter(|_| begins) {
            break after;
        }
        at += 1;
        if at >= body.len() {
            return None;
        }
    };
    let mut parts = Parts::new();
    while let Some((start, crlf)) = after {
        mode = mode.or(Some(crlf));
        let line_end: &[u8] = if crlf { b"\r\n" } else { b"\n" };
        let mut end = start;
        let content = loop {
            match body.get(end..)? {
                [b'\n', ..] if end == start || body[end - 1] == b'\n' => break end + 1,
                [b'\r', b'\n', ..] if end == start || body[end - 1] == b'\n' => break end + 2,
                [] => return None,
                _ => end += 1,
            }
        };
        let head = Head::parse(&body[start..end]).ok()?;
        let mut at = content;
        after = loop {
            let begins = at == content || body[content..at].ends_with(line_end);
            if let Some(found) = delimiter(body, at, mode).filter(|_| begins) {
                let length = if at == content { 0 } else { at - content - line_end.len() };
                parts.push((head.name, body[content..content + length].to_vec()));
                break found;
            }
            at += 1;
            if at >= body.len() {
                return None;
            }
        };
    }
    Some(parts)
}

/// What follows the delimiter at `at`: where the next part begins and whether after CR LF, or that it was the last.
fn delimiter(body: &[u8], at: usize, mode: Option<bool>) -> Option<Option<(usize, bool)>> {
    let rest = body[at..].strip_prefix(b"--")?.strip_prefix(BOUNDARY)?;
    if rest.starts_with(b"--") {
        return Some(None);
    }
    let blanks = rest.iter().take_while(|byte| **byte == b' ' || **byte == b'\t').count();
    let after = at + 2 + BOUNDARY.len() + blanks;
    let found = match &rest[blanks..] {
        [b'\n', ..] => (after + 1, false),
        [b'\r', b'\n', ..] => (after + 2, true),
        _ => return None,
    };
    (blanks <= MAX_PADDING && mode.is_none_or(|mode| mode == found.1)).then_some(Some(found))
}

#[track_caller]
fn check(body: &str, expected: &[(&str, &str)]) {
    let expected: Parts = expected.iter().map(|(name, text)| (name.to_string(), text.as_bytes().to_vec())).collect();
    assert_eq!(model(body.as_bytes()).as_ref(), Some(&expected), "the model: {body:?}");
    for length in 1..=body.len() {
        assert_eq!(parse(body.as_bytes(), &[length]).as_ref(), Ok(&expected), "{length}: {body:?}");
    }
}

#[track_caller]
fn check_error(body: &str, expected: &str) {
    for length in 1..=body.len().max(1) {
        let error = parse(body.as_bytes(), &[length]).unwrap_err();
        assert!(error.contains(expected), "{length}: {body:?}: {error}");
    }
}

const A: &str = "Content-Disposition: form-data; name=a";
const B: &str = "Content-Disposition: form-data; name=b";

#[test]
fn both_line_ends() {
    for end in ["\r\n", "\n"] {
        let form = |text: &str| text.replace('|', end);
        check(&form(&format!("--bound|{A}||one|--bound|{B}||two||--bound--|")), &[("a", "one"), ("b", &form("two|"))]);
        check(&form(&format!("|--bound|{A}||one|--bound--")), &[("a", "one")]);
        check(
            &form(&format!("preamble|--bound |{A}||one|--bound\t |{B}|||--bound--epilogue")),
            &[("a", "one"), ("b", "")],
        );
        check(&form(&format!("--bound|{A}||--bound|{B}||--bound--|")), &[("a", ""), ("b", "")]);
        check(&form("--bound--|"), &[]);
        check(&form("|--bound--"), &[]);
    }
}

#[test]
fn content_that_looks_like_a_delimiter() {
    for text in [
        "--bound",
        "x--bound--",
        "\r\n--boun",
        "\r\n--boundx",
        "\r\n--bound-",
        "\r\n--bound -",
        "\n--bound\n",
        "\n--bound--\n",
        "\r\n--bound\n",
        "\r\n--bound\rx",
        "\r\n-- bound--",
        "\r--bound--",
        "\r\r\n\r",
        "\r",
        "\n",
        "-",
        "\r\n--\r\n--bounb",
    ] {
        // a line may not begin so right away
        let text = format!("x{text}x");
        check(&format!("--bound\r\n{A}\r\n\r\n{text}\r\n--bound--\r\n"), &[("a", &text)]);
    }
    for text in ["x\r", "x\n", "\r\n--bound\r", "x\n--boundx", "\n--bound\r\n", "\n\n"] {
        let text = format!("x{text}");
        check(&format!("--bound\n{A}\n\n{text}\n--bound--\n"), &[("a", &text)]);
    }
    let padded = format!("x\r\n--bound{}\r\n", " ".repeat(MAX_PADDING + 1));
    check(&format!("--bound\r\n{A}\r\n\r\n{padded}\r\n--bound--\r\n"), &[("a", &padded)]);
}

#[test]
fn cut_off() {
    let whole = format!("--bound\r\n{A}\r\n\r\none\r\n--bound--");
    for length in 0..whole.len() {
        check_error(&whole[..length], "cut off");
    }
}

#[test]
fn without_end() {
    let long = "x".repeat(1001);
    check_error(&long, "longer than 1000 bytes");
    check_error(&format!("--bound\r\n{A}\r\nx: {long}\r\n\r\n\r\n--bound--"), "longer than 1000 bytes");
    check_error(&format!("--bound\r\n{}", "x:\r\n".repeat(260)), "longer than 1000 bytes");
    check_error("--bound\r\n\r\ntext\r\n--bound--", "no `Content-Disposition`");
}

#[test]
fn large_content_is_not_copied() {
    let mut parser = Parser::new(BOUNDARY, 1000);
    parser.feed(Bytes::from(format!("--bound\r\n{A}\r\n\r\n")));
    assert!(matches!(parser.next(), Ok(Some(Event::Head(_)))));
    let piece = Bytes::from(vec![b'x'; 100_000]);
    for _ in 0..3 {
        parser.feed(piece.clone());
        let Ok(Some(Event::Data(data))) = parser.next() else { panic!("no data") };
        assert_eq!(data.as_ptr(), piece.as_ptr());
        assert!(parser.next().unwrap().is_none());
    }
}

/// Content made of what delimiters are made of.
fn tricky() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(&b"\r\n"[..]),
        Just(&b"\n"[..]),
        Just(&b"\r"[..]),
        Just(&b"--"[..]),
        Just(&b"-"[..]),
        Just(&b"bound"[..]),
        Just(&b"--bound"[..]),
        Just(&b"\r\n--bound"[..]),
        Just(&b"\n--bound"[..]),
        Just(&b" "[..]),
        Just(&b"x"[..]),
        Just(&b"Content-Disposition: form-data; name=a\r\n\r\n"[..]),
        Just(&b"Content-Disposition: form-data; name=b\n\n"[..]),
    ];
    proptest::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn agrees_with_the_model(body in tricky(), lengths in proptest::collection::vec(1usize..20, 1..10)) {
        assert_eq!(parse(&body, &lengths).ok(), model(&body), "{:?}", String::from_utf8_lossy(&body));
    }

    #[test]
    fn agrees_with_the_model_within(
        body in tricky(), crlf in any::<bool>(), lengths in proptest::collection::vec(1usize..20, 1..10),
    ) {
        let end = if crlf { "\r\n" } else { "\n" };
        let body = [format!("--bound{end}{A}{end}{end}").as_bytes(), &body, end.as_bytes(), b"--bound--"].concat();
        assert_eq!(parse(&body, &lengths).ok(), model(&body), "{:?}", String::from_utf8_lossy(&body));
    }

    #[test]
    fn what_is_sent_arrives(
        contents in proptest::collection::vec(any::<Vec<u8>>(), 0..5), crlf in any::<bool>(),
        lengths in proptest::collection::vec(1usize..300, 1..10),
    ) {
        let end: &[u8] = if crlf { b"\r\n" } else { b"\n" };
        let mut body = Vec::new();
        for content in &contents {
            body.extend([b"--bound", end, A.as_bytes(), end, end, content, end].concat());
        }
        body.extend(b"--bound--");
        let expected: Parts = contents.into_iter().map(|content| ("a".to_owned(), content)).collect();
        assert_eq!(parse(&body, &lengths), Ok(expected));
    }
}
