//! The texts of endpoints, there and back.

use proptest::prelude::{Just, Strategy, any, prop, prop_oneof, proptest};
use serde::Deserialize;

use super::*;

/// What `text` is printed as, or the fault.
fn read(text: &str) -> String {
    match text.parse::<Endpoint>() {
        Ok(endpoint) => {
            let canonical = endpoint.to_string();
            assert_eq!(canonical.parse::<Endpoint>().as_ref(), Ok(&endpoint), "{canonical}");
            canonical
        }
        Err(error) => format!("error: {error}"),
    }
}

#[track_caller]
fn check(text: &str, canonical: &str) {
    assert_eq!(read(text), canonical, "{text}");
}

#[track_caller]
fn refused(text: &str, part: &str) {
    let found = read(text);
    assert!(found.starts_with("error: ") && found.contains(part), "{text}: {found}");
}

#[test]
fn addresses() {
    for text in ["127.0.0.1:8000", "0.0.0.0:79", "[::]:8000", "[::1]:0", "[fe80::1%2]:80", "8000", "0", "65535"] {
        check(text, text);
    }
    check("[0:0:0:0:0:0:0:1]:80", "[::1]:80");
    check("08000", "8000");
    check("tls:[::]:443?cert=c.pem&key=k.pem", "tls:[::]:443?cert=c.pem&key=k.pem");
    check("tls:443?key=k.pem&cert=/etc/c.pem", "tls:443?cert=/etc/c.pem&key=k.pem");
}

#[test]
fn unix_and_systemd() {
    check("unix:/run/x.sock", "unix:/run/x.sock");
    check("unix:x.sock?mode=0660", "unix:x.sock?mode=660");
    check("unix:a b=c:d", "unix:a b=c:d");
    check("unix:%61%3f%26%25%0a", "unix:a%3F%26%25%0A");
    check("unix:\u{7}ä%ff", "unix:%07ä%FF");
    check("tls:unix:/x?key=k&mode=600&cert=c", "tls:unix:/x?mode=600&cert=c&key=k");
    check("systemd:web", "systemd:web");
    check("systemd:opsctl-finger.socket", "systemd:opsctl-finger.socket");
    check("tls:systemd:web?cert=c&key=k", "tls:systemd:web?cert=c&key=k");
}

#[test]
fn faults_say_what_to_write() {
    refused("", "is empty");
    refused("localhost:8000", "names are not looked up");
    refused("http://127.0.0.1:80", "it is a URL");
    refused(":8000", "written as the bare port");
    refused("*:8000", "written as the bare port");
    refused("127.0.0.1", "the port is missing");
    refused("localhost", "the port is missing");
    refused("[::1]", "the port is missing");
    refused("::1", "not in brackets");
    refused("fe80::1ff:8000%eth0", "stands in brackets");
    refused("65536", "at most 65535");
    refused("127.0.0.1:65536", "at most 65535");
    refused("99999999999999999999", "at most 65535");
    refused("/run/x.sock", "`unix:PATH`");
    refused("./x.sock", "`unix:PATH`");
    refused("+80", "no endpoint");
    refused("80 ", "no endpoint");
    refused("tls:tls:80?cert=c&key=k", "stands twice");
    refused("tls:80", "no `cert`");
    refused("tls:80?cert=c", "no `key`");
    refused("80?cert=c&key=k", "need `tls:` in front");
    refused("80?", "unknown parameter ``");
    refused("80?mode=660", "unknown parameter `mode`");
    refused("unix:x?mod=660", "unknown parameter `mod` in the endpoint, expected `mode`");
    refused("unix:x?mode=660&mode=660", "`mode` stands twice");
    for mode in ["", "8", "1777", "rw", "+660", "0o660", "-1"] {
        refused(&format!("unix:x?mode={mode}"), "octal");
    }
    refused("unix:", "path in the endpoint is empty");
    refused("unix:%00", "NUL");
    refused("unix:a\0b", "NUL");
    refused("unix:100%", "two hexadecimal digits");
    refused("unix:%zz", "two hexadecimal digits");
    refused("tls:80?cert=&key=k", "value of `cert` in the endpoint is empty");
    refused("systemd:", "name in the endpoint is empty");
    refused("systemd:a:b", "printable ASCII");
    refused("systemd:ä", "printable ASCII");
    refused(&format!("systemd:{}", "x".repeat(256)), "longer than 255");
}

#[test]
fn faults_are_short_and_in_one_line() {
    for text in ["x\n\u{1b}[31m".repeat(1000), "ä".repeat(1_000_000), format!("80?{}", "\n".repeat(9999))] {
        let found = read(&text);
        assert!(found.len() < 2000 && !found.contains(char::is_control), "{found}");
    }
    refused(&"8".repeat(1_000_000), "1000000 bytes long");
}

#[test]
fn relative_paths_start_from_the_base() {
    for (text, expected) in [
        ("unix:x.sock", "unix:/etc/x.sock"),
        ("unix:/x.sock", "unix:/x.sock"),
        ("tls:80?cert=c.pem&key=/k.pem", "tls:80?cert=/etc/c.pem&key=/k.pem"),
        ("80", "80"),
    ] {
        let endpoint = text.parse::<Endpoint>().unwrap();
        assert_eq!(endpoint.resolve(Path::new("/etc")).to_string(), expected);
    }
}

#[test]
fn in_a_table() {
    #[derive(Deserialize)]
    struct Table {
        one: Endpoint,
        port: Endpoint,
        none: Endpoints,
        several: Endpoints,
    }
    let table = "one = '127.0.0.1:80'\nport = 8000\nnone = []\nseveral = [79, 'unix:x']";
    let Table { one, port, none, several } = toml::from_str(table).unwrap();
    assert_eq!((one.to_string(), port.to_string()), ("127.0.0.1:80".into(), "8000".into()));
    assert!(none.is_empty());
    assert_eq!(several.to_string(), "79, unix:x");
    let fault = toml::from_str::<Table>("one = 'localhost:80'").err().unwrap();
    assert!(fault.to_string().contains("names are not looked up"), "{fault}");
}

/// Any endpoint that can be written.
fn endpoints() -> impl Strategy<Value = Endpoint> {
    let path = prop::collection::vec(1..=u8::MAX, 1..40).prop_map(|bytes| PathBuf::from(OsStr::from_bytes(&bytes)));
    let tcp = (any::<std::net::IpAddr>(), any::<u16>()).prop_map(|address| Address::Tcp(address.into()));
    let unix = (path.clone(), prop::option::of(0..=MODE_BITS)).prop_map(|(path, mode)| Address::Unix { path, mode });
    let systemd = "[ -9;-~]{1,40}".prop_map(Address::Systemd);
    let address = prop_oneof![tcp, any::<u16>().prop_map(Address::Any), unix, systemd];
    let pair = (path.clone(), path).prop_map(|(cert, key)| Pair { cert, key });
    (address, prop_oneof![Just(None), pair.prop_map(Some)]).prop_map(|(address, tls)| Endpoint { address, tls })
}

/// Texts that get past the first look.
fn texts() -> impl Strategy<Value = String> {
    const PIECES: &[&str] =
        &["tls:", "unix:", "systemd:", "?", "&", "mode=", "cert=", "key=", "%", "[::]", ":", "80", "a"];
    let piece = prop_oneof![prop::sample::select(PIECES).prop_map(str::to_owned), any::<String>()];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn printing_and_parsing_give_the_same(endpoint in endpoints()) {
        let text = endpoint.to_string();
        assert!(!text.contains(char::is_control), "{text:?}");
        assert_eq!(text.parse(), Ok(endpoint), "{text}");
    }

    #[test]
    fn any_text_is_answered(text in texts()) {
        read(&text);
    }
}
