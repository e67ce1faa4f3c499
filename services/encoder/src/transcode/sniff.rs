//! What a file is by its first bytes, where libav only says that it is nothing it knows: for words that help.

use std::io::{self, Read, Seek, SeekFrom};

use crate::refusal::Refusal;

/// Boxes of a damaged MP4 that are looked at.
const BOXES: usize = 1000;

/// Why libav may have failed to open this.
pub(super) fn why(mut file: impl Read + Seek) -> io::Result<Refusal> {
    let mut head = Vec::with_capacity(64);
    file.by_ref().take(64).read_to_end(&mut head)?;
    let is = |at: usize, magic: &[u8]| head.get(at..at + magic.len()) == Some(magic);
    Ok(if head.is_empty() {
        Refusal::Empty
    } else if is(0, b"#EXTM3U") || is(0, b"\xef\xbb\xbf#EXTM3U") || is(0, b"ffconcat") || is(0, b"<?xml") {
        Refusal::Playlist
    } else if is_picture(&is) {
        Refusal::Picture
    } else if is(4, b"ftyp") || is(4, b"moov") || is(4, b"mdat") || is(4, b"wide") {
        boxes(file)?
    } else if is(0, b"\x1a\x45\xdf\xa3") || is(0, b"FLV\x01") || (is(0, b"RIFF") && is(8, b"AVI ")) {
        Refusal::Truncated
    } else {
        Refusal::NotMedia
    })
}

fn is_picture(is: &impl Fn(usize, &[u8]) -> bool) -> bool {
    let begins: [&[u8]; 7] = [b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"\0\0\x01\0"];
    let brands: [&[u8]; 5] = [b"ftypheic", b"ftypheix", b"ftypmif1", b"ftypavif", b"ftypmsf1"];
    begins.iter().any(|magic| is(0, magic))
        || brands.iter().any(|magic| is(4, magic))
        || (is(0, b"RIFF") && is(8, b"WEBP"))
}

/// An MP4 whose boxes go on behind its end, or that has no index: ISO/IEC 14496-12 section 4.2.
fn boxes(mut file: impl Read + Seek) -> io::Result<Refusal> {
    let end = file.seek(SeekFrom::End(0))?;
    let (mut at, mut index) = (0, false);
    for _ in 0..BOXES {
        let mut header = Vec::with_capacity(16);
        file.seek(SeekFrom::Start(at))?;
        file.by_ref().take(16).read_to_end(&mut header)?;
        let number = |from: usize, to: usize| {
            header.get(from..to).map(|bytes| bytes.iter().fold(0, |sum: u64, byte| sum << 8 | u64::from(*byte)))
        };
        let (Some(short), Some(name)) = (number(0, 4), header.get(4..8)) else { break };
        index |= name == b"moov";
        let size = match short {
            0 => Some(end - at),
            1 => number(8, 16),
            size => Some(size),
        };
        match size.and_then(|size| at.checked_add(size)) {
            Some(next) if next > end => return Ok(Refusal::Truncated),
            Some(next) if next >= at + 8 => at = next,
            _ => return Ok(Refusal::Damaged),
        }
    }
    Ok(if index { Refusal::Damaged } else { Refusal::Truncated })
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    fn check(bytes: &[u8], expected: Refusal) {
        assert_eq!(why(Cursor::new(bytes)).unwrap(), expected, "{bytes:?}");
    }

    #[test]
    fn first_bytes_tell() {
        check(b"", Refusal::Empty);
        check(b"#EXTM3U\n#EXT-X-VERSION:3\n", Refusal::Playlist);
        check(b"ffconcat version 1.0\nfile x\n", Refusal::Playlist);
        check(b"\xff\xd8\xff\xe0\0\x10JFIF", Refusal::Picture);
        check(b"\x89PNG\r\n\x1a\n", Refusal::Picture);
        check(b"\0\0\0\x18ftypheic\0\0\0\0", Refusal::Picture);
        check(b"RIFF\0\0\0\0WEBPVP8 ", Refusal::Picture);
        check(b"hello, world", Refusal::NotMedia);
        check(b"\x1a\x45\xdf\xa3\x01", Refusal::Truncated);
    }

    #[test]
    fn an_mp4_without_its_end_is_truncated() {
        check(b"\0\0\0\x10ftypisom\0\0\0\0\0\0\xff\xffmdat123", Refusal::Truncated);
        check(b"\0\0\0\x10ftypisom\0\0\0\0\0\0\0\x0cmdat1234", Refusal::Truncated);
        check(b"\0\0\0\x10ftypisom\0\0\0\0\0\0\0\x0cmoov1234", Refusal::Damaged);
        check(b"\0\0\0\x10ftypisom\0\0\0\0\0\0\0\x04moov1234", Refusal::Damaged);
        check(b"\0\0\0\x10ftypisom\0\0\0\0\0\0\0\x01mdat\xff\xff\xff\xff\xff\xff\xff\xff", Refusal::Damaged);
    }

    proptest! {
        #[test]
        fn any_bytes_have_a_reason(bytes in prop::collection::vec(any::<u8>(), 0..200), mp4: bool) {
            let bytes = if mp4 { [b"\0\0\0\x10ftypisom\0\0\0\0".as_slice(), &bytes].concat() } else { bytes };
            why(Cursor::new(bytes)).unwrap();
        }
    }
}
