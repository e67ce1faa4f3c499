//! The beginning of an FLV file that starts in the middle of another (Adobe's FLV specification 10.1, annex E).

/// What nginx puts before the bytes: `FLV`, version 1, sound and picture, nine bytes long, nothing before.
const HEADER: [u8; 13] = *b"FLV\x01\x05\0\0\0\x09\0\0\0\0";
/// Of a tag, before its body; and the length of the tag, after it.
const HEAD: usize = 11;
const TAIL: usize = 4;
/// Bytes that are read of a file's beginning, and once more behind its index if that is longer.
pub(super) const WINDOW: u64 = 64 * 1024;

const SCRIPT: u8 = 18;
const VIDEO: u8 = 9;
const AUDIO: u8 = 8;

/// Where the first tag ends that is an index, if `bytes`, a file's beginning, have one.
pub(super) fn index_end(bytes: &[u8]) -> Option<u64> {
    let tag = bytes.get(HEADER.len()..)?;
    let (kind, length) = head(tag)?;
    (kind == SCRIPT).then_some((HEADER.len() + HEAD + length + TAIL) as u64)
}

/// The beginning. `bytes` are the tags that follow the index: H.264 and AAC need what stands in the first ones before
/// anything can be decoded. With other codecs it is what nginx sends.
pub(super) fn beginning(mut bytes: &[u8]) -> Vec<u8> {
    let mut begun = HEADER.to_vec();
    while let Some((kind, length)) = head(bytes) {
        let Some((tag, rest)) = bytes.split_at_checked(HEAD + length + TAIL) else { break };
        let codec = (tag.get(HEAD).copied().unwrap_or(0), tag.get(HEAD + 1).copied().unwrap_or(1));
        match (kind, codec) {
            // an AVC sequence header, an AAC sequence header
            (VIDEO, (codec, 0)) if codec & 0x0f == 7 => begun.extend_from_slice(tag),
            (AUDIO, (codec, 0)) if codec >> 4 == 10 => begun.extend_from_slice(tag),
            _ => break,
        }
        bytes = rest;
    }
    begun
}

/// Kind and length of a tag.
fn head(tag: &[u8]) -> Option<(u8, usize)> {
    let [kind, a, b, c] = *tag.first_chunk()?;
    Some((kind, usize::try_from(u32::from_be_bytes([0, a, b, c])).ok()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tag(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len()).unwrap().to_be_bytes();
        [&[kind][..], &length[1..], &[0; 7], body, &[0; 4]].concat()
    }

    #[test]
    fn beginnings() {
        let script = tag(SCRIPT, &[7; 300]);
        let (avc, aac) = (tag(VIDEO, &[0x17, 0, 1]), tag(AUDIO, &[0xaf, 0, 2]));
        let (picture, sound) = (tag(VIDEO, &[0x17, 1, 5]), tag(AUDIO, &[0x2f, 9]));
        let file = [&HEADER[..], &script].concat();
        assert_eq!(index_end(&file), Some(file.len() as u64));
        assert_eq!(index_end(&[&HEADER[..], &sound].concat()), None);
        assert_eq!(beginning(&[&avc[..], &aac, &picture, &avc].concat()), [&HEADER[..], &avc, &aac].concat());
        assert_eq!(beginning(&[&sound[..], &picture].concat()), HEADER);
        assert_eq!(beginning(&avc[..avc.len() - 1]), HEADER);
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered(bytes: Vec<u8>) {
            index_end(&bytes);
            beginning(&bytes);
        }
    }
}
