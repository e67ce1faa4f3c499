//! The index of a part, written: the old one with other tables. What is not known is taken over but for what belongs to
//! single samples.

use super::Part;
use super::boxes::{Boxes, Unfit, Writer};
use super::plan::{Plan, Share};
use super::tables::Places;
use super::track::{Nanos, SECOND};

/// Where chunks are is known when all is written: a table, and where it stands.
#[derive(Debug)]
struct Table {
    at: usize,
    track: usize,
}

/// # Errors
/// The index is not what it seemed.
pub(super) fn write(ftyp: &[u8], moov: &[u8], plan: &Plan<'_>, size: u64) -> Result<Part, Unfit> {
    if plan.media.start > plan.media.end || plan.media.end > size {
        return Err(Unfit::Malformed("media outside of the file"));
    }
    let mut out = Writer::default();
    out.bytes(ftyp);
    let mut tables = Vec::new();
    out.boxed(*b"moov", |out| movie(out, moov, plan, &mut tables))?;
    let length = plan.media.end - plan.media.start;
    match u32::try_from(length + 8) {
        Ok(size) => {
            out.u32(size);
            out.bytes(b"mdat");
        }
        Err(_) => {
            out.u32(1);
            out.bytes(b"mdat");
            out.u64(length.saturating_add(16));
        }
    }
    for table in tables {
        places(&mut out, &table, plan)?;
    }
    Ok(Part { head: out.0, media: plan.media.clone() })
}

fn movie(out: &mut Writer, moov: &[u8], plan: &Plan<'_>, tables: &mut Vec<Table>) -> Result<(), Unfit> {
    let shares = || plan.tracks.iter().flatten();
    let length = shares().map(|share| share.delay + share.length).max().unwrap_or(0);
    let mut track = 0;
    for found in Boxes::new(moov) {
        let found = found?;
        match &found.kind {
            b"mvhd" => timed(out, found.kind, found.body, 16, 24, units(length, plan.scale)),
            b"trak" => {
                if let Some(Some(share)) = plan.tracks.get(track) {
                    let mut one = OneTrack { share, scale: plan.scale, track, tables };
                    out.boxed(*b"trak", |out| one.trak(out, found.body))?;
                }
                track += 1;
            }
            _ => out.bytes(found.whole),
        }
    }
    Ok(())
}

/// Nanoseconds in ticks, of which there are `scale` a second.
fn units(length: Nanos, scale: u32) -> u64 {
    u64::try_from(length * Nanos::from(scale) / SECOND).unwrap_or(u64::MAX)
}

/// A box with a length of time, which stands at another place if its version is 1.
fn timed(out: &mut Writer, kind: [u8; 4], body: &[u8], narrow: usize, wide: usize, length: u64) {
    out.boxed(kind, |out| {
        let at = out.0.len();
        out.bytes(body);
        match body.first() {
            Some(1) if body.len() >= wide + 8 => out.put(at + wide, &length.to_be_bytes()),
            Some(1) => {}
            _ if body.len() >= narrow + 4 => {
                out.put(at + narrow, &u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
            }
            _ => {}
        }
    });
}

struct OneTrack<'p, 'a> {
    share: &'p Share<'a>,
    /// The movie's.
    scale: u32,
    track: usize,
    tables: &'p mut Vec<Table>,
}

impl OneTrack<'_, '_> {
    fn trak(&mut self, out: &mut Writer, body: &[u8]) -> Result<(), Unfit> {
        let Share { delay, length, .. } = self.share;
        for found in Boxes::new(body) {
            let found = found?;
            match &found.kind {
                b"tkhd" => {
                    timed(out, found.kind, found.body, 20, 28, units(delay + length, self.scale));
                    out.boxed(*b"edts", |out| self.edits(out));
                }
                b"edts" => {}
                b"mdia" => out.boxed(*b"mdia", |out| self.mdia(out, found.body))?,
                _ => out.bytes(found.whole),
            }
        }
        Ok(())
    }

    /// Version 1: 64 bits each.
    fn edits(&self, out: &mut Writer) {
        let Share { delay, length, skip, .. } = self.share;
        out.boxed(*b"elst", |out| {
            out.u32(1 << 24);
            out.u32(if *delay > 0 { 2 } else { 1 });
            if *delay > 0 {
                out.u64(units(*delay, self.scale));
                out.u64(u64::MAX);
                out.u32(1 << 16);
            }
            out.u64(units(*length, self.scale));
            out.u64(u64::try_from(*skip).unwrap_or(0));
            out.u32(1 << 16);
        });
    }

    fn mdia(&mut self, out: &mut Writer, body: &[u8]) -> Result<(), Unfit> {
        for found in Boxes::new(body) {
            let found = found?;
            match &found.kind {
                b"mdhd" => {
                    let ticks = u64::try_from(self.share.ticks()).unwrap_or(u64::MAX);
                    timed(out, found.kind, found.body, 16, 24, ticks);
                }
                b"minf" => out.boxed(*b"minf", |out| self.minf(out, found.body))?,
                _ => out.bytes(found.whole),
            }
        }
        Ok(())
    }

    fn minf(&mut self, out: &mut Writer, body: &[u8]) -> Result<(), Unfit> {
        for found in Boxes::new(body) {
            let found = found?;
            match &found.kind {
                b"stbl" => out.boxed(*b"stbl", |out| self.stbl(out, found.body))?,
                _ => out.bytes(found.whole),
            }
        }
        Ok(())
    }

    /// What else there is in it belongs to samples by their numbers, which are others now.
    fn stbl(&mut self, out: &mut Writer, body: &[u8]) -> Result<(), Unfit> {
        for found in Boxes::new(body) {
            let found = found?;
            if &found.kind == b"stsd" {
                out.bytes(found.whole);
            }
        }
        let Share { track, samples, .. } = self.share;
        out.table(*b"stts", |out| track.times.write(out, samples.clone()));
        if let Some((offsets, signed)) = track.offsets {
            let at = out.0.len();
            out.table(*b"ctts", |out| offsets.write(out, samples.clone()));
            if signed {
                out.put(at + 8, &[1]);
            }
        }
        if let Some(sync) = track.sync {
            out.table(*b"stss", |out| sync.write(out, samples));
        }
        out.table(*b"stsc", |out| chunks(out, self.share));
        out.boxed(*b"stsz", |out| {
            out.u32(0);
            track.sizes.write(out, samples.clone());
        });
        let kind = if matches!(track.places, Places::Narrow(_)) { *b"stco" } else { *b"co64" };
        let (first, last) = (self.share.first.chunk, self.share.last.chunk);
        let tables = &mut *self.tables;
        out.table(kind, |out| {
            tables.push(Table { at: out.0.len(), track: self.track });
            let mut count = 0;
            for _ in first..=last {
                match track.places {
                    Places::Narrow(_) => out.u32(0),
                    Places::Wide(_) => out.u64(0),
                }
                count += 1;
            }
            count
        });
        Ok(())
    }
}

/// `stsc`: the first chunk and the last may have lost samples.
fn chunks(out: &mut Writer, share: &Share<'_>) -> u32 {
    let Share { track, first, last, .. } = share;
    let mut count = 0;
    let mut push = |chunk: u64, samples: u64, description: u32| {
        let narrow = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        out.u32(narrow(chunk - first.chunk + 1));
        out.u32(narrow(samples));
        out.u32(description);
        count += 1;
    };
    for alike in track.chunks.iter() {
        let (mut from, end) = (alike.chunks.start.max(first.chunk), alike.chunks.end.min(last.chunk + 1));
        if from >= end {
            continue;
        }
        if from == first.chunk && first.before > 0 {
            let kept = if from == last.chunk { last.before + 1 } else { alike.samples };
            push(from, kept - first.before, alike.description);
            from += 1;
        }
        let whole = end - u64::from(end == last.chunk + 1 && last.before + 1 < alike.samples);
        if from < whole {
            push(from, alike.samples, alike.description);
        }
        if from <= whole && whole < end {
            push(whole, last.before + 1, alike.description);
        }
    }
    count
}

/// Writes where the chunks of a track are.
fn places(out: &mut Writer, table: &Table, plan: &Plan<'_>) -> Result<(), Unfit> {
    let Some(Some(share)) = plan.tracks.get(table.track) else { return Ok(()) };
    let start = out.0.len() as u64;
    let outside = Unfit::Malformed("media outside of the file");
    let mut at = table.at;
    for chunk in share.first.chunk..=share.last.chunk {
        let old = if chunk == share.first.chunk { Some(share.begin) } else { share.track.places.get(chunk) };
        let old = old.filter(|old| plan.media.contains(old) || *old == plan.media.end).ok_or(outside)?;
        let new = old - plan.media.start + start;
        match share.track.places {
            Places::Narrow(_) => {
                let new = u32::try_from(new).map_err(|_| Unfit::Unsupported("a larger file with small offsets"))?;
                out.put(at, &new.to_be_bytes());
                at += 4;
            }
            Places::Wide(_) => {
                out.put(at, &new.to_be_bytes());
                at += 8;
            }
        }
    }
    Ok(())
}
