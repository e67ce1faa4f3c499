//! Forms as clients send them, old and new, good and bad.

use std::fmt::Write;

use axum::Router;
use axum::body::Body;
use axum::routing::post;
use http::HeaderMap;
use opsctl_http::{Form, FormLimits, HttpError, Limits};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::{Server, in_time, rest};

/// Of Python 2.7's distutils.
const BOUNDARY: &str = "--------------GHSKFJDLGDS7543FJKLFHRE75642756743254";

/// Says what it got: for a file its length, its first and its last byte.
async fn describe(headers: HeaderMap, body: Body, limits: FormLimits) -> Result<String, HttpError> {
    let mut form = Form::new(&headers, body, limits)?;
    let mut said = String::new();
    while let Some(mut part) = form.next_part().await? {
        let (name, kind) = (part.name().to_owned(), part.content_type().unwrap_or("-").to_owned());
        if name == "ignored" {
            continue;
        }
        match part.file_name().map(str::to_owned) {
            Some(file) => {
                let mut bytes = Vec::new();
                while let Some(chunk) = part.chunk().await? {
                    assert!(!chunk.is_empty());
                    bytes.extend(chunk);
                }
                let ends = (bytes.first(), bytes.last());
                writeln!(said, "{name}: {file}, {kind}, {} bytes, {ends:?}", bytes.len()).unwrap();
            }
            None => writeln!(said, "{name}={:?}", part.text().await?).unwrap(),
        }
    }
    Ok(said)
}

fn router(limits: FormLimits) -> Router {
    let handler = move |headers: HeaderMap, body: Body| describe(headers, body, limits.clone());
    Router::new().route("/", post(handler))
}

/// The answer to a form: its status line, and its body.
async fn post_form(limits: FormLimits, kind: &str, body: &[u8]) -> (String, String) {
    let server = Server::start("127.0.0.1:0", router(limits), Limits::default());
    let mut stream = in_time(TcpStream::connect(server.address())).await.unwrap();
    let length = body.len();
    let head = format!(
        "POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\naccept: text/plain\r\n\
         content-type: {kind}\r\ncontent-length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    // in pieces that end anywhere
    for piece in body.chunks(977) {
        stream.write_all(piece).await.unwrap();
        stream.flush().await.unwrap();
        tokio::task::yield_now().await;
    }
    let answer = rest(&mut stream).await;
    server.done().await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.lines().next().unwrap().to_owned(), body.to_owned())
}

async fn check(kind: &str, body: &[u8], expected: &str) {
    let (status, said) = post_form(FormLimits::total(10_000_000), kind, body).await;
    assert_eq!((&*status, &*said), ("HTTP/1.1 200 OK", expected), "{kind}");
}

/// `setup.py upload`: an egg in the middle, before what it needs, without a media type, the name of a field misspelt.
#[tokio::test]
async fn setup_py_upload() {
    let egg = [b"PK\x03\x04".as_slice(), &b"\r\n\x00\n--\r".repeat(9_000), b"\r"].concat();
    let mut body = Vec::new();
    let mut field = |head: &str, value: &[u8]| {
        body.extend(format!("\r\n--{BOUNDARY}\r\nContent-Disposition: form-data; {head}\r\n\r\n").as_bytes());
        body.extend(value);
        if value.ends_with(b"\r") {
            body.push(b'\n');
        }
    };
    field("name=\"comment\"", b"");
    field("name=\"metadata_version\"", b"1.0");
    field("name=\"filetype\"", b"bdist_egg");
    field("name=\"content\";filename=\"demo-1.0-py2.7.egg\"", &egg);
    field("name=\"protcol_version\"", b"1");
    field("name=\"md5_digest\"", b"0cc175b9c0f1b6a831c399e269772661");
    field("name=\":action\"", b"file_upload");
    field("name=\"classifiers\"", b"A :: B");
    field("name=\"classifiers\"", "Ä :: C".as_bytes());
    body.extend(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    let expected = format!(
        "comment=\"\"\nmetadata_version=\"1.0\"\nfiletype=\"bdist_egg\"\n\
         content: demo-1.0-py2.7.egg, -, {} bytes, (Some(80), Some(10))\n\
         protcol_version=\"1\"\nmd5_digest=\"0cc175b9c0f1b6a831c399e269772661\"\n:action=\"file_upload\"\n\
         classifiers=\"A :: B\"\nclassifiers=\"Ä :: C\"\n",
        egg.len() + 1,
    );
    check(&format!("multipart/form-data; boundary={BOUNDARY}"), &body, &expected).await;
}

/// `setup.py register`: lines end in LF alone.
#[tokio::test]
async fn setup_py_register() {
    let mut body = String::new();
    for (name, value) in [("name", "demo"), ("version", "1.0"), ("description", "one\n\ntwo\r"), (":action", "submit")]
    {
        write!(body, "\n--{BOUNDARY}\nContent-Disposition: form-data; name=\"{name}\"\n\n{value}").unwrap();
        body.push_str(if value.ends_with('\r') { "\n" } else { "" });
    }
    write!(body, "\n--{BOUNDARY}--\n").unwrap();
    let expected = "name=\"demo\"\nversion=\"1.0\"\ndescription=\"one\\n\\ntwo\\r\\n\"\n:action=\"submit\"\n";
    check(&format!("multipart/form-data; boundary={BOUNDARY}; charset=utf-8"), body.as_bytes(), expected).await;
}

/// twine: fields first, names of files as RFC 5987 has them if they are not in ASCII.
#[tokio::test]
async fn twine_upload() {
    let boundary = "8a1c2f0e5d3b4a69b7c8d9e0f1a2b3c4";
    let wheel = vec![b'w'; 300_000];
    let mut body = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\":action\"\r\n\r\nfile_upload\r\n\
         --{boundary}\r\nContent-Disposition: form-data; name=\"content\"; filename*=utf-8''d%C3%A9mo-1.0-py3-none-any.whl\
         \r\nContent-Type: application/octet-stream\r\n\r\n"
    )
    .into_bytes();
    body.extend(&wheel);
    body.extend(format!("\r\n--{boundary}--\r\n").as_bytes());
    let expected = ":action=\"file_upload\"\n\
        content: démo-1.0-py3-none-any.whl, application/octet-stream, 300000 bytes, (Some(119), Some(119))\n";
    check(&format!("multipart/form-data; boundary={boundary}"), &body, expected).await;
}

#[tokio::test]
async fn what_a_handler_passes_over() {
    let ignored = "x\r\n--".repeat(100_000);
    let body = format!(
        "--b\r\nContent-Disposition: form-data; name=\"ignored\"; filename=\"x\"\r\n\r\n{ignored}\r\n\
         --b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--b--\r\nepilogue {ignored}"
    );
    check("multipart/form-data; boundary=b", body.as_bytes(), "a=\"1\"\n").await;
}

#[tokio::test]
async fn limits_and_faults() {
    let limits = FormLimits { total: 5_000, parts: 3, text: 100, head: 200 };
    let part = |text: &str| format!("--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n{text}\r\n");
    let form = "multipart/form-data; boundary=b";
    let rows = [
        (form, format!("{}--b--", part("1").repeat(3)), "200 OK"),
        (form, format!("{}--b--", part("1").repeat(4)), "413 the form has more than 3 parts"),
        (form, format!("{}--b--", part(&"1".repeat(100))), "200 OK"),
        (form, format!("{}--b--", part(&"1".repeat(101))), "413 the field `a` is longer than 100 bytes"),
        (form, "x".repeat(6_000), "413 the form is larger than 5000 bytes"),
        (form, "x".repeat(400), "413 the head of a part is longer than 200 bytes"),
        (form, part("1"), "400 the form is cut off"),
        (form, String::new(), "400 the form is cut off"),
        (form, "--b\r\n\r\n\r\n--b--".into(), "400 the form cannot be read: a part has no `Content-Disposition`"),
        ("multipart/form-data", String::new(), "400 the form's `Content-Type` has no usable `boundary`"),
        ("text/plain", String::new(), "415 a form is expected, as `multipart/form-data`"),
    ];
    for (kind, body, expected) in rows {
        let (status, said) = post_form(limits.clone(), kind, body.as_bytes()).await;
        assert_eq!(status, format!("HTTP/1.1 {expected}"), "{body}");
        if !expected.starts_with("200") {
            assert_eq!(said.trim_end(), &expected[4..]);
        }
    }
    let latin = [part("").trim_end().as_bytes(), b"\r\n\r\n\xe9\r\n--b--"].concat();
    assert_eq!(post_form(limits, form, &latin).await.0, "HTTP/1.1 400 the field `a` is not in UTF-8");
}

/// Without a length one cannot tell beforehand.
#[tokio::test]
async fn too_large_in_chunks() {
    let server = Server::start("127.0.0.1:0", router(FormLimits::total(100_000)), Limits::default());
    let mut stream = in_time(TcpStream::connect(server.address())).await.unwrap();
    let head = "POST / HTTP/1.1\r\nhost: x\r\ncontent-type: multipart/form-data; boundary=b\r\ntransfer-encoding: chunked\r\n\r\n";
    let start = "--b\r\nContent-Disposition: form-data; name=\"a\"; filename=\"b\"\r\n\r\n";
    stream.write_all(format!("{head}{:x}\r\n{start}\r\n", start.len()).as_bytes()).await.unwrap();
    for _ in 0..100 {
        stream.write_all(format!("2710\r\n{}\r\n", "x".repeat(10_000)).as_bytes()).await.unwrap();
    }
    assert!(rest(&mut stream).await.starts_with("HTTP/1.1 413 the form is larger than 100000 bytes\r\n"));
    server.done().await;
}
