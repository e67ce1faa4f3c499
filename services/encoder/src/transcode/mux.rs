//! One file that is being written, by several threads.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ffmpeg_next as ffmpeg;

use ffmpeg::codec::{self, Parameters};
use ffmpeg::format::context::Output;
use ffmpeg::{Dictionary, Packet, Rational};

use super::av;
use super::error::{Doing, Error};
use crate::asset::Kind;

/// A file, from its first stream to its end.
pub(super) struct Mux {
    name: String,
    inner: Mutex<Inner>,
}

struct Inner {
    output: Output,
    /// Each stream's unit of time, before it is the file's.
    bases: Vec<Rational>,
    /// The end of the last packet, in seconds.
    end: f64,
}

impl Mux {
    /// Creates the file. `kind` says which container.
    pub(super) fn create(path: &Path, kind: Kind) -> Result<Self, Error> {
        let format = match kind {
            Kind::Flv => "flv",
            Kind::M4a => "ipod",
            _ => "mp4",
        };
        let name = path.display().to_string();
        let output = ffmpeg::format::output_as(&url(path)?, format).doing(|| format!("create `{name}`"))?;
        Ok(Self { name, inner: Mutex::new(Inner { output, bases: Vec::new(), end: 0.0 }) })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // a thread that panicked while it wrote has ended the job anyway
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds the stream that an encoder makes, and returns its index.
    ///
    /// `rate` is the average of a picture's frames a second, which FLV's header says.
    pub(super) fn add_encoder(
        &self,
        encoder: &codec::Context,
        base: Rational,
        rate: Option<Rational>,
    ) -> Result<usize, Error> {
        let Inner { output, bases, .. } = &mut *self.lock();
        let mut stream = output.add_stream_with(encoder).doing(|| format!("add a stream to `{}`", self.name))?;
        stream.set_time_base(base);
        if let Some(rate) = rate {
            stream.set_avg_frame_rate(rate);
        }
        bases.push(base);
        Ok(bases.len() - 1)
    }

    /// Adds a stream whose packets come from elsewhere as they are.
    pub(super) fn add_copy(&self, parameters: Parameters, base: Rational) -> Result<usize, Error> {
        let Inner { output, bases, .. } = &mut *self.lock();
        let none = None::<ffmpeg::Codec>;
        let mut stream = output.add_stream(none).doing(|| format!("add a stream to `{}`", self.name))?;
        stream.set_parameters(parameters);
        stream.set_time_base(base);
        av::forget_tag(&mut stream);
        bases.push(base);
        Ok(bases.len() - 1)
    }

    /// Writes the header: no stream can be added any more.
    pub(super) fn begin(&self, kind: Kind) -> Result<(), Error> {
        let mut options = Dictionary::new();
        match kind {
            // players seek by it
            Kind::Flv => options.set("flvflags", "+add_keyframe_index"),
            // players begin before the end is there
            _ => options.set("movflags", "+faststart"),
        }
        let doing = || format!("begin `{}`", self.name);
        let mut inner = self.lock();
        let unused = inner.output.write_header_with(options).doing(doing)?;
        if unused.iter().next().is_some() { Err(ffmpeg::Error::OptionNotFound).doing(doing) } else { Ok(()) }
    }

    /// Writes a packet of the stream with this index, its times in the unit that the stream was added with.
    pub(super) fn write(&self, mut packet: Packet, stream: usize) -> Result<(), Error> {
        let Inner { output, bases, end } = &mut *self.lock();
        let from = bases.get(stream).copied().unwrap_or(Rational(1, 1));
        let to = output.stream(stream).map_or(from, |stream| stream.time_base());
        if let Some(time) = packet.pts() {
            *end = end.max(time.saturating_add(packet.duration()) as f64 * f64::from(from));
        }
        packet.rescale_ts(from, to);
        packet.set_stream(stream);
        packet.set_position(-1);
        packet.write_interleaved(output).doing(|| format!("write `{}`", self.name))
    }

    /// Writes what is left; returns how long the file is, in seconds.
    pub(super) fn finish(&self) -> Result<f64, Error> {
        let mut inner = self.lock();
        inner.output.write_trailer().doing(|| format!("finish `{}`", self.name))?;
        Ok(inner.end)
    }
}

/// A path as libav takes it for a file, whatever is in it.
pub(super) fn url(path: &Path) -> Result<String, Error> {
    match path.to_str() {
        Some(path) if !path.contains('\0') => Ok(format!("file:{path}")),
        _ => Err(std::io::Error::from(std::io::ErrorKind::InvalidFilename))
            .doing(|| format!("name `{}`", path.display())),
    }
}
