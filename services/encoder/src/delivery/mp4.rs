//! A part of an MP4 file by time, as a file of its own: a new index over the same bytes of media, which are neither moved
//! nor copied. It is what nginx's mp4 module does for `?start=…&end=…`, but the part begins at the key frame at or before
//! its start, and an edit list keeps sound and picture together to the tick.
//!
//! The index is as untrusted as the upload that it was made of: everything in it is checked, nothing is counted one by one
//! that the file can claim without having the bytes for it. Never more memory than twice the index.

mod boxes;
mod plan;
mod tables;
mod track;
mod write;

use std::ops::Range;

pub(crate) use self::boxes::{Header, Unfit};
use self::plan::plan;
use self::write::write;

/// Bytes of an index; that of a film of twelve hours has some 40 million.
pub(crate) const MOST_INDEX: u64 = 64 << 20;

/// Which part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Span {
    /// Milliseconds.
    pub(crate) start: u64,
    pub(crate) end: Option<u64>,
}

/// A part of a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// Everything before the media.
    pub(crate) head: Vec<u8>,
    /// The media, in the file.
    pub(crate) media: Range<u64>,
}

/// The part `span` of a file of `size` bytes, that has this `ftyp` box and this `moov` box.
///
/// # Errors
/// It cannot be made of this file.
pub(crate) fn cut(ftyp: &[u8], moov: &[u8], size: u64, span: Span) -> Result<Part, Unfit> {
    let body = boxes::only(moov, *b"moov")?;
    let plan = plan(body, span)?;
    write(ftyp, body, &plan, size)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A box with this body.
    pub(super) fn made(kind: &[u8; 4], body: &[&[u8]]) -> Vec<u8> {
        let body = body.concat();
        [&u32::try_from(body.len() + 8).unwrap().to_be_bytes()[..], kind, &body].concat()
    }

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    /// A track at 10 samples a second, each of 100 bytes, ten in a chunk, which are a kilobyte apart from `first` on.
    fn track(first: u32, sync: Option<&[u32]>, samples: u32, offsets: Option<&[u32]>) -> Vec<u8> {
        let chunks = samples.div_ceil(10);
        let places: Vec<u32> = (0..chunks).map(|chunk| first + chunk * 2000).collect();
        let whole = if samples < 10 { vec![] } else { vec![1, 10, 1] };
        let last = if samples.is_multiple_of(10) { vec![] } else { vec![chunks, samples % 10, 1] };
        let runs = [whole, last].concat();
        let count = |len: usize| u32::try_from(len).unwrap();
        let mut stbl = vec![
            made(b"stsd", &[&words(&[0, 0])]),
            made(b"stts", &[&words(&[0, 1, samples, 100])]),
            made(b"stsc", &[&words(&[0, count(runs.len() / 3)]), &words(&runs)]),
            made(b"stsz", &[&words(&[0, 0, samples]), &words(&vec![100; samples as usize])]),
            made(b"stco", &[&words(&[0, chunks]), &words(&places)]),
            made(b"sbgp", &[&[0; 12]]),
        ];
        if let Some(sync) = sync {
            stbl.push(made(b"stss", &[&words(&[0, count(sync.len())]), &words(sync)]));
        }
        if let Some(offsets) = offsets {
            stbl.push(made(b"ctts", &[&words(&[0, count(offsets.len() / 2)]), &words(offsets)]));
        }
        let stbl: Vec<&[u8]> = stbl.iter().map(Vec::as_slice).collect();
        let mdia = made(
            b"mdia",
            &[
                &made(b"mdhd", &[&words(&[0, 0, 0, 1000, samples * 100, 0])]),
                &made(b"hdlr", &[&[0; 24]]),
                &made(b"minf", &[&made(b"stbl", &stbl)]),
            ],
        );
        made(b"trak", &[&made(b"tkhd", &[&words(&[7, 0, 0, 1, 0, 0, 0, 0])]), &mdia])
    }

    fn movie(tracks: &[Vec<u8>]) -> Vec<u8> {
        let mvhd = made(b"mvhd", &[&words(&[0, 0, 0, 1000, 9999, 0])]);
        let tracks: Vec<&[u8]> = tracks.iter().map(Vec::as_slice).collect();
        made(b"moov", &[&mvhd, &tracks.concat()])
    }

    /// The boxes at this path, one after the other; the media's is the last, and not there.
    fn find(mut bytes: Vec<u8>, path: &[&[u8; 4]]) -> Vec<u8> {
        for kind in path {
            let found: Vec<_> =
                boxes::Boxes::new(&bytes).map_while(Result::ok).filter(|one| one.kind == **kind).collect();
            bytes = found.iter().flat_map(|one| one.body.to_vec()).collect();
        }
        bytes
    }

    fn numbers(bytes: &[u8]) -> Vec<u32> {
        bytes.chunks_exact(4).map(|four| u32::from_be_bytes(four.try_into().unwrap())).collect()
    }

    const STBL: [&[u8; 4]; 5] = [b"moov", b"trak", b"mdia", b"minf", b"stbl"];

    fn table(part: &Part, kind: &[u8; 4]) -> Vec<u32> {
        numbers(&find(part.head.clone(), &[&STBL[..], &[kind]].concat()))
    }

    #[test]
    fn a_part_begins_at_a_key_frame() {
        let moov = movie(&[track(1000, Some(&[1, 16, 31]), 40, None)]);
        let part = cut(b"", &moov, 100_000, Span { start: 2000, end: None }).unwrap();
        // sample 16 is the sixth of the second chunk
        assert_eq!(part.media, 3500..8000);
        assert_eq!(table(&part, b"stts"), [0, 1, 25, 100]);
        assert_eq!(table(&part, b"stss"), [0, 2, 1, 16]);
        assert_eq!(table(&part, b"stsc"), [0, 2, 1, 5, 1, 2, 10, 1]);
        assert_eq!(table(&part, b"stsz")[..3], [0, 0, 25]);
        let head = u32::try_from(part.head.len()).unwrap();
        assert_eq!(table(&part, b"stco"), [0, 3, head, head + 1500, head + 3500]);
        assert!(table(&part, b"sbgp").is_empty(), "what it says of samples is no longer true");
        assert_eq!(numbers(&find(part.head.clone(), &[b"moov", b"mvhd"]))[4], 2500);
        assert_eq!(numbers(&find(part.head, &[b"moov", b"trak", b"mdia", b"mdhd"]))[4], 2500);
    }

    #[test]
    fn a_part_ends() {
        let moov = movie(&[track(1000, Some(&[1, 16, 31]), 40, None)]);
        let part = cut(b"", &moov, 100_000, Span { start: 1500, end: Some(1800) }).unwrap();
        assert_eq!(part.media, 3500..3800);
        assert_eq!(table(&part, b"stsc"), [0, 1, 1, 3, 1]);
        let edits = numbers(&find(part.head, &[b"moov", b"trak", b"edts", b"elst"]));
        // 300 ms from the first tick on
        assert_eq!(edits[1..], [1, 0, 300, 0, 0, 0x1_0000]);
    }

    #[test]
    fn sound_goes_with_the_picture() {
        // every frame is shown 50 ms after its time of decoding; the sound is not
        let picture = track(1000, Some(&[1, 16, 31]), 40, Some(&[40, 50]));
        let sound = track(2000, None, 40, None);
        let part = cut(b"", &movie(&[picture, sound]), 100_000, Span { start: 1600, end: None }).unwrap();
        let edits = numbers(&find(part.head.clone(), &[b"moov", b"trak", b"edts", b"elst"]));
        // the picture's 1550 is the sound's 1550: one sample before that, and then 150 ms of it are passed over
        assert_eq!(edits[..8], [0x100_0000, 1, 0, 2500, 0, 50, 0x1_0000, 0x100_0000]);
        assert_eq!(edits[8..], [1, 0, 2450, 0, 150, 0x1_0000]);
        assert_eq!(part.media.start, 3500, "the picture's sample 16 comes before the sound's sample 15");
    }

    #[test]
    fn what_cannot_be_cut_is_said() {
        let whole = movie(&[track(1000, Some(&[1]), 40, None)]);
        let check = |moov: &[u8], start, expected: Unfit| {
            assert_eq!(cut(b"", moov, 100_000, Span { start, end: None }), Err(expected), "{start}");
        };
        check(&whole, 4000, Unfit::PastTheEnd);
        check(&whole, u64::MAX, Unfit::PastTheEnd);
        check(&movie(&[]), 1, Unfit::Malformed("no tracks"));
        check(&made(b"free", &[]), 1, Unfit::Malformed("not the box that it should be"));
        check(&made(b"moov", &[&whole[8..], &made(b"mvex", &[])]), 1, Unfit::Unsupported("fragments"));
        assert_eq!(
            cut(b"", &whole, 4000, Span { start: 1, end: None }),
            Err(Unfit::Malformed("media outside of the file"))
        );
    }

    #[test]
    fn claims_cost_nothing() {
        // four thousand million samples in twenty bytes, all in one chunk
        let most = u32::MAX;
        let stbl = [
            made(b"stts", &[&words(&[0, 1, most, most])]),
            made(b"stsc", &[&words(&[0, 1, 1, most, 1])]),
            made(b"stsz", &[&words(&[0, most, most])]),
            made(b"stco", &[&words(&[0, 1, 0])]),
        ];
        let minf = made(b"minf", &[&made(b"stbl", &[&stbl.concat()])]);
        let mdia = made(b"mdia", &[&made(b"mdhd", &[&words(&[0, 0, 0, 1, 0, 0])]), &minf]);
        let moov = movie(&[made(b"trak", &[&made(b"tkhd", &[&[0; 84]]), &mdia])]);
        let part = cut(b"", &moov, u64::MAX, Span { start: 5_000_000_000_000, end: None });
        assert!(part.is_ok_and(|part| part.head.len() < 1000));
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..400), start: u64, end: Option<u64>, size: u64) {
            let _ = cut(&bytes, &bytes, size, Span { start, end });
            let _ = cut(b"", &made(b"moov", &[&bytes]), size, Span { start, end });
        }

        #[test]
        fn any_index_is_answered(
            changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
            words in proptest::collection::vec((any::<prop::sample::Index>(), prop::sample::select(vec![0, 1, 7, 255, u32::MAX, 0x7fff_ffff])), 0..6),
            start in 0u64..6000, end in proptest::option::of(0u64..6000),
        ) {
            let picture = track(1000, Some(&[1, 16, 31]), 37, Some(&[20, 50, 17, 0]));
            let mut moov = movie(&[picture, track(2000, None, 40, None)]);
            for (at, byte) in changes {
                let at = at.index(moov.len());
                moov[at] = byte;
            }
            for (at, word) in words {
                let at = at.index(moov.len() / 4) * 4;
                moov[at..at + 4].copy_from_slice(&word.to_be_bytes());
            }
            if let Ok(part) = cut(b"", &moov, 50_000, Span { start, end }) {
                prop_assert!(part.media.start <= part.media.end && part.media.end <= 50_000);
                prop_assert!(part.head.len() <= 3 * moov.len() + 1000);
            }
        }

        #[test]
        fn every_part_holds_whole_samples(start in 0u64..4000, length in 1u64..4000, samples in 1u32..41) {
            let moov = movie(&[track(1000, Some(&[1, 8, 23]), samples, None)]);
            match cut(b"", &moov, 100_000, Span { start, end: Some(start + length) }) {
                Err(error) => prop_assert!(error == Unfit::PastTheEnd && start >= u64::from(samples) * 100),
                Ok(part) => {
                    let kept = table(&part, b"stsz")[2];
                    prop_assert!(kept >= 1 && kept <= samples);
                    prop_assert_eq!(table(&part, b"stts")[2], kept);
                    let runs = table(&part, b"stsc");
                    let chunks = table(&part, b"stco")[1];
                    let firsts: Vec<u32> = runs[2..].chunks(3).map(|run| run[0]).chain([chunks + 1]).collect();
                    let sum: u32 = runs[2..].chunks(3).zip(firsts.windows(2)).map(|(run, ends)| (ends[1] - ends[0]) * run[1]).sum();
                    prop_assert_eq!(sum, kept);
                    // in each but the first chunk there is a gap of a kilobyte before it
                    prop_assert_eq!(part.media.end - part.media.start, u64::from(kept * 100 + (chunks - 1) * 1000));
                }
            }
        }
    }
}
