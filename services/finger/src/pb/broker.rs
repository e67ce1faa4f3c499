//! A Perspective Broker server's side of one connection, for one root object (`twisted/spread/pb.py`).
//!
//! First the dialects are offered and one is chosen, then both sides say `["version", 6]`, then come calls:
//! `["message", request, "root", method, answer?, ["tuple", args…], ["dictionary", [key, value]…]]`, answered by
//! `["answer", request, value]` or `["error", request, failure]`. Bytes in, bytes out, one message a step, so that the
//! caller can send an answer before the next one is made. No object but the root exists, none is created, and nothing
//! that a peer sends names a class here: the dangers of unpickling stay out.

use super::banana::{Decoder, Error, Value, encode};

/// The version of the protocol that all of Twisted speaks.
const VERSION: i64 = 6;
const DIALECTS: [&str; 2] = ["pb", "none"];
/// Messages that are about objects we neither send nor keep.
const IGNORED: [&[u8]; 7] =
    [b"answer", b"error", b"decref", b"decache", b"uncache", b"cachemessage", b"didNotUnderstand"];

/// Twisted's base class of the errors that a server means to raise.
const EXPECTED: &str = "twisted.spread.pb.Error";

/// A peer that cannot be talked to.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error("no Banana")]
    Banana(#[from] Error),
    #[error("a dialect was chosen that was not offered")]
    Dialect,
    #[error("another version of the protocol than {VERSION}")]
    Version,
    #[error("a message that is no list of a command and its arguments")]
    Shape,
}

/// A call of a method of the root object.
#[derive(Debug, PartialEq)]
pub(crate) struct Call {
    pub(crate) method: String,
    pub(crate) args: Vec<Value>,
    pub(crate) named: Vec<(Value, Value)>,
}

/// What a call raises: the Python class and its text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) class: &'static str,
    /// The class's bases, the nearest first.
    pub(crate) bases: &'static [&'static str],
    pub(crate) text: String,
}

impl Failure {
    /// An error that the caller may expect.
    pub(crate) fn expected(text: String) -> Failure {
        Failure { class: EXPECTED, bases: &[], text }
    }

    pub(crate) fn is_expected(&self) -> bool {
        self.class == EXPECTED
    }

    pub(crate) fn no_such_method(name: &str) -> Failure {
        let text = format!("No such method: remote_{name}");
        Failure { class: "twisted.spread.flavors.NoSuchMethod", bases: &["builtins.AttributeError"], text }
    }

    pub(crate) fn type_error(text: String) -> Failure {
        Failure { class: "builtins.TypeError", bases: &[], text }
    }
}

/// The state of one connection.
#[derive(Debug, Default)]
pub(crate) struct Broker {
    decoder: Decoder,
    chosen: bool,
}

impl Broker {
    /// A connection, and what is to be sent at once.
    pub(crate) fn new() -> (Broker, Vec<u8>) {
        let offer = Value::List(DIALECTS.map(Value::from).into());
        (Broker::default(), encoded(&offer))
    }

    /// More bytes have come.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.decoder.push(bytes);
    }

    /// Must the peer say something soon? Not while it idles between two calls.
    pub(crate) fn is_amid(&self) -> bool {
        !self.chosen || self.decoder.is_amid()
    }

    /// Deals with one message and returns what is to be sent for it; `None` when more bytes are needed.
    pub(crate) fn step(
        &mut self,
        root: impl FnOnce(&Call) -> Result<Value, Failure>,
    ) -> Result<Option<Vec<u8>>, Refused> {
        let Some(message) = self.decoder.next()? else { return Ok(None) };
        if !self.chosen {
            let Value::Bytes(dialect) = message else { return Err(Refused::Dialect) };
            if !DIALECTS.iter().any(|offered| offered.as_bytes() == dialect) {
                return Err(Refused::Dialect);
            }
            self.chosen = true;
            return Ok(Some(encoded(&Value::List(vec!["version".into(), Value::Int(VERSION)]))));
        }
        let Value::List(parts) = message else { return Err(Refused::Shape) };
        let mut parts = parts.into_iter();
        let Some(Value::Bytes(command)) = parts.next() else { return Err(Refused::Shape) };
        let reply = match &*command {
            b"version" if parts.next() == Some(Value::Int(VERSION)) => None,
            b"version" => return Err(Refused::Version),
            b"message" => call(parts, root)?,
            command if IGNORED.contains(&command) => None,
            _ => Some(Value::List(vec!["didNotUnderstand".into(), Value::Bytes(command)])),
        };
        Ok(Some(reply.as_ref().map(encoded).unwrap_or_default()))
    }
}

/// Takes a `message` apart, makes the call, and returns the reply if one is wanted.
fn call(
    parts: impl Iterator<Item = Value>,
    root: impl FnOnce(&Call) -> Result<Value, Failure>,
) -> Result<Option<Value>, Refused> {
    let parts: [Value; 6] = parts.collect::<Vec<_>>().try_into().map_err(|_| Refused::Shape)?;
    let [request @ Value::Int(_), Value::Bytes(object), Value::Bytes(method), wanted, args, named] = parts else {
        return Err(Refused::Shape);
    };
    let method = String::from_utf8_lossy(&method).into_owned();
    let args = tagged("tuple", args).ok_or(Refused::Shape)?;
    let named = tagged("dictionary", named).ok_or(Refused::Shape)?;
    let named = named.into_iter().map(pair).collect::<Option<Vec<_>>>().ok_or(Refused::Shape)?;
    let result = match &*object {
        b"root" => root(&Call { method, args, named }),
        _ => Err(Failure::expected("Invalid Object ID".to_owned())),
    };
    let reply = match result {
        Ok(value) => Value::List(vec!["answer".into(), request, value]),
        Err(failure) => Value::List(vec!["error".into(), request, copyable(&failure)]),
    };
    Ok((wanted != Value::Int(0)).then_some(reply))
}

/// The elements of `[tag, elements…]`.
fn tagged(tag: &str, value: Value) -> Option<Vec<Value>> {
    let Value::List(mut values) = value else { return None };
    if values.first() != Some(&tag.into()) {
        return None;
    }
    values.remove(0);
    Some(values)
}

fn pair(value: Value) -> Option<(Value, Value)> {
    let Value::List(values) = value else { return None };
    let [key, value] = <[Value; 2]>::try_from(values).ok()?;
    Some((key, value))
}

/// A Python `str`.
pub(crate) fn text(text: &str) -> Value {
    Value::List(vec!["unicode".into(), text.into()])
}

/// A Python `list`.
pub(crate) fn list(values: impl Iterator<Item = Value>) -> Value {
    Value::List(std::iter::once("list".into()).chain(values).collect())
}

/// What a value says as a text, if it is a `str` or `bytes`.
pub(crate) fn as_text(value: &Value) -> Option<String> {
    let bytes = match value {
        Value::Bytes(bytes) => bytes,
        Value::List(values) => match &values[..] {
            [Value::Bytes(tag), Value::Bytes(bytes)] if tag == b"unicode" => bytes,
            _ => return None,
        },
        _ => return None,
    };
    Some(crate::text::decode(bytes).into_owned())
}

/// A failure as Twisted's client wants it: every key is looked at there.
fn copyable(Failure { class, bases, text: message }: &Failure) -> Value {
    let none = || Value::List(vec!["None".into()]);
    let no = || Value::List(vec!["boolean".into(), "false".into()]);
    let nothing = || list(std::iter::empty());
    let parents = [*class].into_iter().chain(bases.iter().copied());
    let parents = parents.chain(["builtins.Exception", "builtins.BaseException", "builtins.object"]);
    let state = [
        ("type", Value::from(*class)),
        ("value", text(message)),
        ("parents", list(parents.map(text))),
        ("traceback", text("Traceback unavailable\n")),
        ("frames", nothing()),
        ("stack", nothing()),
        ("tb", none()),
        ("count", Value::Int(0)),
        ("captureVars", no()),
        ("unsafeTracebacks", no()),
    ];
    let state = state.into_iter().map(|(key, value)| Value::List(vec![text(key), value]));
    let state = Value::List(std::iter::once("dictionary".into()).chain(state).collect());
    Value::List(vec!["twisted.spread.pb.CopyableFailure".into(), state])
}

fn encoded(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    encode(value, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Twisted's opening, then `messages`; `said` is what the broker replies to each, `-` for nothing.
    fn check(messages: &[&[u8]], said: &[&str]) {
        let (mut broker, _) = Broker::new();
        broker.push(b"\x02\x82pb\x02\x80\x13\x87\x06\x81");
        broker.push(&messages.concat());
        let mut seen = Vec::new();
        loop {
            match broker.step(|call| match (&*call.method, &call.args[..]) {
                ("echo", [arg]) => Ok(arg.clone()),
                (method, _) => Err(Failure::no_such_method(method)),
            }) {
                Ok(Some(reply)) if reply.is_empty() => seen.push("-".to_owned()),
                Ok(Some(reply)) => seen.push(reply.escape_ascii().to_string()),
                Ok(None) => break,
                Err(refused) => break seen.push(refused.to_string()),
            }
        }
        assert_eq!(seen[..2], [r"\x02\x80\x07\x82version\x06\x81", "-"], "the opening");
        assert_eq!(seen[2..], *said);
    }

    fn message(method: &str, wanted: i64, args: Vec<Value>) -> Vec<u8> {
        let args = Value::List(std::iter::once("tuple".into()).chain(args).collect());
        let named = Value::List(vec!["dictionary".into()]);
        let call = ["message".into(), Value::Int(7), "root".into(), method.into(), Value::Int(wanted), args, named];
        encoded(&Value::List(call.into()))
    }

    #[test]
    fn the_offer() {
        assert_eq!(Broker::new().1, b"\x02\x80\x02\x82pb\x04\x82none");
    }

    #[test]
    fn calls() {
        check(
            &[&message("echo", 1, vec![text("x")])],
            &[r"\x03\x80\x06\x82answer\x07\x81\x02\x80\x07\x82unicode\x01\x82x"],
        );
        check(&[&message("echo", 0, vec!["x".into()]), b"\x02\x80\x1d\x87\x01\x81"], &["-", "-"]);
        check(&[b"\x01\x80\x02\x82hi"], &[r"\x02\x80\x10\x82didNotUnderstand\x02\x82hi"]);
    }

    #[test]
    fn a_failure_has_what_twisted_looks_at() {
        let (mut broker, _) = Broker::new();
        broker.push(b"\x04\x82none");
        broker.push(&message("nosuch", 1, vec![]));
        broker.step(|_| panic!("nothing was called yet")).unwrap();
        let reply = broker.step(|call| Err(Failure::no_such_method(&call.method))).unwrap().unwrap();
        let reply = reply.escape_ascii().to_string();
        for part in ["CopyableFailure", "flavors.NoSuchMethod", "No such method: remote_nosuch", "AttributeError", "tb"]
        {
            assert!(reply.contains(part), "{part}");
        }
    }

    #[test]
    fn peers_that_make_no_sense() {
        check(&[b"\x01\x81"], &["a message that is no list of a command and its arguments"]);
        check(&[b"\0\x80"], &["a message that is no list of a command and its arguments"]);
        check(&[b"\x02\x80\x1a\x87\x01\x81"], &["a message that is no list of a command and its arguments"]);
        check(&[b"\x02\x80\x13\x87\x05\x81"], &["another version of the protocol than 6"]);
        check(&[b"\xff"], &["no Banana"]);
        let (mut broker, _) = Broker::new();
        broker.push(b"\x03\x82foo");
        assert_eq!(broker.step(|_| panic!()), Err(Refused::Dialect));
    }

    proptest! {
        #[test]
        fn any_bytes_are_dealt_with(bytes in proptest::collection::vec(prop_oneof![0u8..8, 0x80u8..0x88], 0..200)) {
            let (mut broker, _) = Broker::new();
            broker.push(b"\x02\x82pb");
            broker.push(&bytes);
            while let Ok(Some(_)) = broker.step(|_| Ok(Value::Int(1))) {}
        }
    }
}
