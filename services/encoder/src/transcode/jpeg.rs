//! Pictures as files.

use std::fs;
use std::path::Path;

use ffmpeg_next as ffmpeg;

use ffmpeg::codec::encoder;
use ffmpeg::{Packet, frame};

use super::av;
use super::codecs::{self, TICKS};
use super::error::{Doing, Error};
use super::graph::Graph;
use crate::facts::Size;

/// Makes JPEG files of one size.
pub(super) struct Jpeg {
    encoder: encoder::Video,
    quality: u32,
    count: i64,
}

impl Jpeg {
    pub(super) fn open(size: Size, quality: u32) -> Result<Self, Error> {
        Ok(Self { encoder: codecs::jpeg(size, quality)?, quality, count: 0 })
    }

    /// Writes a picture of the right size and form to `path`; returns its bytes.
    pub(super) fn write(&mut self, frame: &mut frame::Video, path: &Path) -> Result<u64, Error> {
        let doing = || format!("write `{}`", path.display());
        self.count += 1;
        frame.set_pts(Some(self.count));
        av::set_quality(frame, codecs::lambda(self.quality));
        self.encoder.send_frame(frame).doing(doing)?;
        let mut packet = Packet::empty();
        self.encoder.receive_packet(&mut packet).doing(doing)?;
        let data = packet.data().unwrap_or_default();
        fs::write(path, data).doing(doing)?;
        Ok(data.len() as u64)
    }
}

/// Brings the common frames into the size and form of JPEG.
pub(super) struct Shrink(Graph);

impl Shrink {
    pub(super) fn new(base: Size, size: Size) -> Result<Self, Error> {
        let arguments = format!("video_size={base}:pix_fmt=yuv420p:time_base=1/{TICKS}:pixel_aspect=1/1");
        let Size { width, height } = size;
        // averages, since pictures are often much smaller
        let chain = format!("scale={width}:{height}:flags=area:out_range=pc,format=yuvj420p");
        Graph::video(&arguments, &chain).map(Self)
    }

    pub(super) fn shrink(&mut self, frame: &frame::Video) -> Result<frame::Video, Error> {
        let mut shared = av::share(frame).doing(|| "share a frame".to_owned())?;
        self.0.push(&mut shared)?;
        let mut small = frame::Video::empty();
        if self.0.pull(&mut small)? {
            Ok(small)
        } else {
            Err(ffmpeg::Error::Bug).doing(|| "scale a picture".to_owned())
        }
    }
}
