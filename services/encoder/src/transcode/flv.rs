//! The times in an FLV's index of key frames: Adobe Flash Video File Format 10.1, annex E.
//!
//! libav reckons them from the number of the frame and the average rate, which is wrong wherever the rate varies; each
//! key frame's own tag knows better.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::error::{Doing, Error};

/// Where the first tag begins: behind the file's header and the size of no tag.
const FIRST: u64 = 13;
/// Bytes of a tag's header.
const HEADER: usize = 11;
/// How the two arrays begin: name and type.
const PLACES: &[u8] = b"\0\x0dfilepositions\x0a";
const TIMES: &[u8] = b"\0\x05times\x0a";
const LAST: &[u8] = b"\0\x15lastkeyframetimestamp\0";

/// Puts the true times into the index of the file.
pub(super) fn correct(path: &Path) -> Result<(), Error> {
    let file = OpenOptions::new().read(true).write(true).open(path);
    file.and_then(|mut file| correct_in(&mut file)).doing(|| format!("correct the index of `{}`", path.display()))
}

fn correct_in(file: &mut File) -> io::Result<()> {
    let mut header = [0; HEADER];
    file.seek(SeekFrom::Start(FIRST))?;
    file.read_exact(&mut header)?;
    let [18, a, b, c, ..] = header else { return Ok(()) };
    let mut script = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
    file.read_exact(&mut script)?;
    let mut times = Vec::new();
    for place in numbers(&script, PLACES) {
        file.seek(SeekFrom::Start(place as u64))?;
        file.read_exact(&mut header)?;
        let [_, _, _, _, a, b, c, high, ..] = header;
        times.push(f64::from(u32::from_be_bytes([high, a, b, c])) / 1000.0);
    }
    replace(&mut script, TIMES, &times);
    if let (Some(at), Some(last)) = (find(&script, LAST), times.last())
        && let Some(value) = script.get_mut(at..at + 8)
    {
        value.copy_from_slice(&last.to_be_bytes());
    }
    file.seek(SeekFrom::Start(FIRST + HEADER as u64))?;
    file.write_all(&script)
}

/// Where what comes after `name` begins.
fn find(script: &[u8], name: &[u8]) -> Option<usize> {
    Some(script.windows(name.len()).position(|window| window == name)? + name.len())
}

/// Where the numbers of an array are, nine bytes each with their type, as many as there are.
fn array(script: &[u8], name: &[u8]) -> std::ops::Range<usize> {
    let found = find(script, name).and_then(|at| Some((at + 4, script.get(at..at + 4)?)));
    let Some((begin, &[a, b, c, d])) = found else { return 0..0 };
    let count = u32::from_be_bytes([a, b, c, d]) as usize;
    begin..begin + (count.min((script.len() - begin) / 9)) * 9
}

fn numbers(script: &[u8], name: &[u8]) -> Vec<f64> {
    let array = script[array(script, name)].chunks_exact(9);
    array.filter_map(|number| Some(f64::from_be_bytes(number[1..].try_into().ok()?))).collect()
}

fn replace(script: &mut [u8], name: &[u8], values: &[f64]) {
    let range = array(script, name);
    for (number, value) in script[range].chunks_exact_mut(9).zip(values) {
        number[1..].copy_from_slice(&value.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn script(name: &[u8], values: &[f64]) -> Vec<u8> {
        let mut bytes = [b"before", name, &u32::try_from(values.len()).unwrap().to_be_bytes()].concat();
        values.iter().for_each(|value| bytes.extend([&[0], value.to_be_bytes().as_slice()].concat()));
        bytes.extend(b"after");
        bytes
    }

    #[test]
    fn numbers_are_read_and_replaced() {
        let mut bytes = script(TIMES, &[1.0, f64::NAN]);
        replace(&mut bytes, TIMES, &[2.0, 3.0, 4.0]);
        assert_eq!(numbers(&bytes, TIMES), [2.0, 3.0]);
        assert!(bytes.ends_with(b"after"));
        assert!(numbers(&bytes, PLACES).is_empty());
    }

    proptest! {
        #[test]
        fn counts_that_lie_are_no_matter(count: u32, rest in prop::collection::vec(any::<u8>(), 0..40)) {
            let bytes = [PLACES, &count.to_be_bytes(), &rest].concat();
            prop_assert!(numbers(&bytes, PLACES).len() <= rest.len() / 9);
        }
    }
}
