//! The packets of one encode of one part, in a file of ours: no container keeps an encoder's times exactly.
//!
//! Little-endian. A header: [`MAGIC`], the encoder's unit of time, two i32, and its header for players, a u32 and so many
//! bytes. Packets: a byte 1, or 3 for a key frame, i64 each for when it is decoded, when shown, and how long, a u32 and
//! so many bytes. The end: a byte 0 and the number of packets, u64, so that a file that is cut off is noticed.
//!
//! What is read comes from another machine's worker, which an upload may have taken over: nothing in it is believed.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use ffmpeg_next as ffmpeg;

use ffmpeg::{Packet, Rational};

use super::error::{Doing, Error};

/// What each file begins with.
const MAGIC: &[u8; 16] = b"opsctl parcel 1\n";
/// Bytes of a packet, at most.
const LARGEST: u32 = 1 << 28;

/// A file that is being written.
pub(super) struct Writer {
    path: PathBuf,
    file: BufWriter<File>,
    packets: u64,
}

impl Writer {
    pub(super) fn create(path: PathBuf, base: Rational, header: &[u8]) -> Result<Self, Error> {
        let doing = || format!("create `{}`", path.display());
        let mut file = BufWriter::new(File::create(&path).doing(doing)?);
        let mut begin = MAGIC.to_vec();
        begin.extend(base.numerator().to_le_bytes());
        begin.extend(base.denominator().to_le_bytes());
        begin.extend(length(header).to_le_bytes());
        begin.extend(header);
        file.write_all(&begin).doing(doing)?;
        Ok(Self { path, file, packets: 0 })
    }

    pub(super) fn write(&mut self, packet: &Packet) -> Result<(), Error> {
        let data = packet.data().unwrap_or_default();
        let mut record = vec![if packet.is_key() { 3 } else { 1 }];
        let shown = packet.pts().unwrap_or(0);
        for time in [packet.dts().unwrap_or(shown), shown, packet.duration()] {
            record.extend(time.to_le_bytes());
        }
        record.extend(length(data).to_le_bytes());
        self.packets += 1;
        let written = self.file.write_all(&record).and_then(|()| self.file.write_all(data));
        written.doing(|| format!("write `{}`", self.path.display()))
    }

    /// Ends the file; returns its packets and its bytes.
    pub(super) fn finish(mut self) -> Result<(u64, u64), Error> {
        let mut end = vec![0];
        end.extend(self.packets.to_le_bytes());
        let written = self.file.write_all(&end).and_then(|()| self.file.flush());
        let size = written.and_then(|()| self.file.get_ref().metadata());
        Ok((self.packets, size.doing(|| format!("finish `{}`", self.path.display()))?.len()))
    }
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

/// A packet that was read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Record {
    pub decoded: i64,
    pub shown: i64,
    pub duration: i64,
    pub key: bool,
    pub data: Vec<u8>,
}

/// A file that is being read.
pub(super) struct Reader<R> {
    file: R,
    packets: u64,
}

/// Opens a file whose encoder had this unit of time and this header.
pub(super) fn open(path: &Path, base: Rational, header: &[u8]) -> Result<Reader<BufReader<File>>, Error> {
    let file = File::open(path).map(BufReader::new);
    file.and_then(|file| Reader::new(file, base, header)).doing(|| format!("open the part `{}`", path.display()))
}

impl<R: Read> Reader<R> {
    fn new(mut file: R, base: Rational, header: &[u8]) -> io::Result<Self> {
        let magic: [u8; 16] = array(&mut file)?;
        let unit = Rational(i32::from_le_bytes(array(&mut file)?), i32::from_le_bytes(array(&mut file)?));
        if magic != *MAGIC || unit != base {
            return Err(invalid("it is no part of this video"));
        }
        let size = u32::from_le_bytes(array(&mut file)?);
        if size != length(header) || bytes(&mut file, size)? != header {
            return Err(invalid("it was made with other settings, or by another version"));
        }
        Ok(Self { file, packets: 0 })
    }

    /// The next packet; `None` at the end.
    pub(super) fn read(&mut self) -> io::Result<Option<Record>> {
        let [kind] = array(&mut self.file)?;
        match kind {
            0 if u64::from_le_bytes(array(&mut self.file)?) == self.packets => return Ok(None),
            1 | 3 => {}
            _ => return Err(invalid("it is damaged")),
        }
        let mut time = || Ok::<_, io::Error>(i64::from_le_bytes(array(&mut self.file)?));
        let (decoded, shown, duration) = (time()?, time()?, time()?);
        let size = u32::from_le_bytes(array(&mut self.file)?);
        if size > LARGEST {
            return Err(invalid("it is damaged"));
        }
        self.packets += 1;
        Ok(Some(Record { decoded, shown, duration, key: kind == 3, data: bytes(&mut self.file, size)? }))
    }
}

fn invalid(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text.to_owned())
}

fn array<const N: usize>(file: &mut impl Read) -> io::Result<[u8; N]> {
    let mut array = [0; N];
    file.read_exact(&mut array)?;
    Ok(array)
}

/// So many bytes, of which only those are kept in memory that are there.
fn bytes(file: &mut impl Read, size: u32) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if file.take(size.into()).read_to_end(&mut bytes)? < size as usize {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BASE: Rational = Rational(1, 90_000);

    fn written(folder: &Path) -> Vec<u8> {
        let path = folder.join("0.packets");
        let mut writer = Writer::create(path.clone(), BASE, b"header").unwrap();
        for (decoded, shown) in [(-10, 0), (0, 20), (10, 10)] {
            let mut packet = Packet::copy(b"data");
            packet.set_dts(Some(decoded));
            packet.set_pts(Some(shown));
            packet.set_duration(7);
            writer.write(&packet).unwrap();
        }
        let bytes = std::fs::read(&path).unwrap_or_default();
        assert_eq!(writer.finish().unwrap().0, 3, "{bytes:?}");
        std::fs::read(path).unwrap()
    }

    #[test]
    fn what_was_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let bytes = written(folder.path());
        let mut reader = Reader::new(bytes.as_slice(), BASE, b"header").unwrap();
        let first = Record { decoded: -10, shown: 0, duration: 7, key: false, data: b"data".to_vec() };
        assert_eq!(reader.read().unwrap(), Some(first));
        assert_eq!(reader.read().unwrap().unwrap().shown, 20);
        assert_eq!(reader.read().unwrap().unwrap().decoded, 10);
        assert_eq!(reader.read().unwrap(), None);
    }

    #[test]
    fn parts_of_others_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let bytes = written(folder.path());
        assert!(Reader::new(bytes.as_slice(), BASE, b"other!").is_err());
        assert!(Reader::new(bytes.as_slice(), Rational(1, 25), b"header").is_err());
        assert!(Reader::new(&b"#EXTM3U"[..], BASE, b"header").is_err());
    }

    proptest! {
        #[test]
        fn a_part_that_is_cut_off_is_noticed(cut in 1_usize..150) {
            let folder = tempfile::tempdir().unwrap();
            let mut bytes = written(folder.path());
            bytes.truncate(bytes.len() - cut.min(bytes.len()));
            let read = Reader::new(bytes.as_slice(), BASE, b"header").and_then(|mut reader| {
                while reader.read()?.is_some() {}
                Ok(())
            });
            prop_assert!(read.is_err());
        }

        #[test]
        fn no_bytes_are_too_strange(rest in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut reader = Reader { file: rest.as_slice(), packets: 0 };
            while let Ok(Some(_)) = reader.read() {}
        }
    }
}
