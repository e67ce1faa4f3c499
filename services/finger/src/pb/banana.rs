//! Banana, the encoding under Perspective Broker (`twisted/spread/banana.py`).
//!
//! An element is a number in base 128 (low digit first, each digit a byte below 128), then one byte for its kind, then
//! the bytes of a string or the elements of a list. Knows nothing of sockets: bytes in, [`Value`]s out. Twisted bounds
//! one string (640 KiB), one list and one prefix, but neither depth nor the whole; here one message is bounded in
//! bytes, in values and in depth, so that a connection can hold less than a megabyte, whatever it is sent.

/// Longest number in bytes (Twisted's `prefixLimit`).
const PREFIX_MAX: usize = 64;
/// Most bytes in the strings of one message (Twisted's `SIZE_LIMIT`, which it applies to each string).
const STRING_MAX: usize = 640 * 1024;
/// Most values in one message; a call of ours has about ten.
const VALUES_MAX: usize = 4096;
/// Deepest nesting of lists; a call of ours needs three.
const DEPTH_MAX: usize = 32;

const LIST: u8 = 0x80;
const INT: u8 = 0x81;
const STRING: u8 = 0x82;
const NEG: u8 = 0x83;
const FLOAT: u8 = 0x84;
const LONG_INT: u8 = 0x85;
const LONG_NEG: u8 = 0x86;
const VOCABULARY: u8 = 0x87;

/// The words of the dialect `pb`; a word's number is its place, from 1.
const WORDS: [&str; 31] = [
    "None",
    "class",
    "dereference",
    "reference",
    "dictionary",
    "function",
    "instance",
    "list",
    "module",
    "persistent",
    "tuple",
    "unpersistable",
    "copy",
    "cache",
    "cached",
    "remote",
    "local",
    "lcache",
    "version",
    "login",
    "password",
    "challenge",
    "logged_in",
    "not_logged_in",
    "cachemessage",
    "message",
    "answer",
    "error",
    "decref",
    "decache",
    "uncache",
];

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Int(i64),
    /// An integer of more than 64 bits: nobody here needs its digits.
    Long,
    Float(f64),
    Bytes(Vec<u8>),
    List(Vec<Value>),
}

/// Why the bytes of a peer are no Banana that we take; the connection is of no more use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    #[error("number of more than {PREFIX_MAX} bytes")]
    Prefix,
    #[error("message with strings of more than {STRING_MAX} bytes")]
    String,
    #[error("message of more than {VALUES_MAX} values")]
    Values,
    #[error("lists nested deeper than {DEPTH_MAX}")]
    Depth,
    #[error("unknown kind of element 0x{0:02x}")]
    Kind(u8),
    #[error("unknown word of the vocabulary")]
    Word,
}

/// Takes a stream apart. Call [`Decoder::next`] until it has nothing more, then [`Decoder::push`] again.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    buffer: Vec<u8>,
    /// Bytes of `buffer` that are done.
    done: usize,
    /// Lists begun, the outermost first, each with its full length.
    open: Vec<(usize, Vec<Value>)>,
    /// Bytes in strings, and values, of the message so far.
    bytes: usize,
    values: usize,
}

enum Element {
    Begin(usize),
    Whole(Value),
}

impl Decoder {
    /// More bytes have come.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.done);
        self.done = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// Has a message begun that is not complete yet?
    pub(crate) fn is_amid(&self) -> bool {
        !self.open.is_empty() || self.done < self.buffer.len()
    }

    /// The next whole message, if it is there.
    pub(crate) fn next(&mut self) -> Result<Option<Value>, Error> {
        while let Some((element, len)) = element(&self.buffer[self.done..], STRING_MAX - self.bytes)? {
            self.done += len;
            let value = match element {
                Element::Whole(value) => value,
                Element::Begin(0) => Value::List(Vec::new()),
                Element::Begin(len) => {
                    self.begin(len)?;
                    continue;
                }
            };
            if let Some(message) = self.place(value) {
                (self.bytes, self.values) = (0, 0);
                return Ok(Some(message));
            }
        }
        Ok(None)
    }

    fn begin(&mut self, len: usize) -> Result<(), Error> {
        self.values = self.values.saturating_add(len);
        if self.values > VALUES_MAX {
            return Err(Error::Values);
        }
        if self.open.len() == DEPTH_MAX {
            return Err(Error::Depth);
        }
        self.open.push((len, Vec::new())); // its length is only claimed: no room is made for it
        Ok(())
    }

    /// Puts a value where it belongs, and closes the lists that are full with it: the outermost one is a message.
    fn place(&mut self, mut value: Value) -> Option<Value> {
        if let Value::Bytes(bytes) = &value {
            self.bytes += bytes.len();
        }
        while let Some((len, mut values)) = self.open.pop() {
            values.push(value);
            if values.len() < len {
                self.open.push((len, values));
                return None;
            }
            value = Value::List(values);
        }
        Some(value)
    }
}

/// The element at the head of `buffer` and its length, if all of it is there; strings may have `room` bytes.
fn element(buffer: &[u8], room: usize) -> Result<Option<(Element, usize)>, Error> {
    let Some(prefix) = buffer.iter().take(PREFIX_MAX + 1).position(|&byte| byte >= 0x80) else {
        return if buffer.len() > PREFIX_MAX { Err(Error::Prefix) } else { Ok(None) };
    };
    let (number, body) = (number(&buffer[..prefix]), &buffer[prefix + 1..]);
    let size = number.and_then(|number| usize::try_from(number).ok()).unwrap_or(usize::MAX);
    let int = |value: Option<i64>| (value.map_or(Value::Long, Value::Int), 0);
    let (value, len) = match buffer[prefix] {
        LIST => return Ok(Some((Element::Begin(size), prefix + 1))),
        INT | LONG_INT => int(number.and_then(|number| i64::try_from(number).ok())),
        NEG | LONG_NEG => int(number.and_then(|number| 0i64.checked_sub_unsigned(number))),
        STRING if size > room => return Err(Error::String),
        STRING => match body.get(..size) {
            Some(bytes) => (Value::Bytes(bytes.to_vec()), size),
            None => return Ok(None),
        },
        FLOAT => match body.first_chunk() {
            Some(bytes) => (Value::Float(f64::from_be_bytes(*bytes)), bytes.len()),
            None => return Ok(None),
        },
        VOCABULARY => {
            let word = size.checked_sub(1).and_then(|index| WORDS.get(index)).ok_or(Error::Word)?;
            (Value::Bytes(word.as_bytes().to_vec()), 0)
        }
        kind => return Err(Error::Kind(kind)),
    };
    Ok(Some((Element::Whole(value), prefix + 1 + len)))
}

/// Digits of base 128, the low one first; none if it needs more than 64 bits.
fn number(digits: &[u8]) -> Option<u64> {
    digits.iter().rev().try_fold(0u64, |number, &digit| Some(number.checked_mul(128)? | u64::from(digit)))
}

/// Appends the encoding of a value. The vocabulary is not used, so that the bytes are the same in every dialect.
pub(crate) fn encode(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Int(number) => {
            let kind = match (i32::try_from(*number), *number < 0) {
                (Ok(_), false) => INT,
                (Ok(_), true) => NEG,
                (Err(_), false) => LONG_INT,
                (Err(_), true) => LONG_NEG,
            };
            head(out, number.unsigned_abs(), kind);
        }
        Value::Long => head(out, u64::MAX, LONG_INT),
        Value::Float(number) => {
            out.push(FLOAT);
            out.extend_from_slice(&number.to_be_bytes());
        }
        Value::Bytes(bytes) => {
            head(out, bytes.len() as u64, STRING);
            out.extend_from_slice(bytes);
        }
        Value::List(values) => {
            head(out, values.len() as u64, LIST);
            values.iter().for_each(|value| encode(value, out));
        }
    }
}

fn head(out: &mut Vec<u8>, mut number: u64, kind: u8) {
    loop {
        out.push((number & 0x7f) as u8);
        number >>= 7;
        if number == 0 {
            break out.push(kind);
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Bytes(text.as_bytes().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a decoder says to `bytes` that come in pieces of `step`: each message, then the error if there is one.
    fn decode(bytes: &[u8], step: usize) -> Vec<Result<Value, Error>> {
        let (mut decoder, mut seen) = (Decoder::default(), Vec::new());
        for piece in bytes.chunks(step) {
            decoder.push(piece);
            loop {
                match decoder.next() {
                    Ok(None) => break,
                    Ok(Some(value)) => seen.push(Ok(value)),
                    Err(error) => {
                        seen.push(Err(error));
                        return seen;
                    }
                }
            }
        }
        seen
    }

    fn check(bytes: &[u8], said: &str) {
        let seen = decode(bytes, 1);
        assert_eq!(seen, decode(bytes, bytes.len().max(1)));
        let seen: Vec<String> = seen.iter().map(|one| one.as_ref().map_or_else(ToString::to_string, show)).collect();
        assert_eq!(seen.join("; "), said);
    }

    fn show(value: &Value) -> String {
        match value {
            Value::Int(number) => number.to_string(),
            Value::Long => "long".to_owned(),
            Value::Float(number) => format!("{number:?}"),
            Value::Bytes(bytes) => bytes.escape_ascii().to_string(),
            Value::List(values) => format!("[{}]", values.iter().map(show).collect::<Vec<_>>().join(" ")),
        }
    }

    #[test]
    fn what_twisted_sends() {
        check(b"\x02\x80\x02\x82pb\x04\x82none", "[pb none]");
        check(b"\x02\x82pb\x02\x80\x13\x87\x06\x81", "pb; [version 6]");
        check(
            b"\x07\x80\x1a\x87\x01\x81\x04\x82root\x07\x82getUser\x01\x81\x02\x80\x0b\x87\x02\x80\x07\x82unicode\x06\x82moshez\x01\x80\x05\x87",
            "[message 1 root getUser 1 [tuple [unicode moshez]] [dictionary]]",
        );
        check(b"\x84?\xf8\0\0\0\0\0\0", "1.5");
        check(b"\x05\x83\x81\0\x81", "-5; 0; 0");
        check(b"\0\0\0\0\0\0\0\0\0\0\x01\x85", "long");
        check(b"\0\x80\x02\x80\0\x80\x01\x80\x01\x81", "[]; [[] [1]]");
    }

    #[test]
    fn what_is_too_much() {
        check(&[0; PREFIX_MAX + 1], "number of more than 64 bytes");
        check(b"\x01\x80\x01\0\x28\x82", "message with strings of more than 655360 bytes");
        check(b"\x7f\x7f\x7f\x80", "message of more than 4096 values");
        check(&b"\x02\x80".repeat(DEPTH_MAX), "");
        check(&b"\x02\x80".repeat(DEPTH_MAX + 1), "lists nested deeper than 32");
        check(&b"\x7f\x1f\x80".repeat(2), "message of more than 4096 values");
        check(b"\x01\xff", "unknown kind of element 0xff");
        check(b"\x20\x87", "unknown word of the vocabulary");
        check(b"\x87", "unknown word of the vocabulary");
    }

    #[test]
    fn strings_are_bounded_together() {
        let mut bytes = Vec::new();
        let half = Value::Bytes(vec![b'x'; STRING_MAX / 2 + 1]);
        encode(&Value::List(vec![half.clone(), half]), &mut bytes);
        assert_eq!(decode(&bytes, 65_536), [Err(Error::String)]);
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<i64>().prop_map(Value::Int),
            (-300i64..300).prop_map(Value::Int),
            (-1e9..1e9).prop_map(Value::Float),
            any::<Vec<u8>>().prop_map(Value::Bytes),
        ];
        leaf.prop_recursive(4, 64, 8, |inner| proptest::collection::vec(inner, 0..8).prop_map(Value::List))
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(values in proptest::collection::vec(value(), 0..4), step in 1usize..40) {
            let mut bytes = Vec::new();
            values.iter().for_each(|value| encode(value, &mut bytes));
            let seen: Result<Vec<Value>, Error> = decode(&bytes, step).into_iter().collect();
            prop_assert_eq!(seen, Ok(values));
        }

        #[test]
        fn any_bytes_are_taken_or_refused(
            bytes in prop_oneof![any::<Vec<u8>>(), proptest::collection::vec(prop_oneof![0u8..4, 0x80u8..0x89], 0..200)],
            step in 1usize..40,
        ) {
            prop_assert_eq!(decode(&bytes, step), decode(&bytes, bytes.len().max(1)));
        }
    }
}
